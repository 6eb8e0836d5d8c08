import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/** Creates the tables of accounts, sessions, keys, limits, budgets and the audit log. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const audit = isPostgres(db) ? POSTGRES_APPEND_ONLY : SQLITE_APPEND_ONLY;
  for (const statement of [...TABLES, ...audit]) await sql.raw(statement).execute(db);
}

const TABLES = [
  // Unique owners: there is one account only that has what was there before the first.
  `create table accounts (
    id text not null primary key,
    owner text not null unique,
    email text not null unique,
    name text not null,
    role text not null,
    status text not null,
    password_hash text not null,
    rate_limit bigint,
    created_at text not null,
    updated_at text not null,
    last_login_at text
  )`,
  `create table invites (
    id text not null primary key,
    owner text not null,
    hash text not null unique,
    role text not null,
    email text,
    created_at text not null,
    expires_at text not null
  )`,
  `create table sessions (
    id text not null primary key,
    owner text not null,
    account text,
    hash text not null unique,
    address text not null,
    user_agent text not null,
    created_at text not null,
    last_seen_at text not null,
    expires_at text not null
  )`,
  'create index sessions_newest on sessions (owner, created_at, id)',
  'create index sessions_expiry on sessions (expires_at)',
  `create table api_keys (
    id text not null primary key,
    owner text not null,
    account text,
    hash text not null unique,
    hint text not null,
    name text not null,
    scopes text not null,
    rate_limit bigint,
    created_at text not null,
    expires_at text,
    last_used_at text
  )`,
  'create index api_keys_newest on api_keys (owner, created_at, id)',
  `create table rate_buckets (
    name text not null primary key,
    full_at double precision not null
  )`,
  'create index rate_buckets_full on rate_buckets (full_at)',
  `create table login_failures (
    name text not null primary key,
    failures bigint not null,
    blocked_until bigint not null,
    last_at bigint not null
  )`,
  'create index login_failures_last on login_failures (last_at)',
  `create table budgets (
    subject text not null primary key,
    owner text not null,
    period text not null,
    tokens bigint,
    cost bigint,
    period_start text not null,
    used_tokens bigint not null default 0,
    used_cost bigint not null default 0,
    reserved_tokens bigint not null default 0,
    reserved_cost bigint not null default 0,
    holds bigint not null default 0
  )`,
  `create table budget_holds (
    id text not null,
    subject text not null,
    owner text not null,
    node text not null,
    tokens bigint not null,
    cost bigint not null,
    expires_at bigint not null,
    primary key (subject, id)
  )`,
  'create index budget_holds_node on budget_holds (node)',
  'create index budget_holds_expiry on budget_holds (expires_at)',
  `create table audit_log (
    seq bigint not null primary key,
    at text not null,
    owner text not null,
    actor text not null,
    credential text not null,
    action text not null,
    target text not null,
    outcome text not null,
    address text not null,
    request_id text not null,
    details text not null,
    hash text not null
  )`,
  `create table audit_head (
    id bigint not null primary key,
    seq bigint not null,
    hash text not null
  )`,
  "insert into audit_head (id, seq, hash) values (1, 0, '')",
];

/** A slip in a statement, ours or a person's, does not get at what is written; whoever means it is found by the chain. */
const SQLITE_APPEND_ONLY = [
  ['update', 'update', ''],
  ['delete', 'delete', ''],
  // `insert or replace` fires no trigger of the row that it removes.
  ['replace', 'insert', 'when exists (select 1 from audit_log where seq = new.seq)'],
].map(
  ([name, change, condition]) => `create trigger audit_log_no_${name} before ${change} on audit_log ${condition}
    begin select raise(abort, 'the audit log is append-only'); end`,
);

const POSTGRES_APPEND_ONLY = [
  `create function profclaw_append_only() returns trigger language plpgsql as $$
    begin raise exception 'the audit log is append-only'; end $$`,
  `create trigger audit_log_append_only before update or delete or truncate on audit_log
    for each statement execute function profclaw_append_only()`,
];
