import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../../src/storage/dialect.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { indexEntries } from '../../src/storage/search.ts';

const MIGRATION_TABLES = ['profclaw_migrations', 'profclaw_migrations_lock'];
const TEXTS = [
  '',
  'plain',
  `quotes ' " \\ {},null NULL`,
  'línea\nüber 漢字 👩‍🔬 \u0001\u007f',
  '{"a":[1,null,"\\u0000"]}',
  '  \t ',
];
const INTEGERS = [0, -1, 1, 2 ** 31, -(2 ** 40), Number.MAX_SAFE_INTEGER];
const REALS = [0.1 + 0.2, -1.5e-300, 1e21, 3, 1 / 3, 1_700_000_000_123.5];

/** Every table that the migrations make, without what is the index's own. */
export async function tableNames(db: Kysely<Schema>): Promise<string[]> {
  const tables = await db.introspection.getTables();
  return tables
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('search_') && !MIGRATION_TABLES.includes(name) && name !== 'sqlite_sequence')
    .sort();
}

/** Puts rows with awkward values of every kind into every column of every table, and words into the index. */
export async function fillEveryTable(db: Kysely<Schema>, rows = 6): Promise<void> {
  for (const table of await db.introspection.getTables()) {
    if (!(await tableNames(db)).includes(table.name) || table.name === 'search') continue;
    for (let row = 0; row < rows; row++) {
      const columns = table.columns.filter(({ name }) => !(table.name === 'conversations' && name === 'number'));
      const values = columns.map(({ name, dataType, isNullable }, column) =>
        isNullable && (row + column) % 3 === 0 ? null : valueFor(name, dataType, row, column),
      );
      // The chain's head has a row already.
      if (table.name === 'audit_head' && row === 0) continue;
      const names = sql.join(columns.map(({ name }) => sql.ref(name)));
      await sql`insert into ${sql.table(table.name)} (${names}) values (${sql.join(values)})`.execute(db);
    }
  }
  for (let number = 1; number <= rows; number++) {
    const entries = ['a title', 'Grüße an über 漢字 zwei', 'plain words, again words'].map((text, seq) => ({
      seq,
      text,
    }));
    await indexEntries(db, number, entries);
  }
  // The highest number was given, and must not be given again.
  await sql`delete from conversations where number = ${rows}`.execute(db);
}

function valueFor(name: string, dataType: string, row: number, column: number): string | number {
  const type = dataType.toLowerCase();
  const at = row + column;
  // Keys have to differ, and need no more.
  if (type === 'text') return `${TEXTS[at % TEXTS.length]}${name}-${row}`;
  if (type === 'double precision' || type === 'float8') return REALS[at % REALS.length] ?? 0;
  if (type === 'integer' || type === 'int4') return row + 10;
  if (type !== 'bigint' && type !== 'int8')
    throw new Error(`say in copy-rows.ts what a column of type ${type} may hold`);
  const isKey = ['conversation', 'seq', 'position', 'number', 'id'].includes(name);
  return isKey ? row + 1 : (INTEGERS[at % INTEGERS.length] ?? 0);
}

/** All that is stored, by table, in one order; read in another way than the copy does. */
export async function dump(db: Kysely<Schema>): Promise<Record<string, string[]>> {
  const everything: Record<string, string[]> = {};
  for (const table of await tableNames(db)) {
    if (table === 'search') continue;
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(db);
    everything[table] = rows
      .map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
      .sort();
  }
  const found = isPostgres(db)
    ? sql<{ entry: string }>`select entry::text as entry from search where words @@ 'words'::tsquery`
    : sql<{ entry: string }>`select cast(rowid as text) as entry from search where search match '"words"'`;
  everything.found = (await found.execute(db)).rows.map(({ entry }) => entry).sort();
  return everything;
}
