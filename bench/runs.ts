import { rmSync } from 'node:fs';
import { type PostgresServer, startPostgres } from '../test/storage/embedded-postgres.ts';
import { type Running, startHelper } from './processes.ts';
import { RunClient } from './run-client.ts';
import { type Latencies, type TwoNodeLatencies, timeLatencies, timeTwoNodes } from './run-latency.ts';
import { timeMany } from './run-many.ts';
import { timeOverhead } from './run-overhead.ts';
import { anotherHome, type DatabaseKind, newPlace, startNode } from './run-place.ts';
import { type DatabaseRuns, report, type Sizes } from './run-report.ts';
import { timeResumes } from './run-resume.ts';
import { timeStandstill } from './run-standstill.ts';
import { timeWaves } from './run-waves.ts';

const IS_QUICK = process.argv.includes('--quick');
const LIMIT_MS = IS_QUICK ? 118_000 : 355_000;

const SIZES: Sizes = IS_QUICK
  ? {
      rounds: 10,
      resumes: 1,
      waves: {
        SQLite: { runs: 100, seconds: 3, restMs: 1000 },
        PostgreSQL: { runs: 50, seconds: 3, restMs: 1000 },
      },
      waiting: 1000,
      stillMs: 3000,
      finished: 2000,
    }
  : {
      rounds: 100,
      resumes: 5,
      waves: {
        SQLite: { runs: 500, seconds: 15, restMs: 3000 },
        PostgreSQL: { runs: 150, seconds: 8, restMs: 3000 },
      },
      waiting: 10_000,
      stillMs: 20_000,
      finished: 100_000,
    };

const SQLITE: DatabaseKind = { name: 'SQLite', newDatabase: () => undefined };

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
  const helpers = { upstream: await startHelper('run-upstream.ts'), watchers: await startHelper('run-watchers.ts') };
  const sqlite = await measure(SQLITE, helpers);
  const server = await startPostgres();
  postgres = server;
  const distributed: DatabaseKind = { name: 'PostgreSQL', newDatabase: () => server.newDatabase() };
  const databases = [sqlite, await measure(distributed, helpers)];
  const standstill = await timeStandstill([SQLITE, distributed], helpers.upstream, {
    count: SIZES.waiting,
    ms: SIZES.stillMs,
  });
  say('standstill');
  return report({ databases, standstill }, SIZES, !IS_QUICK);
}

async function measure(kind: DatabaseKind, helpers: { upstream: Running; watchers: Running }): Promise<DatabaseRuns> {
  const { name } = kind;
  const { rounds } = SIZES;
  const { latencies, twoNodes } = await measureLatencies(kind, helpers.upstream);
  say(`${name}: latencies`);
  const resumes = await timeResumes(kind, helpers.upstream, SIZES.resumes);
  say(`${name}: resumes`);
  const waves = await timeWaves(kind, helpers, SIZES.waves[name]);
  say(`${name}: waves`);
  const overhead = await timeOverhead(kind, helpers.upstream, rounds);
  say(`${name}: overhead`);
  const many = await timeMany(kind, helpers.upstream, { count: SIZES.finished, rounds });
  say(`${name}: many`);
  return { name, latencies, twoNodes, resumes, waves, overhead, many };
}

/** Of one server, and on PostgreSQL of two. */
async function measureLatencies(
  kind: DatabaseKind,
  upstream: Running,
): Promise<{ latencies: Latencies; twoNodes: TwoNodeLatencies | undefined }> {
  const place = await newPlace(kind);
  const server = await startNode(place, upstream.url);
  const client = new RunClient(server.url);
  const latencies = await timeLatencies(client, place.workspace, SIZES.rounds);
  let twoNodes: TwoNodeLatencies | undefined;
  if (kind.name === 'PostgreSQL') {
    const other = await startNode(anotherHome(place), upstream.url);
    const otherClient = new RunClient(other.url);
    twoNodes = await timeTwoNodes(client, otherClient, place.workspace, SIZES.rounds);
    await otherClient.close();
    await other.stop();
  }
  await client.close();
  await server.stop();
  rmSync(place.home, { recursive: true, force: true });
  return { latencies, twoNodes };
}

function say(what: string): void {
  console.log(`${Math.round((performance.now() - began) / 1000)} s: ${what}`);
}
