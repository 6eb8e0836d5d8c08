import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/** Creates the tables of conversations, their turns and search, and of idempotency keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db);
  // A number is never given twice: what is left of a deleted conversation must not show in a new one.
  const number = isPostgres(db) ? 'bigint generated always as identity' : 'integer';
  await run(conversations(number, isPostgres(db) ? '' : 'autoincrement'));
  for (const statement of TABLES) await run(statement);
  for (const statement of isPostgres(db) ? POSTGRES_SEARCH : SQLITE_SEARCH) await run(statement);
}

function conversations(number: string, suffix: string): string {
  return `create table conversations (
    number ${number} primary key ${suffix},
    id text not null unique,
    owner text not null,
    title text not null,
    title_by text not null,
    preset_id text not null,
    task_id text,
    ticket_id text,
    model text,
    system_prompt text,
    temperature double precision,
    max_tokens bigint,
    metadata text not null,
    created_at text not null,
    updated_at text not null,
    last_seq bigint not null default 0,
    message_count bigint not null default 0,
    compaction bigint not null default 0,
    covered_seq bigint not null default 0,
    live_tokens bigint not null default 0,
    token_ratio double precision not null default 1,
    prompt_tokens bigint not null default 0,
    completion_tokens bigint not null default 0,
    total_tokens bigint not null default 0,
    cost bigint not null default 0,
    priced bigint not null default 0,
    unpriced bigint not null default 0
  )`;
}

const TABLES = [
  'create index conversations_newest on conversations (owner, updated_at, id)',
  'create index conversations_of_task on conversations (owner, task_id, updated_at, id)',
  'create index conversations_of_ticket on conversations (owner, ticket_id, updated_at, id)',
  `create table conversation_counts (
    owner text not null primary key,
    conversations bigint not null
  )`,
  // The small columns stand before the body, so that reading them does not read what may be megabytes.
  `create table messages (
    conversation bigint not null,
    seq bigint not null,
    owner text not null,
    id text not null unique,
    role text not null,
    status text not null,
    turn text not null,
    size bigint not null,
    tokens bigint not null,
    calls bigint not null,
    created_at text not null,
    error text,
    body text not null,
    primary key (conversation, seq)
  )`,
  `create table tool_calls (
    conversation bigint not null,
    seq bigint not null,
    position bigint not null,
    owner text not null,
    status text not null,
    tokens bigint not null,
    duration bigint,
    body text not null,
    result text,
    primary key (conversation, seq, position)
  )`,
  `create table compactions (
    conversation bigint not null,
    number bigint not null,
    owner text not null,
    covered_seq bigint not null,
    shortened_seq bigint not null,
    original_count bigint not null,
    compacted_count bigint not null,
    tokens_before bigint not null,
    tokens_after bigint not null,
    created_at text not null,
    answer text,
    summary text,
    primary key (conversation, number)
  )`,
  `create table turns (
    conversation bigint not null primary key,
    owner text not null,
    id text not null,
    node text not null,
    first_seq bigint not null,
    expires_at bigint not null
  )`,
  'create index turns_of_node on turns (node)',
  'create index turns_expiry on turns (expires_at)',
  `create table orphans (
    conversation bigint not null primary key,
    owner text not null,
    expires_at bigint not null
  )`,
  `create table idempotency_keys (
    owner text not null,
    route text not null,
    key text not null,
    fingerprint text not null,
    token text not null,
    node text not null,
    expires_at bigint not null,
    status bigint,
    content_type text,
    answer text,
    primary key (owner, route, key)
  )`,
  'create index idempotency_keys_expiry on idempotency_keys (expires_at)',
  'create index idempotency_keys_token on idempotency_keys (token)',
];

/** An entry's key is the conversation's number and the message's `seq` in one; 0 is the title. See search.ts. */
const POSTGRES_SEARCH = [
  'create table search (entry bigint primary key, words tsvector not null)',
  'create index search_words on search using gin (words)',
];

const SQLITE_SEARCH = [
  `create virtual table search using fts5
    (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii')`,
  // Merging after deletions would stop the whole server for tenths of a second; insertions merge little by little.
  "insert into search (search, rank) values ('deletemerge', 0)",
];
