import type { Kysely } from 'kysely';
import pino from 'pino';
import { newId } from '../../src/core/ids.ts';
import { BackOff } from '../../src/limits/back-off.ts';
import { perMinute } from '../../src/limits/bucket.ts';
import { Budgets } from '../../src/limits/budget.ts';
import { StoredLimiter } from '../../src/limits/stored-limiter.ts';
import { insertAccount } from '../../src/storage/accounts.ts';
import { deleteKey, findKey, insertKey, type KeyRow, listKeys, touchKey } from '../../src/storage/api-keys.ts';
import { appendAudit, listAudit } from '../../src/storage/audit.ts';
import { releaseExpiredHolds, renewHolds } from '../../src/storage/budget-holds.ts';
import { setBudget } from '../../src/storage/budgets.ts';
import { removeOldFailures } from '../../src/storage/login-failures.ts';
import { removeFullBuckets } from '../../src/storage/rate-buckets.ts';
import { timestamp } from '../../src/storage/rows.ts';
import type { Schema } from '../../src/storage/schema.ts';
import {
  deleteSessionByHash,
  deleteSessions,
  findSession,
  insertSession,
  listSessions,
  removeExpiredSessions,
  type SessionRow,
  touchSession,
} from '../../src/storage/sessions.ts';

const OWNERS = 20;
const EACH = 50;

function keyOf(owner: string, n: number): KeyRow {
  const common = { owner, account: null, hint: 'profclaw_', name: 'Key', scopes: '["chat"]', rate_limit: null };
  const times = { created_at: timestamp(), expires_at: null, last_used_at: null };
  return { id: newId('key'), hash: `key-${owner}-${n}`, ...common, ...times };
}

function sessionOf(owner: string, n: number, expires_at: string): SessionRow {
  const now = timestamp();
  const common = { owner, account: null, address: '127.0.0.1', user_agent: 'test', created_at: now, last_seen_at: now };
  return { id: newId('session'), hash: `session-${owner}-${n}`, ...common, expires_at };
}

/** Some hundred keys, sessions, budgets, buckets and holds, of many owners. */
export async function seedAccess(db: Kysely<Schema>): Promise<void> {
  for (let o = 0; o < OWNERS; o++) {
    const owner = `owner-${o}`;
    await insertAccount(db, {
      id: owner,
      owner,
      email: `${owner}@a.example`,
      name: '',
      role: 'member',
      password_hash: '',
    });
    for (let n = 0; n < EACH; n++) {
      const key = keyOf(owner, n);
      await insertKey(db, key);
      await insertSession(db, sessionOf(owner, n, '2999-01-01T00:00:00.000Z'));
      await db.transaction().execute((tx) => setBudget(tx, owner, key.id, { tokens: 1000, period: 'day' }));
    }
  }
  const rows = Array.from({ length: OWNERS * EACH }, (_, n) => n);
  for (const n of rows) {
    const far = 4e12;
    const hold = { id: newId('hold'), subject: `s-${n}`, owner: 'owner-1', node: `n-${n}`, tokens: 1, cost: 1 };
    await db
      .insertInto('budget_holds')
      .values({ ...hold, expires_at: far })
      .execute();
    await db
      .insertInto('rate_buckets')
      .values({ name: `n-${n}`, full_at: far })
      .execute();
    await db
      .insertInto('login_failures')
      .values({ name: `n-${n}`, failures: 1, blocked_until: 0, last_at: far })
      .execute();
  }
}

/** What every request with a credential does, what logging in does, and what is done in the background. */
export async function runAccessPaths(db: Kysely<Schema>): Promise<void> {
  const owner = 'owner-3';
  const key = await findKey(db, 'key-owner-3-7');
  if (!key) throw new Error('the key is not found');
  await touchKey(db, key, timestamp());
  await listKeys(db, owner, { limit: 20, offset: 0 });
  const session = await findSession(db, 'session-owner-3-7');
  if (!session) throw new Error('the session is not found');
  await touchSession(db, session, { last_seen_at: timestamp(), expires_at: '2999-01-02T00:00:00.000Z' });
  await listSessions(db, owner);
  await deleteSessions(db, owner, { except: session.id, account: null });
  await deleteSessionByHash(db, 'session-owner-3-7');
  await removeExpiredSessions(db);

  const limiter = new StoredLimiter(db);
  await limiter.take([perMinute('key', 'one', 5), perMinute('user', 'two', 5)]);
  await removeFullBuckets(db, 100);
  const backOff = new BackOff(db);
  await backOff.attempt(['account:one', 'address:two']);
  await backOff.succeeded(['account:one', 'address:two']);
  await removeOldFailures(db, 100);

  const budgets = new Budgets(db, pino({ level: 'silent' }));
  const hold = await budgets.reserve(
    [key.id],
    owner,
    { model: 'demo/demo', tokens: 10, cost: 0 },
    AbortSignal.timeout(5000),
  );
  await renewHolds(db, 'n-5', ['hold'], 1000);
  await hold?.settle({ tokens: 5, cost: 0 });
  await releaseExpiredHolds(db);
  await budgets.stop();
  await deleteKey(db, owner, key.id);

  const common = { owner, actor: owner, credential: '', address: '', requestId: '' };
  for (let n = 0; n < 3; n++) await appendAudit(db, { ...common, action: 'key.create', target: '', outcome: 'done' });
  await listAudit(db, { limit: 2 });
  await listAudit(db, { limit: 2, before: 3 });
}
