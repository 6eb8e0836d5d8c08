import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, type Selectable, sql } from 'kysely';
import { NOBODY } from '../../src/storage/conversations.ts';
import { databaseNow, isPostgres } from '../../src/storage/dialect.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';

const LONG_AGO = '2026-01-01T00:00:00.000Z';
const OVERDUE = sql.raw(`set available_at = '${LONG_AGO}' where status = 'running'`);

/** Where a server's state is. */
export interface Place {
  home: string;
  databaseUrl: string | undefined;
}

const TABLES = [
  'conversations',
  'conversation_counts',
  'tool_calls',
  'compactions',
  'turns',
  'orphans',
  'runs',
  'run_events',
  'approvals',
  'steering',
  'tool_rules',
] as const;

type Table = (typeof TABLES)[number] | 'messages';

/** Everything that is stored of conversations. `search`: which texts can be found; 0 is a conversation's title. */
export type State = { [Name in Table]: Selectable<Schema[Name]>[] } & {
  search: { conversation: number; seq: number }[];
};

/** Works on a server's database, beside the server or without it. */
export async function withDatabase<T>(place: Place, work: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
  const { home, databaseUrl } = place;
  const dialect =
    databaseUrl === undefined ? await openSqlite(join(home, 'profclaw.db')) : await openPostgres(databaseUrl);
  const db = new Kysely<Schema>({ dialect });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Reads all of it. */
export async function readState(db: Kysely<Schema>): Promise<State> {
  const entry = sql.ref(isPostgres(db) ? 'entry' : 'rowid');
  const search = await sql<{ entry: number }>`select ${entry} as entry from search`.execute(db);
  const rows = Object.fromEntries(
    await Promise.all(TABLES.map(async (table) => [table, await db.selectFrom(table).selectAll().execute()])),
  );
  return {
    ...rows,
    messages: await db.selectFrom('messages').selectAll().orderBy('conversation').orderBy('seq').execute(),
    search: search.rows.map((row) => ({ conversation: Math.floor(row.entry / 2 ** 24), seq: row.entry % 2 ** 24 })),
  };
}

/**
 * Lets the leases of a process that is dead run out now instead of in ten seconds or two minutes: nothing else about
 * the state changes by it, and a suite of hundreds of deaths cannot wait for each.
 */
export async function expireLeases(place: Place): Promise<void> {
  await withDatabase(place, async (db) => {
    // A run's place does not run out: others take its work over.
    await db.updateTable('turns').set({ expires_at: 0 }).where('node', '!=', '').execute();
    await db.updateTable('runs').set({ updated_at: LONG_AGO }).where('status', 'in', ['queued', 'running']).execute();
    if (place.databaseUrl !== undefined) await sql`update openworkflow.workflow_runs ${OVERDUE}`.execute(db);
    await db.updateTable('orphans').set({ expires_at: 0 }).execute();
    // Not 0: a key that ended a day ago is forgotten.
    const expires_at = sql<number>`${databaseNow(db)} - 1`;
    await db.updateTable('idempotency_keys').set({ expires_at }).where('status', 'is', null).execute();
  });
  if (place.databaseUrl === undefined) expireJobs(join(place.home, 'engine.db'));
}

/** On SQLite the jobs have a file of their own. */
function expireJobs(file: string): void {
  const db = new DatabaseSync(file);
  db.exec(`update workflow_runs set available_at = '${LONG_AGO}' where status = 'running'`);
  db.close();
}

/** Is nothing under way but what waits for a person, and nothing left to be cleared up? */
export async function isSettled(place: Place): Promise<boolean> {
  return await withDatabase(place, async (db) => {
    const rows = await Promise.all([
      db
        .selectFrom('turns')
        .select('id')
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('runs')
                .select('runs.id')
                .whereRef('runs.id', '=', 'turns.id')
                .where('runs.status', '=', 'waiting_approval'),
            ),
          ),
        )
        .execute(),
      db.selectFrom('orphans').select('owner').execute(),
      db.selectFrom('messages').select('id').where('status', '=', 'running').execute(),
      db.selectFrom('conversations').select('id').where('owner', '=', NOBODY).execute(),
    ]);
    return rows.every((found) => found.length === 0);
  });
}
