import type { Database } from '../storage/database.ts';
import type { Bucket } from './bucket.ts';
import { MemoryLimiter } from './memory-limiter.ts';
import { StoredLimiter } from './stored-limiter.ts';
import type { Verdict } from './verdict.ts';

/** Counts requests against buckets. */
export interface RateLimiter {
  /**
   * Takes a token from each bucket or, if one refuses, from none. Each must have a name of its own; no buckets allow
   * everything and cost nothing.
   */
  take(buckets: readonly Bucket[]): Promise<Verdict>;
}

/** The limiter that is exact for this database: on SQLite there is one process, on PostgreSQL there may be many. */
export function rateLimiterFor({ kind, db }: Database): RateLimiter {
  return kind === 'sqlite' ? new MemoryLimiter() : new StoredLimiter(db);
}
