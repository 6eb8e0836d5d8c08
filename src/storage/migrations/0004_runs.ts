import { type Kysely, sql } from 'kysely';

/** Creates the tables of runs, their events, approvals and rules. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // The large columns stand last, so that reading the others does not read them.
  `create table runs (
    id text not null primary key,
    owner text not null,
    conversation bigint not null,
    conversation_id text not null,
    kind text not null,
    status text not null,
    fence bigint not null default 0,
    pass bigint not null default 1,
    attempts bigint not null default 0,
    tries bigint not null default 0,
    last_seq bigint not null default 0,
    steps bigint not null default 0,
    first_seq bigint not null,
    prompt_tokens bigint not null default 0,
    completion_tokens bigint not null default 0,
    total_tokens bigint not null default 0,
    cost bigint not null default 0,
    priced bigint not null default 0,
    unpriced bigint not null default 0,
    active_ms bigint not null default 0,
    stop_reason text,
    error text,
    message text,
    created_at text not null,
    updated_at text not null,
    finished_at text,
    fold_at bigint,
    settings text not null
  )`,
  'create index runs_newest on runs (owner, id)',
  'create index runs_of_status on runs (owner, status, id)',
  'create index runs_of_conversation on runs (conversation, id)',
  // Few are, whatever there was: so neither looks at those that have ended.
  "create index runs_active on runs (updated_at) where status in ('queued', 'running')",
  'create index runs_to_fold on runs (fold_at) where fold_at is not null',
  `create table run_events (
    run text not null,
    seq bigint not null,
    owner text not null,
    key text,
    first_seq bigint not null,
    type text not null,
    created_at bigint not null,
    data text not null,
    primary key (run, seq)
  )`,
  'create unique index run_events_once on run_events (run, key) where key is not null',
  `create table approvals (
    id text not null primary key,
    owner text not null,
    conversation bigint not null,
    conversation_id text not null,
    run text not null,
    message_seq bigint not null,
    position bigint not null,
    tool_call_id text not null,
    tool text not null,
    level text not null,
    reason text not null,
    status text not null,
    arguments_hash text not null,
    decided_by text,
    created_at text not null,
    decided_at text,
    expires_at bigint not null,
    arguments text not null,
    edited_arguments text,
    note text
  )`,
  'create index approvals_of_status on approvals (owner, status, id)',
  'create index approvals_newest on approvals (owner, id)',
  'create index approvals_of_run on approvals (run, id)',
  'create index approvals_of_conversation on approvals (owner, conversation_id, id)',
  "create index approvals_expiry on approvals (expires_at) where status = 'pending'",
  `create table steering (
    run text not null,
    seq bigint not null,
    id text not null,
    owner text not null,
    created_at text not null,
    content text not null,
    primary key (run, seq)
  )`,
  `create table tool_rules (
    id text not null primary key,
    owner text not null,
    conversation bigint not null,
    conversation_id text,
    tool text not null,
    arguments_hash text not null,
    action text not null,
    created_at text not null,
    arguments text not null
  )`,
  'create unique index tool_rules_of_call on tool_rules (owner, tool, arguments_hash, conversation, action)',
  'create index tool_rules_newest on tool_rules (owner, id)',
];
