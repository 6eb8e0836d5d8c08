/** What requests are limited by; also the names of the policies in the `RateLimit` headers. */
export type Policy = 'key' | 'user' | 'address' | 'login' | 'signup' | 'verify';

/**
 * A token bucket, from which every request takes one token. It is full at first, holds at most `capacity` (as many
 * requests may come at once), and gets `perMinute` new ones a minute, evenly; both are whole numbers ≥ 1. Who has the
 * same `name` has the same bucket.
 */
export interface Bucket {
  name: string;
  policy: Policy;
  capacity: number;
  perMinute: number;
}

/** How a bucket stands, after a request or without one: whole tokens, and how long until it is full, in milliseconds. */
export interface Level {
  remaining: number;
  fullInMs: number;
}

/** What became of a request. All that is kept of a bucket is `fullAt`: when it will be full again, on the caller's clock. */
export type Taking =
  | ({ isAllowed: true; fullAt: number } & Level)
  /** `waitMs`: until there is a token. `fullAt` is what was given, unless that is more than an empty bucket needs. */
  | { isAllowed: false; fullAt: number; waitMs: number };

/** Times are multiples of this part of a millisecond, so that sums of them are exact and every node counts alike. */
const PARTS = 1024;

/** The bucket of one key, account or address: up to `limit` requests at once, and as many a minute. */
export function perMinute(policy: Policy, whose: string, limit: number): Bucket {
  return { name: `${policy}:${whose}`, policy, capacity: limit, perMinute: limit };
}

/** How long one token takes to come, and a full bucket, in milliseconds. */
export function refillOf({ capacity, perMinute: rate }: Bucket): { tokenMs: number; bucketMs: number } {
  // Rounded up: a little less than the rate, never more.
  const tokenMs = Math.ceil((60_000 / rate) * PARTS) / PARTS;
  return { tokenMs, bucketMs: capacity * tokenMs };
}

/**
 * Takes a token, if there is one: the generic cell rate algorithm, whose one number stands for the bucket.
 * @param fullAt what was kept of the bucket, undefined for nothing: it is full.
 * @param now in milliseconds. A clock that is set back lets nobody through who would not have been before.
 */
export function take(fullAt: number | undefined, bucket: Bucket, now: number): Taking {
  const { tokenMs, bucketMs } = refillOf(bucket);
  const at = roundDown(now);
  const { fullInMs } = look(fullAt, bucket, now);
  const after = fullInMs + tokenMs;
  if (after > bucketMs) return { isAllowed: false, fullAt: at + fullInMs, waitMs: after - bucketMs };
  return { isAllowed: true, fullAt: at + after, fullInMs: after, remaining: Math.floor((bucketMs - after) / tokenMs) };
}

/** How a bucket stands when nothing is taken. Parameters like `take`. */
export function look(fullAt: number | undefined, bucket: Bucket, now: number): Level {
  const { tokenMs, bucketMs } = refillOf(bucket);
  const at = roundDown(now);
  // Emptier than empty is only one that was filled by another clock, or before its limit was changed.
  const fullInMs = Math.min(Math.max(0, (fullAt ?? at) - at), bucketMs);
  return { fullInMs, remaining: Math.floor((bucketMs - fullInMs) / tokenMs) };
}

function roundDown(ms: number): number {
  return Math.floor(ms * PARTS) / PARTS;
}
