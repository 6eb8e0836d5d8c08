import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import pino from 'pino';
import { replaceAccessKey } from '../src/auth/access-key.ts';
import { hashPassword } from '../src/auth/passwords.ts';
import { loadConfig } from '../src/config.ts';
import { startServer } from '../src/http/server.ts';
import { INTERFACE } from '../src/interface.ts';
import { BackOff } from '../src/limits/back-off.ts';
import { openServices } from '../src/open-services.ts';
import { openDatabase } from '../src/storage/database.ts';
import { openSecretKey } from '../src/storage/rotation.ts';
import type { Schema } from '../src/storage/schema.ts';
import { median } from './report.ts';

const TRIES = 400;
const WARM_UP = 20;
/** The usual bound of leakage tests: beyond it, two samples hardly come from one distribution (ISO/IEC 17825). */
const BOUND = 4.5;
/** Of each sample the slowest tenth is left out: there the machine did something else. */
const KEPT = 0.9;
const LIMIT_MS = 280_000;
const PASSWORD = 'nine lives of a cat';

/** One of the things that must look alike from outside. */
interface Kind {
  name: string;
  path: string;
  body: object;
  before?: () => Promise<void>;
}

/** Never pauses, so that every try is looked at. */
class NoBackOff extends BackOff {
  override attempt(): Promise<void> {
    return Promise.resolve();
  }
}

setTimeout(() => {
  console.error('bench: took too long');
  process.exit(1);
}, LIMIT_MS).unref();

const home = mkdtempSync(join(tmpdir(), 'profclaw-bench-'));
const config = loadConfig({ PORT: '0', PROFCLAW_HOME: home, OLLAMA_BASE_URL: 'http://127.0.0.1:9' });
const database = await openDatabase({ file: join(home, 'profclaw.db') });
const { db } = database;
const { services, close } = await openServices({
  config,
  database,
  secretKey: await openSecretKey({ db, home, fromEnvironment: undefined }),
  log: pino({ level: 'silent' }),
  version: 'bench',
});
const limiter = { take: () => Promise.resolve({ standings: [] }) };
const server = await startServer({ ...services, limiter, backOff: new NoBackOff(db) }, INTERFACE);
try {
  await makeAccounts(db);
  const login = await measure(
    ['unknown', 'wrong', 'disabled'].map((name) => ({
      name,
      path: '/api/auth/login',
      body: { email: `${name}@example.com`, password: 'wrong password' },
    })),
  );
  const hash = await hashPassword('access-key-0123456789');
  const verify = await measure(
    [undefined, { hash, isFromEnvironment: false }].map((key) => ({
      name: key ? 'wrong' : 'none set',
      path: '/api/auth/verify-access-key',
      body: { key: 'no-such-key-0123456789' },
      before: () => replaceAccessKey(db, key),
    })),
  );
  const isFine = [report('login', login), report('access key', verify)];
  if (isFine.includes(false)) process.exitCode = 1;
} finally {
  await server.stop();
  await close();
  await database.close();
  rmSync(home, { recursive: true, force: true });
}

/** An owner, who locks the server, and the two whose passwords are tried. */
async function makeAccounts(storage: Kysely<Schema>): Promise<void> {
  const now = new Date().toISOString();
  for (const name of ['owner', 'wrong', 'disabled']) {
    const row = {
      id: `usr_${name}`,
      owner: name,
      email: `${name}@example.com`,
      name,
      role: 'member' as const,
      status: name === 'disabled' ? ('disabled' as const) : ('active' as const),
      password_hash: await hashPassword(PASSWORD),
      rate_limit: null,
      created_at: now,
      updated_at: now,
      last_login_at: null,
    };
    await storage.insertInto('accounts').values(row).execute();
  }
}

/** How long each took, in milliseconds: one of each kind after the other, in an order that changes. */
async function measure(kinds: readonly Kind[]): Promise<Map<string, number[]>> {
  const times = new Map(kinds.map(({ name }) => [name, [] as number[]]));
  for (let i = 0; i < WARM_UP + TRIES; i++) {
    const order = kinds.map((_, index) => kinds[(index + i) % kinds.length] as Kind);
    for (const kind of i % 2 === 0 ? order : order.toReversed()) {
      await kind.before?.();
      const ms = await timeOf(kind);
      if (i >= WARM_UP) times.get(kind.name)?.push(ms);
    }
  }
  return times;
}

async function timeOf({ path, body }: Kind): Promise<number> {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  const began = performance.now();
  const answer = await fetch(server.url + path, { method: 'POST', headers, body: text });
  const ms = performance.now() - began;
  await answer.text();
  if (answer.status !== 401) throw new Error(`${path}: ${answer.status}`);
  return ms;
}

/** Prints medians, and Welch's t of each pair; false if one is beyond the bound. */
function report(what: string, times: ReadonlyMap<string, number[]>): boolean {
  const kinds = [...times].map(([name, all]) => ({ name, ms: kept(all) }));
  for (const { name, ms } of kinds)
    console.log(`${what}, ${name}: median ${median(ms).toFixed(3)} ms of ${ms.length} (of ${TRIES})`);
  let isFine = true;
  for (const [index, one] of kinds.entries())
    for (const other of kinds.slice(index + 1)) {
      const t = welch(one.ms, other.ms);
      isFine &&= Math.abs(t) < BOUND;
      console.log(`${what}, ${one.name} and ${other.name}: t = ${t.toFixed(2)} (bound ${BOUND})`);
    }
  return isFine;
}

function kept(all: readonly number[]): number[] {
  return all.toSorted((a, b) => a - b).slice(0, Math.floor(all.length * KEPT));
}

/** Welch's t: how far apart two means are, in standard errors. */
function welch(a: readonly number[], b: readonly number[]): number {
  return (mean(a) - mean(b)) / Math.sqrt(variance(a) / a.length + variance(b) / b.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}
