import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perMinute } from '../limits/bucket.ts';
import { MemoryLimiter } from '../limits/memory-limiter.ts';
import type { Standing } from '../limits/verdict.ts';
import { rateHeaders } from './rate-headers.ts';

const KEY: Standing = { name: 'key:k', policy: 'key', limit: 60, perMinute: 60, remaining: 50, resetMs: 29_001 };
const USER: Standing = { name: 'user:u', policy: 'user', limit: 600, perMinute: 600, remaining: 400, resetMs: 20_000 };

/** Lists of strings with whole numbers as parameters, as RFC 9651 wants them. */
const POLICIES = /^"[ !#-[\]-~]*";q=\d{1,15};w=[1-9]\d{0,14}(, "[ !#-[\]-~]*";q=\d{1,15};w=[1-9]\d{0,14})*$/;
const LIMIT = /^"[ !#-[\]-~]*";r=\d{1,15};t=\d{1,15}$/;

describe('rate limit headers', () => {
  it('tell the policy and how it stands', () => {
    expect(rateHeaders({ standings: [KEY] })).toEqual({
      'ratelimit-policy': '"key";q=60;w=60',
      ratelimit: '"key";r=50;t=30',
    });
  });

  it('tell of the bucket with the least share left, and of all policies', () => {
    const policies = '"user";q=600;w=60, "key";q=60;w=60';
    expect(rateHeaders({ standings: [USER, KEY] })).toEqual({
      'ratelimit-policy': policies,
      ratelimit: '"user";r=400;t=20',
    });
    const scarce = { ...KEY, remaining: 39 };
    expect(rateHeaders({ standings: [USER, scarce] })).toEqual({
      'ratelimit-policy': policies,
      ratelimit: '"key";r=39;t=30',
    });
  });

  it('tell of the bucket that refused, even if another has nothing left either', () => {
    const empty = { ...KEY, remaining: 0 };
    const refused = { ...USER, remaining: 0, resetMs: 1 };
    expect(rateHeaders({ standings: [empty, refused], refused }).ratelimit).toBe('"user";r=0;t=1');
  });

  it('give the time in which the whole capacity comes, where that is not a minute', () => {
    const { 'ratelimit-policy': policy } = rateHeaders({ standings: [{ ...KEY, limit: 10, remaining: 5 }] });
    expect(policy).toBe('"key";q=10;w=10');
  });

  it('name a policy once that counts twice', () => {
    const both = ['address:a', 'account:a'].map(
      (whose) => ({ ...KEY, policy: 'login', name: `login:${whose}` }) as const,
    );
    expect(rateHeaders({ standings: both })['ratelimit-policy']).toBe('"login";q=60;w=60');
  });

  it('are none where nothing was counted', () => {
    expect(rateHeaders({ standings: [] })).toEqual({});
  });

  it('are well formed whatever the limits and the time', async () => {
    const Limit = fc.integer({ min: 1, max: 1_000_000 });
    const property = fc.asyncProperty(
      fc.array(fc.tuple(Limit, Limit), { minLength: 1, maxLength: 3 }),
      fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { minLength: 1, maxLength: 10 }),
      async (limits, steps) => {
        let now = 0;
        const limiter = new MemoryLimiter(() => now);
        const policies = ['key', 'user', 'verify'] as const;
        const buckets = limits.map(([capacity, rate], i) => ({
          ...perMinute(policies[i] ?? 'login', 'x', rate),
          capacity,
        }));
        for (const step of steps) {
          now += step;
          const headers = rateHeaders(await limiter.take(buckets));
          expect(headers['ratelimit-policy']).toMatch(POLICIES);
          expect(headers.ratelimit).toMatch(LIMIT);
        }
      },
    );
    await fc.assert(property);
  });
});
