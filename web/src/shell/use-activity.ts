import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { RequestError } from '../../../src/client/client.ts';
import type { Approval, Run } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** How often it is asked, in milliseconds: while somebody looks and something goes on, and else. */
const BUSY_MS = 5000;
const CALM_MS = 15_000;

const APPROVALS = [...KEYS.approvals, 'pending'];
const RUNS = [...KEYS.runs, 'active'];

interface Approvals {
  approvals: Approval[];
}

/** What goes on in all conversations. */
export interface Activity {
  /** Approvals that wait for an answer; 100 are counted at most. */
  waiting: number;
  /** Conversations with a run that goes on by itself. */
  running: ReadonlySet<string>;
  /** Conversations in which somebody is asked. */
  asking: ReadonlySet<string>;
  /** The server does not answer at the moment. */
  isLost: boolean;
}

/** Looks every few seconds at what runs and what waits for a person; has the lists asked for anew when that changes. */
export function useActivity(): Activity {
  const queries = useQueryClient();
  // From what is known at that moment: an effect would come too late for the pause that begins now.
  const isBusy = (): boolean =>
    (queries.getQueryData<Approvals>(APPROVALS)?.approvals.length ?? 0) +
      (queries.getQueryData<Run[]>(RUNS)?.length ?? 0) >
    0;
  const options = {
    networkMode: 'always',
    retry: false,
    refetchInterval: () => (isBusy() && !document.hidden ? BUSY_MS : CALM_MS),
    refetchIntervalInBackground: true,
  } as const;
  const approvals = useQuery({
    ...options,
    queryKey: APPROVALS,
    queryFn: ({ signal }) =>
      ask<Approvals>('/api/chat/approvals', { query: { status: 'pending', limit: 100 }, signal }),
  });
  const runs = useQuery({
    ...options,
    queryKey: RUNS,
    queryFn: async ({ signal }) => {
      const of = (status: string): Promise<{ runs: Run[] }> =>
        ask('/api/chat/runs', { query: { status, limit: 100 }, signal });
      // Those that wait for a person are known from their approvals.
      return (await Promise.all([of('running'), of('queued')])).flatMap((page) => page.runs);
    },
  });
  const running = new Set(runs.data?.map(({ conversationId }) => conversationId));
  const asking = new Set(approvals.data?.approvals.map(({ conversationId }) => conversationId));

  const active = runs.data && [...running].sort().join();
  const before = useRef(active);
  useEffect(() => {
    // A run that began or ended has moved its conversation to the top, or given it a title.
    if (before.current !== undefined && before.current !== active)
      void queries.invalidateQueries({ queryKey: KEYS.conversations });
    before.current = active;
  }, [active, queries]);

  const { error } = approvals;
  const isLost = error instanceof RequestError && error.status === 0;
  return { waiting: approvals.data?.approvals.length ?? 0, running, asking, isLost };
}
