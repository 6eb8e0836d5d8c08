import { type Kysely, sql } from 'kysely';

/** Creates the table of responses that can be asked for again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What was said is in the conversation's messages; this is what they do not say. The large column stands last.
  `create table responses (
    id text not null primary key,
    owner text not null,
    conversation bigint not null,
    kind text not null,
    owns_conversation integer not null,
    created_at text not null,
    last_call text,
    request text not null
  )`,
  'create index responses_of_conversation on responses (owner, conversation)',
  'create index responses_of_call on responses (owner, last_call, created_at) where last_call is not null',
];
