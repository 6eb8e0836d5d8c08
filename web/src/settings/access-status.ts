import { queryOptions } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** How one can come in. */
export interface AccessStatus {
  /** local: programs of this machine need no credential. */
  mode: 'local' | 'locked';
  /** Somebody has signed up. */
  accounts: boolean;
  accessKey: boolean;
}

/** How it is asked how one can come in. */
export const ACCESS_STATUS = queryOptions({
  queryKey: KEYS.authStatus,
  queryFn: () => ask<AccessStatus>('/api/auth/status'),
});
