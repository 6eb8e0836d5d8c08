import { type Kysely, type RawBuilder, sql } from 'kysely';
import { newToken, tokenOf } from '../core/ids.ts';
import { databaseNow, isAmong, isOf, isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';

/** How long a try has its key without renewing it: after this much silence it counts as dead. */
const LEASE_MS = 15_000;

/** How long an answer, or the token of a failed or dead try, is kept. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Whose key it is, and for what: `route` is method and path. */
export interface KeyName {
  owner: string;
  route: string;
  key: string;
}

/** One attempt at a keyed request. */
export interface KeyedTry extends KeyName {
  /** Of what is asked: a key stands for one request only. */
  fingerprint: string;
  /** A name that no other try has. */
  node: string;
}

/** A successful answer as it is sent again. */
export interface StoredAnswer {
  status: number;
  contentType: string;
  text: string;
}

/** What became of a claim: `won` must be finished or released, and renewed until then. */
export type Claim =
  | { state: 'won'; token: string }
  | { state: 'running'; token: string | undefined }
  | { state: 'finished'; answer: StoredAnswer }
  | { state: 'mismatch' };

/**
 * Claims a key that is new, or whose last try failed or died; of several tries one wins. Its `token` is then the one of
 * the first try, so that the ids made of it are too.
 */
export async function claimKey(db: Kysely<Schema>, attempt: KeyedTry): Promise<Claim> {
  const { owner, route, key, fingerprint, node } = attempt;
  const claimed = await db
    .insertInto('idempotency_keys')
    .values({ owner, route, key, fingerprint, node, token: newToken(), expires_at: after(db, LEASE_MS) })
    .onConflict((conflict) =>
      conflict
        .columns(['owner', 'route', 'key'])
        .doUpdateSet((set) => ({
          node,
          fingerprint,
          expires_at: set.ref('excluded.expires_at'),
          status: null,
          content_type: null,
          answer: null,
          token: set
            .case()
            .when('idempotency_keys.expires_at', '<=', after(db, -KEPT_MS))
            .then(set.ref('excluded.token'))
            .else(set.ref('idempotency_keys.token'))
            .end(),
        }))
        .where((is) =>
          is.or([
            is('idempotency_keys.expires_at', '<=', after(db, -KEPT_MS)),
            is.and([
              is('idempotency_keys.status', 'is', null),
              is('idempotency_keys.fingerprint', '=', fingerprint),
              is('idempotency_keys.expires_at', '<=', databaseNow(db)),
            ]),
          ]),
        ),
    )
    .returning('token')
    .executeTakeFirst();
  return claimed ? { state: 'won', token: claimed.token } : await readClaim(db, attempt);
}

/** Gives these tries (≥ 1) another lease, each by its `node`, unless another try has taken the key over. */
export async function renewKeys(db: Kysely<Schema>, nodes: string[]): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ expires_at: after(db, LEASE_MS) })
    .where('node', 'in', nodes)
    .where('status', 'is', null)
    // There is an index for it, and a day's answers need not be looked through.
    .where('expires_at', '>', after(db, -LEASE_MS))
    .execute();
}

/** Ends a try with its answer; without effect if it has lost its lease to another try. */
export async function finishKey(db: Kysely<Schema>, attempt: KeyedTry, answer: StoredAnswer): Promise<void> {
  const { status, contentType, text } = answer;
  await heldBy(db, attempt)
    .set({ status, content_type: contentType, answer: text, expires_at: databaseNow(db) })
    .execute();
}

/** Ends a try without an answer, so that the next one may begin at once; without effect like `finishKey`. */
export async function releaseKey(db: Kysely<Schema>, attempt: KeyedTry): Promise<void> {
  await heldBy(db, attempt)
    .set({ node: '', expires_at: databaseNow(db) })
    .execute();
}

/**
 * Forgets the keys of the requests that made what has these ids, and with them the answers: what was deleted must not be
 * given again.
 */
export async function forgetKeys(db: Kysely<Schema>, owner: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .deleteFrom('idempotency_keys')
    .where(isOf(owner))
    .where(isAmong(db, 'token', [...new Set(ids.map(tokenOf))]))
    .execute();
}

/** Removes keys a day after the end of their last try, at most `limit` (≥ 1) of them. Gives how many it removed. */
export async function removeExpiredKeys(db: Kysely<Schema>, limit: number): Promise<number> {
  const expired = db
    .selectFrom('idempotency_keys')
    .select(['owner', 'route', 'key'])
    .where('expires_at', '<=', after(db, -KEPT_MS))
    .orderBy('expires_at')
    .limit(limit);
  // What another process is removing at this moment is not waited for: two that did could wait for each other.
  const mine = isPostgres(db) ? expired.forUpdate().skipLocked() : expired;
  const { numDeletedRows } = await db
    .deleteFrom('idempotency_keys')
    .where((is) => is(is.refTuple('owner', 'route', 'key'), 'in', mine.$asTuple('owner', 'route', 'key')))
    // PostgreSQL asks only this again of a row that was claimed anew in the meantime.
    .where('expires_at', '<=', after(db, -KEPT_MS))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function readClaim(db: Kysely<Schema>, attempt: KeyedTry): Promise<Claim> {
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'token', 'status', 'content_type', 'answer'])
    .where('owner', '=', attempt.owner)
    .where('route', '=', attempt.route)
    .where('key', '=', attempt.key)
    .executeTakeFirst();
  // Between the two statements it may have become free, or have been removed: the next claim will tell.
  if (!row) return { state: 'running', token: undefined };
  if (row.fingerprint !== attempt.fingerprint) return { state: 'mismatch' };
  const { status, content_type: contentType, answer: text } = row;
  if (status === null || contentType === null || text === null) return { state: 'running', token: row.token };
  return { state: 'finished', answer: { status, contentType, text } };
}

function heldBy(db: Kysely<Schema>, { owner, route, key, node }: KeyedTry) {
  return db
    .updateTable('idempotency_keys')
    .where('owner', '=', owner)
    .where('route', '=', route)
    .where('key', '=', key)
    .where('node', '=', node)
    .where('status', 'is', null);
}

/** The database's time so many milliseconds from now. */
function after(db: Kysely<Schema>, ms: number): RawBuilder<number> {
  return sql<number>`${databaseNow(db)} + ${ms}`;
}
