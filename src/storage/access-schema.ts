import type { Generated } from 'kysely';

/** What an account may do: the first one is the owner's; admins manage users and providers. */
export const ROLES = ['owner', 'admin', 'member'] as const;

/** How long a budget lasts before it begins anew; by the calendar, in UTC. */
export const BUDGET_PERIODS = ['day', 'week', 'month', 'total'] as const;

export type Role = (typeof ROLES)[number];
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** What was deleted is removed piece by piece. */
export type AccountStatus = 'active' | 'disabled' | 'deleted';

/** The tables of accounts, sessions, keys, limits, budgets and the audit log; part of `Schema`. */
export interface AccessSchema {
  accounts: AccountsTable;
  invites: InvitesTable;
  sessions: SessionsTable;
  api_keys: ApiKeysTable;
  rate_buckets: RateBucketsTable;
  login_failures: LoginFailuresTable;
  budgets: BudgetsTable;
  budget_holds: BudgetHoldsTable;
  audit_log: AuditLogTable;
  audit_head: AuditHeadTable;
}

/** `owner` is what its rows are filed under. */
interface AccountsTable {
  id: string;
  owner: string;
  /** In lower case. */
  email: string;
  name: string;
  role: Role;
  status: AccountStatus;
  password_hash: string;
  /** Requests a minute; null: any number. */
  rate_limit: number | null;
  created_at: string;
  updated_at: string;
  last_login_at: string | null;
}

/** Whoever has the code may sign up, once. `owner` is who made it. */
interface InvitesTable {
  id: string;
  owner: string;
  /** Of the code. */
  hash: string;
  role: Role;
  /** Whose it is; null: anybody's. */
  email: string | null;
  created_at: string;
  expires_at: string;
}

interface SessionsTable {
  id: string;
  owner: string;
  /** Null: begun with the access key. */
  account: string | null;
  /** Of the cookie's value. */
  hash: string;
  address: string;
  user_agent: string;
  created_at: string;
  last_seen_at: string;
  expires_at: string;
}

interface ApiKeysTable {
  id: string;
  owner: string;
  /** Null: made while there were no accounts. */
  account: string | null;
  /** Of the secret. */
  hash: string;
  /** The secret's first characters, by which its holder knows it again. */
  hint: string;
  name: string;
  /** A JSON array. */
  scopes: string;
  /** Requests a minute; null: any number. */
  rate_limit: number | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

/** A token bucket: when it will be full again, in the database's milliseconds. Without a row it is full. */
interface RateBucketsTable {
  /** Such as `key:key_…`, `user:usr_…`, `address:…`. */
  name: string;
  full_at: number;
}

/** Wrong passwords in a row, of one account or from one address. Times in the database's milliseconds. */
interface LoginFailuresTable {
  name: string;
  failures: number;
  blocked_until: number;
  last_at: number;
}

/** `subject` is the id of a key or account. `tokens` and `cost` are the bounds; null: none. Costs in billionths of a US dollar. */
interface BudgetsTable {
  subject: string;
  owner: string;
  period: BudgetPeriod;
  tokens: number | null;
  cost: number | null;
  /** What was used was so since then. */
  period_start: string;
  used_tokens: Generated<number>;
  used_cost: Generated<number>;
  /** Of calls under way, the sums of their holds. */
  reserved_tokens: Generated<number>;
  reserved_cost: Generated<number>;
  /** How many calls are under way. */
  holds: Generated<number>;
}

/** What a call under way may cost at most, for each budget that it counts against. */
interface BudgetHoldsTable {
  /** Of the call. */
  id: string;
  subject: string;
  owner: string;
  /** The process that makes the call. */
  node: string;
  tokens: number;
  cost: number;
  /** In the database's milliseconds. */
  expires_at: number;
}

/** Appended to, never changed. `hash` covers the row and the hash of the one before. */
interface AuditLogTable {
  /** 1, 2, 3 … without gaps. */
  seq: number;
  at: string;
  /** Whose rows the actor works on. */
  owner: string;
  /** Who: an account's id, `local`, `access-key`, or '' for a stranger. */
  actor: string;
  /** By which key or session; '' for none. */
  credential: string;
  action: string;
  /** The id of what it was done to, '' for none. */
  target: string;
  outcome: string;
  address: string;
  request_id: string;
  /** A JSON object. */
  details: string;
  hash: string;
}

/** The last row of the log, so that one that is cut off at its end is missed. */
interface AuditHeadTable {
  /** Always 1. */
  id: number;
  seq: number;
  hash: string;
}
