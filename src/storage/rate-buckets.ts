import { type Kysely, type RawBuilder, sql } from 'kysely';
import { databaseNow, isAmong, isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';

/** A bucket from which a token is asked: how long a token, and a full bucket, takes to come, in milliseconds. */
export interface AskedBucket {
  name: string;
  tokenMs: number;
  bucketMs: number;
}

/** How the buckets stood before: when each will be full, by name, and what time it is, in the database's milliseconds. */
export interface BucketsBefore {
  now: number;
  fullAt: ReadonlyMap<string, number>;
}

interface BucketRow {
  name: string;
  full_at: number;
  now: number;
}

/**
 * Takes a token from each of the buckets (≥ 1, all names different) or, if one has none, from no bucket. On PostgreSQL
 * in one statement, which locks the rows in the order of their names.
 * @returns how they stood, from which follows what was done: `full_at + tokenMs - bucketMs <= now` of each allows it.
 */
export async function takeFromBuckets(db: Kysely<Schema>, asked: readonly AskedBucket[]): Promise<BucketsBefore> {
  if (!isPostgres(db)) return await db.transaction().execute((tx) => takeInTransaction(tx, asked));
  for (;;) {
    const { rows } = await sql<BucketRow>`
      ${judged(db, asked, databaseNow(db), sql`order by name for update`)}, taken as (${TAKE})
      select name, full_at, now from judged`.execute(db);
    if (rows.length === asked.length) return toBefore(rows);
    // A row that is not there cannot be locked. The sweep may take it again, but not time after time.
    await addMissing(db, asked);
  }
}

/** Removes buckets that are full, at most `limit` (≥ 1) of them. @returns how many it removed. */
export async function removeFullBuckets(db: Kysely<Schema>, limit: number): Promise<number> {
  const full = db
    .selectFrom('rate_buckets')
    .select('name')
    .where('full_at', '<=', databaseNow(db))
    .orderBy('full_at')
    .limit(limit);
  const { numDeletedRows } = await db
    .deleteFrom('rate_buckets')
    // One from which somebody takes at this moment is not waited for.
    .where('name', 'in', isPostgres(db) ? full.forUpdate().skipLocked() : full)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function takeInTransaction(tx: Kysely<Schema>, asked: readonly AskedBucket[]): Promise<BucketsBefore> {
  await addMissing(tx, asked);
  const clock = await sql<{ now: number }>`select ${databaseNow(tx)} as now`.execute(tx);
  // Two statements, one time.
  const judgement = judged(tx, asked, sql`${clock.rows[0]?.now ?? 0}`, sql``);
  const { rows } = await sql<BucketRow>`${judgement} select name, full_at, now from judged`.execute(tx);
  await sql`${judgement} ${TAKE}`.execute(tx);
  return toBefore(rows);
}

/** The beginning of a statement: the buckets as they stand, and whether each has a token. */
function judged(
  db: Kysely<Schema>,
  asked: readonly AskedBucket[],
  now: RawBuilder<number>,
  lock: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const names = asked.map(({ name }) => name);
  const values = asked.map(
    ({ name, tokenMs, bucketMs }) =>
      sql`(${name}, cast(${tokenMs} as double precision), cast(${bucketMs} as double precision))`,
  );
  return sql`
    with asked (name, token_ms, bucket_ms) as (values ${sql.join(values)}),
    held as (select name, full_at from rate_buckets where ${isAmong(db, 'name', names)} ${lock}),
    counted as (
      select name, full_at, token_ms, bucket_ms, ${now} as now,
        max(full_at + token_ms - bucket_ms) over () as free_at, count(*) over () as found
      from held join asked using (name)
    ),
    judged as (select counted.*, free_at <= now and found = ${sql.lit(asked.length)} as is_free from counted)`;
}

/** Also brings back to empty what a clock that was set back, or a limit that was changed, has left emptier than that. */
const TAKE = sql`
  update rate_buckets set full_at = case
    when not is_free then now + bucket_ms
    when judged.full_at > now then judged.full_at + token_ms
    else now + token_ms
  end
  from judged where rate_buckets.name = judged.name and (is_free or judged.full_at > now + bucket_ms)`;

async function addMissing(db: Kysely<Schema>, asked: readonly AskedBucket[]): Promise<void> {
  const names = asked.map(({ name }) => name).toSorted();
  await db
    .insertInto('rate_buckets')
    .values(names.map((name) => ({ name, full_at: databaseNow(db) })))
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
}

function toBefore(rows: readonly BucketRow[]): BucketsBefore {
  return { now: rows[0]?.now ?? 0, fullAt: new Map(rows.map(({ name, full_at }) => [name, full_at])) };
}
