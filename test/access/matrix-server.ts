import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompiledQuery, Kysely, sql } from 'kysely';
import pino from 'pino';
import { afterAll, beforeAll, describe } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { startServer } from '../../src/http/server.ts';
import { INTERFACE } from '../../src/interface.ts';
import { openServices } from '../../src/open-services.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { startSweep } from '../../src/sweep.ts';
import type { Json } from '../server.ts';
import { startPostgres } from '../storage/embedded-postgres.ts';

/** An answer: JSON if it is, else text. */
export interface Answer {
  status: number;
  body: Json;
  headers: Headers;
}

/** The headers by which a request shows whose it is. */
export type Credential = Readonly<Record<string, string>>;

/** What the database is asked. */
export type Statement = Pick<CompiledQuery, 'sql' | 'parameters'>;

/** A server whose database the test can look into. It does not clear up by itself: what has expired stays there. */
export interface OpenServer {
  url: string;
  db: Kysely<Schema>;
  ask(method: string, path: string, credential?: Credential, body?: unknown): Promise<Answer>;
  /** Hears of every statement from now on, until the next call. */
  listen(onQuery: (query: Statement) => void): void;
  /** Clears up once. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** Marks what the test itself asks the database. */
export const OF_THE_TEST = sql`/* of the test */`;

let requests = 0;

/** The page's script. */
export const SCRIPT = 'a-script-of-the-page.js';

/** Starts a server on SQLite, or on an empty PostgreSQL database. */
export async function startOpenServer(
  environment: Record<string, string>,
  databaseUrl: string | undefined,
): Promise<OpenServer> {
  const home = mkdtempSync(join(tmpdir(), 'profclaw-matrix-'));
  const workspace = join(home, 'workspace');
  mkdirSync(workspace);
  const kind = databaseUrl === undefined ? 'sqlite' : 'postgres';
  const file = join(home, 'profclaw.db');
  let onQuery = (_: Statement): void => {};
  const dialect = databaseUrl === undefined ? await openSqlite(file) : await openPostgres(databaseUrl);
  const db = new Kysely<Schema>({ dialect, log: ({ query }) => onQuery(query) });
  await migrate(db, kind);
  const config = loadConfig({
    PORT: '0',
    PROFCLAW_HOME: home,
    PROFCLAW_WORKSPACE: workspace,
    OLLAMA_BASE_URL: 'http://127.0.0.1:9',
    PROFCLAW_TRUSTED_PROXIES: '127.0.0.1',
    ...environment,
  });
  const ping = async () => void (await sql`select 1`.execute(db));
  const database = { db, kind, ping, close: () => db.destroy() } as const;
  const log = pino({ level: 'silent' });
  const secretKey = Buffer.alloc(32, 1);
  const foundation = { config, database, secretKey, log, version: 'test', webFolder: makePage(home) };
  const { services, close } = await openServices(foundation);
  const server = await startServer(services, INTERFACE);
  return {
    url: server.url,
    db,
    ask: (...request) => ask(server.url, ...request),
    listen: (listener) => {
      onQuery = listener;
    },
    sweep: () => startSweep(db, services.runs, log).stop(),
    stop: async () => {
      await server.stop();
      await close();
      await db.destroy();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Sends a request to the server at an address. */
export async function ask(
  url: string,
  method: string,
  path: string,
  credential: Credential = {},
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      // What clients of MCP must take.
      accept: 'application/json, text/event-stream',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...credential,
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== '';
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
}

/** An address that no other request has: tries to log in are limited to a few a minute of each. */
export function ownAddress(): Credential {
  requests++;
  return { 'x-forwarded-for': `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}` };
}

/** Runs tests against a server on SQLite, and against one on PostgreSQL. */
export function onBothDatabases<T>(
  prepare: (databaseUrl: string | undefined) => Promise<{ value: T; stop: () => Promise<void> }>,
  tests: (value: () => T) => void,
): void {
  describe.each(['SQLite', 'PostgreSQL'])('on %s', (kind) => {
    const stops: (() => Promise<void>)[] = [];
    let value: T;

    beforeAll(async () => {
      const postgres = kind === 'PostgreSQL' ? await startPostgres() : undefined;
      if (postgres) stops.unshift(postgres.stop);
      const prepared = await prepare(await postgres?.newDatabase());
      stops.unshift(prepared.stop);
      value = prepared.value;
    });

    afterAll(async () => {
      for (const stop of stops) await stop();
    });

    tests(() => value);
  });
}

/** A page with one script. */
function makePage(home: string): string {
  const folder = join(home, 'page');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  for (const name of ['index.html', 'icon.svg', `assets/${SCRIPT}`]) writeFileSync(join(folder, name), 'A page');
  return folder;
}
