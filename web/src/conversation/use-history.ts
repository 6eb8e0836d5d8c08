import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useRef, useState } from 'react';
import { RequestError } from '../../../src/client/client.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { type History, type HistoryPage, withNewest, withOlder } from './history.ts';

/** Messages that are asked for at once. */
const PAGE = 80;
/** The same while somebody scrolls up. */
const OLDER_PAGE = 500;

/** A conversation's messages, the newest first asked for. */
export interface LoadedHistory {
  history: History | undefined;
  error: unknown;
  /** It is not there any more. */
  isDeleted: boolean;
  /** Asks for the newest messages. @returns undefined if they did not come; null: the conversation was deleted */
  refetch: () => Promise<History | null | undefined>;
  /** Loads an older page, if there is one and none is under way. */
  loadOlder: () => void;
  isLoadingOlder: boolean;
}

export function useHistory(id: string): LoadedHistory {
  const client = useQueryClient();
  const queryKey = historyKey(id);
  const query = useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const page = await ask<HistoryPage>(`/api/chat/conversations/${id}`, { query: { limit: PAGE }, signal });
      return withNewest(client.getQueryData<History>(historyKey(id)), page);
    },
  });
  const older = useOlder(client, id);
  const { refetch } = query;
  return {
    history: query.data,
    error: query.data ? undefined : query.error,
    isDeleted: query.data !== undefined && isMissing(query.error),
    refetch: useCallback(async () => {
      const { data, error } = await refetch();
      return error === null ? data : isMissing(error) ? null : undefined;
    }, [refetch]),
    ...older,
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof RequestError && error.status === 404;
}

/** Tries of `refetchSurely`, and the longest pause between them in milliseconds. */
const TRIES = 100;
const MOST_PAUSE_MS = 15_000;

/** Asks for the newest messages until they have come, or nobody wants them any more. */
export async function refetchSurely(
  refetch: LoadedHistory['refetch'],
  isWanted: () => boolean,
): Promise<History | undefined> {
  for (let tries = 0; tries < TRIES && isWanted(); tries++) {
    const history = await refetch();
    if (history !== undefined) return history ?? undefined;
    await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** tries, MOST_PAUSE_MS)));
  }
  return undefined;
}

function useOlder(client: QueryClient, id: string): Pick<LoadedHistory, 'loadOlder' | 'isLoadingOlder'> {
  const isBusy = useRef(false);
  const [isLoadingOlder, setIsLoadingOlder] = useState(false);
  const loadOlder = useCallback(() => {
    const before = client.getQueryData<History>(historyKey(id))?.before ?? null;
    if (isBusy.current || before === null) return;
    isBusy.current = true;
    setIsLoadingOlder(true);
    const query = { limit: OLDER_PAGE, before };
    ask<HistoryPage>(`/api/chat/conversations/${id}`, { query })
      .then((page) =>
        client.setQueryData<History>(historyKey(id), (known) =>
          known?.before === before ? withOlder(known, page) : known,
        ),
      )
      // It is tried again when somebody scrolls on.
      .catch(() => {})
      .finally(() => {
        isBusy.current = false;
        setIsLoadingOlder(false);
      });
  }, [client, id]);
  return { loadOlder, isLoadingOlder };
}

function historyKey(id: string): readonly string[] {
  return [...KEYS.conversation, id, 'messages'];
}
