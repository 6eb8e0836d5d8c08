import { queryOptions } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** How one can come in. */
export interface AuthStatus {
  /** local: programs of the server's machine need no credential. */
  mode: 'local' | 'locked';
  /** Somebody has signed up, so that one can log in. */
  accounts: boolean;
  accessKey: boolean;
}

/** How it is asked how one can come in. */
export const AUTH_STATUS = queryOptions({
  queryKey: KEYS.authStatus,
  queryFn: ({ signal }) => ask<AuthStatus>('/api/auth/status', { signal }),
  networkMode: 'always',
});
