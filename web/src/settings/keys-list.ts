import { useInfiniteQuery } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import type { Budget, Scope } from '../login/use-me.ts';

/** An API key as it is shown; never its secret. */
export interface ApiKey {
  id: string;
  name: string;
  /** How the secret begins. */
  hint: string;
  scopes: Scope[];
  /** Requests a minute. */
  rateLimit: number | null;
  budget: Budget | null;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
}

const PAGE = 50;

/** One's own API keys, page by page, newest first. */
export function useKeys() {
  return useInfiniteQuery({
    queryKey: KEYS.apiKeys,
    queryFn: ({ pageParam }) =>
      ask<{ keys: ApiKey[]; total: number }>('/api/keys', { query: { limit: PAGE, offset: pageParam } }),
    initialPageParam: 0,
    getNextPageParam: ({ total }, pages) => (pages.length * PAGE < total ? pages.length * PAGE : undefined),
  });
}
