import { useQuery } from '@tanstack/react-query';
import { RequestError } from '../../../src/client/client.ts';
import type { Run } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** How often it is looked whether another window, or a program, has begun one; in milliseconds. */
const POLL_MS = 2500;
/** The same while a run is expected at once. */
const POLL_SOON_MS = 250;

/** The conversation's newest run; null: there is none, undefined: not known yet. */
export function useLatestRun(conversationId: string, isExpected: boolean): Run | null | undefined {
  const { data } = useQuery({
    queryKey: [...KEYS.runs, 'of', conversationId],
    queryFn: async ({ signal }) => {
      const query = { conversationId, limit: 1 };
      const { runs } = await ask<{ runs: Run[] }>('/api/chat/runs', { query, signal });
      return runs[0] ?? null;
    },
    // Who is not known any more is asked to log in; then everything is asked for again.
    refetchInterval: ({ state: { error } }) =>
      error instanceof RequestError && error.status === 401 ? false : isExpected ? POLL_SOON_MS : POLL_MS,
    staleTime: 0,
  });
  return data;
}
