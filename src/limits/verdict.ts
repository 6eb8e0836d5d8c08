import { type Bucket, look, type Policy, take } from './bucket.ts';

/** How a bucket stands after a request; `limit` is its capacity. */
export interface Standing {
  name: string;
  policy: Policy;
  limit: number;
  perMinute: number;
  remaining: number;
  /** Until it is full again; of one that refused, until it lets a request through. */
  resetMs: number;
}

/** What became of a request: of several buckets that refuse it, `refused` is the one that does so for longest. */
export interface Verdict {
  /** Of all buckets that were asked, in their order. */
  standings: Standing[];
  refused?: Standing;
}

/**
 * Takes a token from every bucket or, if one has none, from no bucket.
 * @param fullAt what is kept of the buckets, by name. @param now in milliseconds.
 * @returns also what to keep of those that have changed.
 */
export function judge(
  buckets: readonly Bucket[],
  fullAt: ReadonlyMap<string, number>,
  now: number,
): { verdict: Verdict; changes: ReadonlyMap<string, number> } {
  const takings = buckets.map((bucket) => ({ bucket, taking: take(fullAt.get(bucket.name), bucket, now) }));
  const isRefused = takings.some(({ taking }) => !taking.isAllowed);
  const standings: Standing[] = [];
  const changes = new Map<string, number>();
  let refused: Standing | undefined;
  for (const { bucket, taking } of takings) {
    if (!taking.isAllowed) {
      const standing = standingOf(bucket, 0, taking.waitMs);
      standings.push(standing);
      if (!refused || refused.resetMs < standing.resetMs) refused = standing;
      if (taking.fullAt !== fullAt.get(bucket.name)) changes.set(bucket.name, taking.fullAt);
    } else if (isRefused) {
      const { remaining, fullInMs } = look(fullAt.get(bucket.name), bucket, now);
      standings.push(standingOf(bucket, remaining, fullInMs));
    } else {
      standings.push(standingOf(bucket, taking.remaining, taking.fullInMs));
      changes.set(bucket.name, taking.fullAt);
    }
  }
  return { verdict: refused ? { standings, refused } : { standings }, changes };
}

function standingOf({ name, policy, capacity, perMinute }: Bucket, remaining: number, resetMs: number): Standing {
  return { name, policy, limit: capacity, perMinute, remaining, resetMs };
}
