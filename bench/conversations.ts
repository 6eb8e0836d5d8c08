import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { LOCAL_OWNER } from '../src/auth/principal.ts';
import { type DatabaseOptions, openDatabase } from '../src/storage/database.ts';
import { createTask } from '../src/storage/tasks.ts';
import { type PostgresServer, startPostgres } from '../test/storage/embedded-postgres.ts';
import { FEW, MANY, timeLists } from './conversation-lists.ts';
import { load } from './conversation-load.ts';
import { LIVE, STORED, timeMessages, UNCOMPACTED } from './conversation-messages.ts';
import { type DatabaseResults, report } from './conversation-report.ts';
import { seedConversations, seedMessages } from './conversation-seed.ts';
import { newFolder, type Running, startHelper, startServer } from './processes.ts';

const LIMIT_MS = 290_000;
/** So many conversations belong to the task whose list is asked for. */
const OF_TASK = { few: 25, many: 100 };

const began = performance.now();
let postgres: PostgresServer | undefined;
setTimeout(() => {
  console.error('bench: took too long');
  void end(1);
}, LIMIT_MS).unref();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(1));
try {
  await end((await run()) ? 0 : 1);
} catch (error) {
  console.error(error);
  await end(1);
}

/** Ends this process; the others end with it, but PostgreSQL's folder needs the time to be removed. */
async function end(code: number): Promise<never> {
  await postgres?.stop().catch(() => {});
  process.exit(code);
}

/** False if a target was missed. */
async function run(): Promise<boolean> {
  const upstreams = { fast: await startHelper('upstream.ts'), late: await startHelper('late-upstream.ts') };
  const sqlite = await measure('SQLite', upstreams, () => undefined);
  const server = await startPostgres();
  postgres = server;
  return report([sqlite, await measure('PostgreSQL', upstreams, () => server.newDatabase())]);
}

interface Upstreams {
  /** Answers at once. */
  fast: Running;
  late: Running;
}

/** Everything on one kind of database: an almost empty one and a full one, each with a server. */
async function measure(
  name: DatabaseResults['name'],
  upstreams: Upstreams,
  newDatabase: () => Promise<string> | undefined,
): Promise<DatabaseResults> {
  const few = await place(newDatabase);
  const many = await place(newDatabase);
  const [fewTask, manyTask] = [await fill(few.options, FEW, OF_TASK.few), await fill(many.options, MANY, OF_TASK.many)];
  const seeded = await fillMessages(many.options);
  say(`${name}: filled`);
  const [fewServer, manyServer] = [await start(few, upstreams.fast), await start(many, upstreams.fast)];
  const lists = await timeLists(
    { server: fewServer, taskId: fewTask, cursorAt: FEW / 2 },
    { server: manyServer, taskId: manyTask, cursorAt: MANY / 2 },
  );
  await fewServer.stop();
  say(`${name}: lists`);
  const messages = await timeMessages(manyServer, upstreams.fast, seeded);
  await manyServer.stop();
  say(`${name}: messages`);
  const loaded = await load(upstreams.late, many.home, many.environment);
  say(`${name}: load`);
  for (const { home } of [few, many]) rmSync(home, { recursive: true, force: true });
  return { name, lists, messages, load: loaded };
}

interface Place {
  home: string;
  options: DatabaseOptions;
  environment: Record<string, string>;
}

async function place(newDatabase: () => Promise<string> | undefined): Promise<Place> {
  const home = newFolder();
  const databaseUrl = await newDatabase();
  if (databaseUrl === undefined) return { home, options: { file: join(home, 'profclaw.db') }, environment: {} };
  return { home, options: { databaseUrl }, environment: { DATABASE_URL: databaseUrl } };
}

async function start({ home, environment }: Place, upstream: Running): Promise<Running> {
  return await startServer(upstream.url, { home, environment });
}

/** Stores conversations and gives the id of the task that some of them have. */
async function fill(options: DatabaseOptions, count: number, ofTask: number): Promise<string> {
  const { db, close } = await openDatabase(options);
  const { id } = await createTask(db, LOCAL_OWNER, { title: 'Tides', prompt: 'Look them up' });
  await seedConversations(db, LOCAL_OWNER, count, { id, every: count / ofTask });
  await close();
  return id;
}

async function fillMessages(options: DatabaseOptions): Promise<Parameters<typeof timeMessages>[2]> {
  const { db, kind, close } = await openDatabase(options);
  const stored = [];
  for (const count of STORED) stored.push(await seedMessages(db, LOCAL_OWNER, { stored: count, live: LIVE }));
  const uncompacted = await seedMessages(db, LOCAL_OWNER, { stored: UNCOMPACTED });
  // As PostgreSQL itself does it some time after so many rows.
  if (kind === 'postgres') await sql`vacuum analyze`.execute(db);
  await close();
  return { stored, uncompacted };
}

function say(what: string): void {
  console.log(`${Math.round((performance.now() - began) / 1000)} s: ${what}`);
}
