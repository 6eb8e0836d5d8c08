import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql } from 'kysely';
import { LOCAL_OWNER } from '../src/auth/principal.ts';
import { newId } from '../src/core/ids.ts';
import { isPostgres } from '../src/storage/dialect.ts';
import type { Schema } from '../src/storage/schema.ts';
import type { Place } from './run-place.ts';

/** A row of any table. */
type Row = Record<string, unknown>;

const AT_ONCE = 250;
/** What hangs on a conversation's number. Its entries of the search are left out. */
const OF_CONVERSATION = ['messages', 'tool_calls', 'turns', 'runs', 'approvals'] as const;
const IDS = /\b(conv|run|msg|approval|call|batch)_[0-9a-z]{24}\b/g;

/** The rows of one table, as JSON cut where something else stands in each copy. */
interface Pattern {
  table: string;
  columns: string[];
  /** Texts, and between them which of the copy's ids; the number of its conversation is the first. */
  pieces: (string | number)[];
}

/** A conversation with its run, as the server has left it, to be stored again and again. */
export interface Template {
  conversation: Pattern;
  others: Pattern[];
  /** What the ids of a copy begin with; the first two are of its conversation and its run. */
  prefixes: Parameters<typeof newId>[0][];
  /** The id of the run. */
  run: string;
}

/** Reads a run and its conversation, which must have no other. */
export async function readTemplate(db: Kysely<Schema>, run: string): Promise<Template> {
  const rows = async (table: string, column: string, value: unknown): Promise<Row[]> =>
    (await sql<Row>`select * from ${sql.table(table)} where ${sql.ref(column)} = ${value}`.execute(db)).rows;
  const { conversation: number, conversation_id: id } = await db
    .selectFrom('runs')
    .select(['conversation', 'conversation_id'])
    .where('id', '=', run)
    .executeTakeFirstOrThrow();
  const ids = [id, run];
  const [conversation] = await rows('conversations', 'number', number);
  const { number: _, ...withoutNumber } = conversation ?? {};
  const others = [];
  for (const table of OF_CONVERSATION) others.push({ table, rows: await rows(table, 'conversation', number) });
  others.push({ table: 'run_events', rows: await rows('run_events', 'run', run) });
  return {
    conversation: patternOf('conversations', [withoutNumber], ids),
    others: others.flatMap(({ table, rows: all }) => (all.length === 0 ? [] : [patternOf(table, all, ids)])),
    prefixes: ids.map((one) => one.slice(0, one.indexOf('_')) as Parameters<typeof newId>[0]),
    run,
  };
}

/** @param ids those that were found before; new ones are added. */
function patternOf(table: string, rows: readonly Row[], ids: string[]): Pattern {
  const marked = rows.map((row) => ('conversation' in row ? { ...row, conversation: '#number#' } : row));
  const text = JSON.stringify(marked).slice(1, -1);
  const pieces: (string | number)[] = [];
  let at = 0;
  for (const match of text.matchAll(new RegExp(`"#number#"|${IDS.source}`, 'g'))) {
    pieces.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[0] === '"#number#"') pieces.push(0);
    else {
      if (!ids.includes(match[0])) ids.push(match[0]);
      pieces.push(1 + ids.indexOf(match[0]));
    }
  }
  return { table, columns: Object.keys(rows[0] ?? {}), pieces: [...pieces, text.slice(at)] };
}

/** Stores copies of a template, a few hundred in a transaction. @returns the ids of their runs. */
export async function copy(db: Kysely<Schema>, template: Template, count: number): Promise<string[]> {
  const runs: string[] = [];
  for (let at = 0; at < count; at += AT_ONCE) {
    const copies = Array.from({ length: Math.min(AT_ONCE, count - at) }, () =>
      template.prefixes.map((one) => newId(one)),
    );
    await db.transaction().execute((tx) => copySome(tx, template, copies));
    runs.push(...copies.map(([, run]) => run ?? ''));
  }
  await db
    .insertInto('conversation_counts')
    .values({ owner: LOCAL_OWNER, conversations: count })
    .onConflict((conflict) =>
      conflict
        .column('owner')
        .doUpdateSet((set) => ({ conversations: set('conversation_counts.conversations', '+', count) })),
    )
    .execute();
  return runs;
}

async function copySome(tx: Kysely<Schema>, template: Template, copies: readonly string[][]): Promise<void> {
  await insert(
    tx,
    template.conversation,
    copies.map((ids) => ['', ...ids]),
  );
  const numbers = await tx
    .selectFrom('conversations')
    .select(['id', 'number'])
    .where(
      'id',
      'in',
      copies.map(([id]) => id ?? ''),
    )
    .execute();
  const byId = new Map(numbers.map(({ id, number }) => [id, String(number)]));
  const values = copies.map((ids) => [byId.get(ids[0] ?? '') ?? '', ...ids]);
  for (const pattern of template.others) await insert(tx, pattern, values);
}

async function insert(
  tx: Kysely<Schema>,
  { table, columns, pieces }: Pattern,
  copies: readonly string[][],
): Promise<void> {
  const texts = copies.map((values) =>
    pieces.map((piece) => (typeof piece === 'string' ? piece : values[piece])).join(''),
  );
  await insertJson(tx, table, columns, `[${texts.join()}]`);
}

/** Inserts the objects of a JSON list as rows. */
async function insertJson(db: Kysely<Schema>, table: string, columns: string[], json: string): Promise<void> {
  const names = sql.join(columns.map((name) => sql.ref(name)));
  const given = isPostgres(db)
    ? sql`select ${names} from json_populate_recordset(null::${sql.table(table)}, ${json}::json)`
    : sql`select ${sql.join(columns.map((name) => sql`value ->> ${sql.lit(name)}`))} from json_each(${json})`;
  await sql`insert into ${sql.table(table)} (${names}) ${given}`.execute(db);
}

/** Stores the engine's job of the template's run for the runs of its copies, too. No server may be at work there. */
export async function copyJobs(
  db: Kysely<Schema>,
  place: Place,
  template: Template,
  runs: readonly string[],
): Promise<void> {
  const file = join(place.home, 'engine.db');
  if (isPostgres(db)) {
    const found =
      await sql<Row>`select * from openworkflow.workflow_runs where idempotency_key like ${`${template.run}#%`}`.execute(
        db,
      );
    for (let at = 0; at < runs.length; at += AT_ONCE) {
      const rows = jobsOf(found.rows, template, runs.slice(at, at + AT_ONCE));
      await insertJson(db, 'openworkflow.workflow_runs', Object.keys(rows[0] ?? {}), JSON.stringify(rows));
    }
  } else if (existsSync(file)) {
    const engine = new DatabaseSync(file);
    const found = engine.prepare('select * from workflow_runs where idempotency_key like ?').all(`${template.run}#%`);
    const names = Object.keys(found[0] ?? {});
    const statement = engine.prepare(
      `insert into workflow_runs (${names.join()}) values (${names.map((name) => `:${name}`).join()})`,
    );
    engine.exec('begin');
    for (const row of jobsOf(found, template, runs)) statement.run(row as Parameters<typeof statement.run>[0]);
    engine.exec('commit');
    engine.close();
  }
}

function jobsOf(found: readonly Row[], template: Template, runs: readonly string[]): Row[] {
  const text = JSON.stringify(found);
  return runs.flatMap((run) =>
    (JSON.parse(text.replaceAll(template.run, run)) as Row[]).map((row) => ({ ...row, id: randomUUID() })),
  );
}
