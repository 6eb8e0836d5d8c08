import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bucket, look, refillOf, take } from './bucket.ts';

const bucketOf = (capacity: number, perMinute: number): Bucket => ({
  name: 'key:k',
  policy: 'key',
  capacity,
  perMinute,
});

const AnyBucket = fc
  .record({
    capacity: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 100_000 })),
    perMinute: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 100_000 })),
  })
  .map(({ capacity, perMinute }) => bucketOf(capacity, perMinute));

/** Where a clock may stand: at a start, today, in a hundred years; and its fractions. */
const Start = fc.oneof(
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.double({ min: 1.7e12, max: 5e12, noNaN: true }),
);

/** Steps of the clock, in parts of the time that a token takes. */
const Steps = fc.array(fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 3, noNaN: true })), {
  maxLength: 60,
});

describe('a token bucket', () => {
  it('lets its capacity through at once, then one each time that a token has come', () => {
    const bucket = bucketOf(3, 60);
    let fullAt: number | undefined;
    const taken = [0, 0, 0, 0, 999, 1000, 1000, 2500, 3000].map((now) => {
      const taking = take(fullAt, bucket, now);
      fullAt = taking.fullAt;
      return taking.isAllowed ? [taking.remaining, taking.fullInMs] : `wait ${taking.waitMs}`;
    });
    expect(taken).toEqual([
      [2, 1000],
      [1, 2000],
      [0, 3000],
      'wait 1000',
      'wait 1',
      [0, 3000],
      'wait 1000',
      [0, 2500],
      [0, 3000],
    ]);
  });

  it('never lets more through than its capacity and what has come meanwhile, in any window', () => {
    const property = fc.property(AnyBucket, Start, Steps, (bucket, start, steps) => {
      const passed: number[] = [];
      let now = start;
      let fullAt: number | undefined;
      for (const step of steps) {
        now += (step * 60_000) / bucket.perMinute;
        // As many at once as possible, but no more than can be counted.
        for (let i = 0; i < 15; i++) {
          const taking = take(fullAt, bucket, now);
          if (!taking.isAllowed) break;
          passed.push(now);
          fullAt = taking.fullAt;
        }
      }
      for (const [i, from] of passed.entries()) {
        for (let j = i; j < passed.length; j++) {
          const came = (((passed[j] ?? 0) - from) / 60_000) * bucket.perMinute;
          // The clock is read to a thousandth of a millisecond.
          if (j - i + 1 > bucket.capacity + came + 0.01) return false;
        }
      }
      return true;
    });
    fc.assert(property);
  });

  it('lets no more than its rate through in the long run, however fast', () => {
    const bucket = bucketOf(1, 99_991);
    let passed = 0;
    let fullAt: number | undefined;
    for (let now = 1.8e12; now < 1.8e12 + 60_000; ) {
      const taking = take(fullAt, bucket, now);
      fullAt = taking.fullAt;
      if (taking.isAllowed) passed++;
      else now += taking.waitMs;
    }
    expect(passed).toBeLessThanOrEqual(1 + 99_991);
    expect(passed).toBeGreaterThan(99_000);
  });

  it('lets all of its capacity through when it is full, whatever the rate and the time', () => {
    const property = fc.property(AnyBucket, Start, (bucket, now) => {
      let fullAt: number | undefined;
      const first = Math.min(bucket.capacity, 2000);
      for (let i = 1; i <= first; i++) {
        const taking = take(fullAt, bucket, now);
        if (!taking.isAllowed || taking.remaining !== bucket.capacity - i) return false;
        fullAt = taking.fullAt;
      }
      return first < bucket.capacity || !take(fullAt, bucket, now).isAllowed;
    });
    fc.assert(property);
  });

  it('lets one through after the wait that it names, and not before', () => {
    const Part = fc.double({ min: 0, max: 0.99, noNaN: true });
    const property = fc.property(AnyBucket, Start.map(Math.floor), Part, (bucket, now, part) => {
      const refused = take(now + refillOf(bucket).bucketMs, bucket, now);
      if (refused.isAllowed) return false;
      const before = take(refused.fullAt, bucket, now + part * refused.waitMs);
      return !before.isAllowed && take(refused.fullAt, bucket, now + refused.waitMs).isAllowed;
    });
    fc.assert(property);
  });

  it('is full again when it says so', () => {
    const property = fc.property(AnyBucket, Start, fc.integer({ min: 1, max: 30 }), (bucket, now, takes) => {
      let fullAt: number | undefined;
      for (let i = 0; i < takes; i++) fullAt = take(fullAt, bucket, now).fullAt;
      const { fullInMs } = look(fullAt, bucket, now);
      const full = look(fullAt, bucket, now + fullInMs);
      return fullInMs > 0 && full.remaining === bucket.capacity && full.fullInMs === 0;
    });
    fc.assert(property);
  });

  it('lets no more through when its clock is set back, and does not keep anybody waiting for long', () => {
    const Move = fc.double({ min: -50, max: 5, noNaN: true });
    const property = fc.property(AnyBucket, fc.array(Move, { maxLength: 100 }), (bucket, moves) => {
      const { tokenMs } = refillOf(bucket);
      let now = 1.8e12;
      let fullAt: number | undefined;
      let forward = 0;
      let passed = 0;
      for (const move of moves) {
        now += move * tokenMs;
        forward += Math.max(0, move);
        for (let i = 0; i < 3; i++) {
          const taking = take(fullAt, bucket, now);
          fullAt = taking.fullAt;
          if (taking.isAllowed) passed++;
          else if (taking.waitMs > tokenMs) return false;
        }
      }
      return passed <= bucket.capacity + forward + 0.001;
    });
    fc.assert(property);
  });

  it('counts by its new limit at once when that was changed', () => {
    const [large, small] = [bucketOf(60, 1), bucketOf(60, 60)];
    let fullAt: number | undefined;
    for (let i = 0; i < 60; i++) fullAt = take(fullAt, large, 0).fullAt;
    expect(fullAt).toBe(3_600_000);
    const refused = take(fullAt, small, 0);
    expect(refused).toEqual({ isAllowed: false, fullAt: 60_000, waitMs: 1000 });
    expect(take(refused.fullAt, small, 1000).isAllowed).toBe(true);
  });
});
