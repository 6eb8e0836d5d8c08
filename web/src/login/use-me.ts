import { queryOptions, useQuery } from '@tanstack/react-query';
import { RequestError } from '../../../src/client/client.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** An account, as the API shows it. */
export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
  status: 'active' | 'disabled';
  /** Requests a minute; null: the server's own limit. */
  rateLimit: number | null;
  createdAt: string;
  lastLoginAt: string | null;
}

/** What an account may do, in one word. */
export type Role = 'owner' | 'admin' | 'member';

/** What a route needs: docs/access.md. */
export type Scope = 'chat' | 'tools' | 'conversations:read' | 'providers:write' | 'admin';

/** What may be used in a period, and what is used of it. */
export interface Budget {
  usd: number | null;
  tokens: number | null;
  period: string;
  usedUsd: number;
  usedTokens: number;
  /** Null: never. */
  resetsAt: string | null;
}

/** Who is in front of the page. */
export interface Me {
  /** Null without an account: in local mode, or with the access key. */
  user: User | null;
  budget: Budget | null;
  via: 'local' | 'session' | 'key';
  role: Role;
  scopes: readonly Scope[];
}

/** How it is asked who that is. */
export const ME = queryOptions({
  queryKey: KEYS.me,
  queryFn: ({ signal }) => ask<Me>('/api/auth/me', { signal }),
  staleTime: 60_000,
  networkMode: 'always',
  // A stranger may be typing a password, and nothing should take the form away.
  refetchOnWindowFocus: ({ state }) => state.data !== undefined,
  refetchOnReconnect: ({ state }) => state.data !== undefined,
  // Nothing can be done without it, so it is asked until there is an answer.
  retry: (_, error) => error instanceof RequestError && error.status === 0,
  retryDelay: (failures) => Math.min(500 * 2 ** failures, 5000),
});

const NOBODY: Me = { user: null, budget: null, via: 'local', role: 'member', scopes: [] };

/** Who is in front of the page; within the gate that is always known. */
export function useMe(): Me {
  return useQuery(ME).data ?? NOBODY;
}

/** May whoever is in front of the page do what this scope opens? */
export function useMay(scope: Scope): boolean {
  return useMe().scopes.includes(scope);
}

/** Whose things one sees: without an account, the owner's. */
export function whose({ role, user }: Me): string {
  return role === 'owner' ? 'owner' : (user?.id ?? '');
}
