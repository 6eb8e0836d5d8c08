import { type Kysely, sql } from 'kysely';

/** Rules say more than exact arguments, may expire, and count their uses; a set of rules has a version. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table tool_rules_new (
    id text not null primary key,
    owner text not null,
    conversation bigint not null,
    conversation_id text,
    tool text not null,
    action text not null,
    match_hash text not null,
    created_at text not null,
    expires_at bigint,
    used_count bigint not null default 0,
    match text not null
  )`,
  `insert into tool_rules_new (id, owner, conversation, conversation_id, tool, action, match_hash, created_at, match)
    select id, owner, conversation, conversation_id, tool, action, arguments_hash, created_at,
      '{"arguments":' || arguments || '}' from tool_rules`,
  'drop table tool_rules',
  'alter table tool_rules_new rename to tool_rules',
  'create unique index tool_rules_of_match on tool_rules (owner, tool, match_hash, conversation, action)',
  'create index tool_rules_newest on tool_rules (owner, id)',
  `create table rule_sets (
    owner text not null primary key,
    version bigint not null
  )`,
];
