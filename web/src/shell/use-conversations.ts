import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Conversation } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** What the list of conversations answers. */
export interface ConversationPage {
  conversations: Conversation[];
  total: number;
  /** Null at the end. */
  nextCursor: string | null;
}

/** The most that one page may have. */
const PAGE = 100;

/**
 * Conversations, the one with the newest activity first, page after page.
 * @param q words that they must have; '' for all.
 */
export function useConversations(q: string) {
  const query = useInfiniteQuery({
    queryKey: [...KEYS.conversations, 'list', q],
    queryFn: ({ pageParam, signal }) =>
      ask<ConversationPage>('/api/chat/conversations', { query: { q, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    placeholderData: keepPreviousData,
    networkMode: 'always',
  });
  const { data } = query;
  // What gets new activity between two pages stands in both.
  const conversations = useMemo(() => {
    const all = (data?.pages ?? []).flatMap((page) => page.conversations);
    return [...new Map(all.map((one) => [one.id, one])).values()];
  }, [data]);
  return { ...query, conversations, total: data?.pages[0]?.total };
}
