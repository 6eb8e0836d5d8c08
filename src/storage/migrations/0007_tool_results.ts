import { type Kysely, sql } from 'kysely';

/** Creates the table of results that are too long to be sent, and the calls' references to them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // The large column stands last, so that reading the others does not read it.
  `create table tool_results (
    id text not null primary key,
    owner text not null,
    conversation bigint not null,
    seq bigint not null,
    created_at text not null,
    text text not null
  )`,
  'create index tool_results_of_conversation on tool_results (owner, conversation, seq)',
  'alter table tool_calls add column result_id text',
  // Few calls have one.
  'create index tool_calls_of_result on tool_calls (conversation, result_id) where result_id is not null',
];
