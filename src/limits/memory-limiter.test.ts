import { describe, expect, it } from 'vitest';
import { perMinute } from './bucket.ts';
import { MemoryLimiter } from './memory-limiter.ts';

describe('a limiter in memory', () => {
  it('takes from all buckets or from none', async () => {
    let now = 0;
    const limiter = new MemoryLimiter(() => now);
    const [wide, narrow] = [perMinute('user', 'anna', 60), perMinute('key', 'k', 2)];
    const levels = async (...buckets: (typeof wide)[]) => {
      const { standings, refused } = await limiter.take(buckets);
      return { left: standings.map(({ remaining }) => remaining), refused: refused?.policy };
    };
    expect(await levels(wide, narrow)).toEqual({ left: [59, 1], refused: undefined });
    expect(await levels(wide, narrow)).toEqual({ left: [58, 0], refused: undefined });
    for (let i = 0; i < 5; i++) expect(await levels(narrow, wide)).toEqual({ left: [0, 58], refused: 'key' });
    expect(await levels(wide)).toEqual({ left: [57], refused: undefined });
    now += 30_000;
    expect(await levels(wide, narrow)).toEqual({ left: [59, 0], refused: undefined });
  });

  it('says how each bucket stands', async () => {
    const limiter = new MemoryLimiter(() => 5000.75);
    const [user, key] = [perMinute('user', 'anna', 60), { ...perMinute('key', 'k', 6), capacity: 1 }];
    const ofUser = { name: 'user:anna', policy: 'user', limit: 60, perMinute: 60 };
    const ofKey = { name: 'key:k', policy: 'key', limit: 1, perMinute: 6 };
    expect(await limiter.take([user, key])).toEqual({
      standings: [
        { ...ofUser, remaining: 59, resetMs: 1000 },
        { ...ofKey, remaining: 0, resetMs: 10_000 },
      ],
    });
    const refused = { ...ofKey, remaining: 0, resetMs: 10_000 };
    expect(await limiter.take([user, key])).toEqual({
      standings: [{ ...ofUser, remaining: 59, resetMs: 1000 }, refused],
      refused,
    });
  });

  it('names the bucket that refuses for longest', async () => {
    const limiter = new MemoryLimiter(() => 0);
    const buckets = [perMinute('key', 'k', 2), perMinute('user', 'u', 1), perMinute('address', 'a', 4)];
    for (const bucket of buckets) for (let i = 0; i < bucket.capacity; i++) await limiter.take([bucket]);
    expect((await limiter.take(buckets)).refused?.policy).toBe('user');
    expect((await limiter.take(buckets.toReversed())).refused?.policy).toBe('user');
  });

  it('allows everything without a bucket, and keeps nothing of it', async () => {
    const limiter = new MemoryLimiter(() => 0);
    expect(await limiter.take([])).toEqual({ standings: [] });
    expect(limiter.size).toBe(0);
  });

  it('forgets full buckets: a hundred thousand addresses do not stay', async () => {
    let now = 0;
    const limiter = new MemoryLimiter(() => now);
    let most = 0;
    // A thousand new ones in the second that each takes to be full.
    for (let i = 0; i < 100_000; i++) {
      now++;
      await limiter.take([perMinute('address', String(i), 60)]);
      most = Math.max(most, limiter.size);
    }
    expect(most).toBeGreaterThan(1000);
    expect(most).toBeLessThan(2100);
  });

  it('forgets no bucket that is not full, however many come', async () => {
    let now = 0;
    const limiter = new MemoryLimiter(() => now);
    const slow = perMinute('address', 'slow', 1);
    await limiter.take([slow]);
    for (let i = 0; i < 50_000; i++) {
      now++;
      await limiter.take([perMinute('address', String(i), 60)]);
    }
    expect((await limiter.take([slow])).refused?.resetMs).toBe(10_000);
    now += 10_000;
    expect((await limiter.take([slow])).refused).toBeUndefined();
  });
});
