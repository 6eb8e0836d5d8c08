import { useQueries, useQuery } from '@tanstack/react-query';
import type { Conversation } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

const RECENT = 100;
/** Titles seldom change, in milliseconds. */
const STALE_MS = 60_000;

/**
 * The titles of conversations, by id: those of the most recent ones in one request, the others one by one.
 * @returns a function; undefined as long as a title is not known, '' for a conversation without one.
 */
export function useTitles(ids: readonly string[]): (id: string) => string | undefined {
  const recent = useQuery({
    queryKey: [...KEYS.conversations, 'titles'],
    queryFn: () => ask<{ conversations: Conversation[] }>('/api/chat/conversations', { query: { limit: RECENT } }),
    staleTime: STALE_MS,
    enabled: ids.length > 0,
  });
  const titles = new Map(recent.data?.conversations.map(({ id, title }) => [id, title]));
  const missing = recent.isPending ? [] : [...new Set(ids)].filter((id) => !titles.has(id));
  const singles = useQueries({
    queries: missing.map((id) => ({
      queryKey: [...KEYS.conversation, id, 'title'],
      queryFn: () =>
        ask<{ conversation: Conversation }>(`/api/chat/conversations/${id}`, { query: { limit: 1 } }).then(
          ({ conversation }) => conversation.title,
        ),
      staleTime: STALE_MS,
    })),
  });
  for (const [index, id] of missing.entries()) {
    const title = singles[index]?.data;
    if (title !== undefined) titles.set(id, title);
  }
  return (id) => titles.get(id);
}
