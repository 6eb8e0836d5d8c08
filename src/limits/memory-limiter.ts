import type { Bucket } from './bucket.ts';
import { judge, type Verdict } from './verdict.ts';

/** For every bucket that is asked, so many of all are looked at: more than can be added, so that they do not pile up. */
const LOOKED_AT = 2;

/**
 * Buckets of this process. Full ones are forgotten, a few with every request, so that there are never more than about
 * twice as many as are not full.
 */
export class MemoryLimiter {
  readonly #now: () => number;
  readonly #fullAt = new Map<string, number>();
  /** Where the next look is; kept, since a Map's beginning is slow to find after many deletions. */
  #round = this.#fullAt.entries();

  /** @param now a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How many buckets are remembered. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Takes a token from each bucket or, if one refuses, from none. */
  take(buckets: readonly Bucket[]): Promise<Verdict> {
    const now = this.#now();
    const { verdict, changes } = judge(buckets, this.#fullAt, now);
    for (const [name, fullAt] of changes) this.#fullAt.set(name, fullAt);
    for (let i = 0; i < LOOKED_AT * buckets.length; i++) this.#forgetOne(now);
    return Promise.resolve(verdict);
  }

  #forgetOne(now: number): void {
    const { value, done } = this.#round.next();
    if (done) {
      this.#round = this.#fullAt.entries();
      return;
    }
    const [name, fullAt] = value;
    if (fullAt <= now) this.#fullAt.delete(name);
  }
}
