import type { Role } from '../storage/access-schema.ts';
import { SCOPES, type Scope } from './scopes.ts';

/** Whose everything is as long as there are no accounts; and then the first one's, which is the owner's. */
export const LOCAL_OWNER = 'local';

/** By what a caller was admitted. */
export type Via = 'local' | 'session' | 'key';

/** Who calls, and what that caller may do. */
export interface Principal {
  /** What the caller's rows are filed under. */
  owner: string;
  /** Who it is in the audit log: an account's id, `local` or `access-key`. */
  actor: string;
  via: Via;
  /** The id of the key or session; '' for a local caller. */
  credential: string;
  /** Undefined for a local caller and for whoever has the access key. */
  account: string | undefined;
  role: Role;
  scopes: readonly Scope[];
  /** Requests a minute, where there is a limit. */
  limits: { key: number | undefined; user: number | undefined };
  /** A key that expires, or has a rate limit or a budget: what it makes must not have more than that. */
  isBounded: boolean;
  /** The keys and accounts whose budgets this caller's calls count against. */
  budgets: readonly string[];
}

/** A program or browser of this machine, as long as nobody else may call: the owner. */
export const LOCAL_PRINCIPAL: Principal = {
  owner: LOCAL_OWNER,
  actor: 'local',
  via: 'local',
  credential: '',
  account: undefined,
  role: 'owner',
  scopes: SCOPES,
  limits: { key: undefined, user: undefined },
  isBounded: false,
  budgets: [],
};
