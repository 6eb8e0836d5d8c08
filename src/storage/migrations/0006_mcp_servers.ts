import { type Kysely, sql } from 'kysely';

/** Creates the table of servers of tools. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table mcp_servers (
    name text not null primary key,
    owner text not null,
    created_at text not null,
    updated_at text not null,
    sealed text not null
  )`,
];
