import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { DurableEngine, Job } from '../../src/agent/engine/engine.ts';
import { type EngineOptions, openEngine } from '../../src/agent/engine/openworkflow.ts';
import { openPostgresWaker } from '../../src/storage/postgres-waker.ts';
import { localWaker, type Waker } from '../../src/storage/waker.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { startNode } from './child.ts';

/** Where the nodes of one test keep their jobs. */
export interface Place {
  databaseUrl?: string;
  file: string;
}

/** A row of the engine's table, as far as tests look at it. */
export interface Row {
  status: string;
  worker_id: string | null;
  attempts: number;
  error: unknown;
  /** How far its lease, or its time to be tried again, lies in the future. */
  leftMs: number;
}

type Work = (job: Job) => Promise<void>;

/** The nodes of one test, in this process and in others. */
export class Nodes {
  readonly place: Place;
  /** What all nodes of this process have logged. */
  readonly logged: string[] = [];
  readonly #log = pino({ level: 'debug' }, { write: (line: string) => this.logged.push(line) });
  /** On SQLite the nodes of this process share one, as parts of one process do. */
  readonly #local = localWaker(this.#log);
  readonly #endings: (() => Promise<void>)[] = [];

  readonly #server: PostgresServer | undefined;

  constructor(place: Place, server?: PostgresServer) {
    this.place = place;
    this.#server = server;
  }

  /** Ends the connections of all nodes to PostgreSQL. */
  async endConnections(): Promise<void> {
    const { databaseUrl } = this.place;
    if (databaseUrl !== undefined) await this.#server?.endConnections(databaseUrl);
  }

  async waker(): Promise<Waker> {
    const { databaseUrl } = this.place;
    if (databaseUrl === undefined) return this.#local;
    const waker = await openPostgresWaker(databaseUrl, this.#log);
    this.#endings.push(() => waker.close());
    return waker;
  }

  /** Opens an engine, and starts it if it is given work. */
  async node(work?: Work, options: Partial<EngineOptions> = {}): Promise<DurableEngine> {
    const waker = options.waker ?? (await this.waker());
    const engine = await openEngine({ ...this.place, log: this.#log, ...options, waker });
    if (work) engine.start(work);
    this.#endings.unshift(() => engine.stop());
    return engine;
  }

  /** Takes the locks under which OpenWorkflow stores these jobs in PostgreSQL. @returns what lets go of them. */
  async holdUp(jobs: readonly Job[]): Promise<() => Promise<void>> {
    const client = new Client({ connectionString: this.place.databaseUrl });
    await client.connect();
    for (const { run, pass } of jobs) {
      const scope = { namespaceId: 'default', workflowName: 'run', idempotencyKey: `${run}#${pass}` };
      await client.query('select pg_advisory_lock(hashtextextended($1, 0::bigint))', [JSON.stringify(scope)]);
    }
    return () => client.end();
  }

  /** A node in a process of its own. */
  async child(options: { leaseMs?: number; ends?: boolean } = {}) {
    const child = startNode(this.place, options);
    this.#endings.unshift(() => child.kill());
    await child.said('ready');
    return child;
  }

  /** The rows of a job: one, if all is well. */
  async rows({ run, pass }: Job): Promise<Row[]> {
    const key = `${run}#${pass}`;
    const rows = await this.query(
      'select * from workflow_runs where idempotency_key = $1',
      'select * from openworkflow.workflow_runs where idempotency_key = $1',
      [key],
    );
    return rows.map((row) => ({
      status: String(row.status),
      worker_id: row.worker_id === null ? null : String(row.worker_id),
      attempts: Number(row.attempts),
      error: row.error,
      leftMs: new Date(String(row.available_at)).getTime() - Date.now(),
    }));
  }

  /** Asks the engine's tables something. */
  async query(sqlite: string, postgres: string, values: string[]): Promise<Record<string, unknown>[]> {
    const { databaseUrl, file } = this.place;
    if (databaseUrl === undefined) {
      const db = new DatabaseSync(file, { timeout: 5000 });
      try {
        return db.prepare(sqlite.replaceAll('$', '?')).all(...values);
      } finally {
        db.close();
      }
    }
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      return (await client.query(postgres, values)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    for (const end of this.#endings) await end();
  }
}

/** Runs tests on SQLite and on PostgreSQL, each with nodes on an empty database of its own. */
export function onBothDatabases(tests: (nodes: () => Nodes, kind: 'sqlite' | 'postgres') => void): void {
  describe.each(['sqlite', 'postgres'] as const)('%s', (kind) => {
    let server: PostgresServer | undefined;
    let nodes: Nodes;
    let folder: string;

    beforeAll(async () => {
      if (kind === 'postgres') server = await startPostgres();
    });

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'profclaw-engine-'));
      const where = server ? { databaseUrl: await server.newDatabase() } : {};
      nodes = new Nodes({ ...where, file: join(folder, 'engine.db') }, server);
    });

    afterEach(async () => {
      for (const open of gates.splice(0)) open();
      await nodes.stop();
      rmSync(folder, { recursive: true });
    });

    afterAll(() => server?.stop());

    tests(() => nodes, kind);
  });
}

/** A job of a run that nobody else has. */
export function newJob(pass = 1): Job {
  return { owner: 'local', run: `run_${crypto.randomUUID()}`, pass };
}

/** Those of the test that runs. */
const gates: (() => void)[] = [];

/** Work that notes what it is called with and then waits until it is let go, or the test is over. */
export function gate(): { work: Work; begun: Job[]; open: () => void } {
  const begun: Job[] = [];
  const opened = Promise.withResolvers<void>();
  gates.push(opened.resolve);
  return {
    begun,
    open: opened.resolve,
    work: (job) => {
      begun.push(job);
      return opened.promise;
    },
  };
}
