import type { Kysely } from 'kysely';
import { takeFromBuckets } from '../storage/rate-buckets.ts';
import type { Schema } from '../storage/schema.ts';
import { type Bucket, refillOf } from './bucket.ts';
import { judge, type Verdict } from './verdict.ts';

/** Buckets in the database, exact for every process that works with it, by the database's clock. */
export class StoredLimiter {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** Takes a token from each bucket or, if one refuses, from none. */
  async take(buckets: readonly Bucket[]): Promise<Verdict> {
    if (buckets.length === 0) return { standings: [] };
    const asked = buckets.map((bucket) => ({ name: bucket.name, ...refillOf(bucket) }));
    const { now, fullAt } = await takeFromBuckets(this.#db, asked);
    // The database has decided by the same sums.
    return judge(buckets, fullAt, now).verdict;
  }
}
