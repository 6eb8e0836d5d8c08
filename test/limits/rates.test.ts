import fc from 'fast-check';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bucket, perMinute } from '../../src/limits/bucket.ts';
import { MemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { rateLimiterFor } from '../../src/limits/rate-limiter.ts';
import { StoredLimiter } from '../../src/limits/stored-limiter.ts';
import type { Verdict } from '../../src/limits/verdict.ts';
import type { Database } from '../../src/storage/database.ts';
import { databaseNow } from '../../src/storage/dialect.ts';
import { removeFullBuckets } from '../../src/storage/rate-buckets.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { type Places, startPlaces } from './places.ts';

// Every bucket gets a token a minute or less here, so that the time that a test takes makes no difference.

let places: Places;
beforeAll(async () => {
  places = await startPlaces();
});
afterAll(() => places?.stop());

let names = 0;
const bucketOf = (capacity: number): Bucket => ({ ...perMinute('key', String(++names), 1), capacity });

/** Lets so much time pass, as far as buckets can tell. */
async function pass(db: Kysely<Schema>, ms: number): Promise<void> {
  await db
    .updateTable('rate_buckets')
    .set((is) => ({ full_at: is('full_at', '-', ms) }))
    .execute();
}

const passed = (verdicts: Verdict[]): number => verdicts.filter(({ refused }) => !refused).length;

it('is kept in memory on SQLite, where there is one process, and in the database on PostgreSQL', async () => {
  const [sqlite] = await places.open('sqlite', 1);
  const [postgres] = await places.open('postgres', 1);
  expect(rateLimiterFor(sqlite!)).toBeInstanceOf(MemoryLimiter);
  expect(rateLimiterFor(postgres!)).toBeInstanceOf(StoredLimiter);
});

describe.each(['sqlite', 'postgres'] as const)('buckets stored in %s', (kind) => {
  let nodes: Database[];
  let db: Kysely<Schema>;
  beforeAll(async () => {
    nodes = await places.open(kind, 3);
    db = nodes[0]!.db;
  });
  const limiters = () => nodes.map((node) => new StoredLimiter(node.db));
  const rows = async (...buckets: Bucket[]) => {
    const all = await db.selectFrom('rate_buckets').select(['name', 'full_at']).orderBy('name').execute();
    return all.filter(({ name }) => buckets.some((bucket) => bucket.name === name));
  };

  it('say the same as those in memory, whatever is asked when', async () => {
    const HALF_MINUTE = 30_000;
    const Asked = fc.subarray([0, 1, 2], { minLength: 0 }).chain((some) => fc.shuffledSubarray(some));
    const Step = fc.record({ halves: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 })), asked: Asked });
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
      fc.array(Step, { minLength: 5, maxLength: 25 }),
      async (capacities, steps) => {
        const buckets = capacities.map(bucketOf);
        let now = 0;
        const memory = new MemoryLimiter(() => now);
        const stored = new StoredLimiter(db);
        for (const { halves, asked } of steps) {
          now += halves * HALF_MINUTE;
          await pass(db, halves * HALF_MINUTE);
          const some = asked.map((i) => buckets[i]!);
          expect(inHalves(await stored.take(some))).toEqual(inHalves(await memory.take(some)));
        }
      },
    );
    /** Of the waits, and of which one is the longest, what a test that takes its time cannot change. */
    const inHalves = ({ standings, refused }: Verdict) => ({
      longest: refused && Math.ceil(refused.resetMs / HALF_MINUTE),
      standings: standings.map(({ resetMs, ...rest }) => ({ ...rest, halves: Math.ceil(resetMs / HALF_MINUTE) })),
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('let through exactly their capacity of 300 requests at once from three nodes', async () => {
    const bucket = bucketOf(50);
    const takes = limiters().flatMap((limiter) => Array.from({ length: 100 }, () => limiter.take([bucket])));
    const verdicts = await Promise.all(takes);
    expect(passed(verdicts)).toBe(50);
    const left = verdicts.flatMap(({ standings, refused }) => (refused ? [] : [standings[0]!.remaining]));
    expect(left.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('let through exactly what has come meanwhile, too', async () => {
    const bucket = bucketOf(50);
    const take = () => limiters().flatMap((limiter) => Array.from({ length: 30 }, () => limiter.take([bucket])));
    expect(passed(await Promise.all(take()))).toBe(50);
    await pass(db, 20 * 60_000);
    expect(passed(await Promise.all(take()))).toBe(20);
  });

  it('give all or nothing, also to many at once that name them in different orders', async () => {
    const [wide, narrow, other] = [bucketOf(60), bucketOf(20), bucketOf(100)];
    const orders = [
      [wide, narrow, other],
      [other, narrow, wide],
      [narrow, other, wide],
    ];
    const takes = limiters().flatMap((limiter) =>
      Array.from({ length: 60 }, (_, i) => limiter.take(orders[i % orders.length]!)),
    );
    const verdicts = await Promise.all(takes);
    expect(passed(verdicts)).toBe(20);
    for (const { refused } of verdicts) if (refused) expect(refused.name).toBe(narrow.name);
    const [first] = limiters();
    expect((await first!.take([wide])).standings[0]?.remaining).toBe(39);
    expect((await first!.take([other])).standings[0]?.remaining).toBe(79);
  });

  it('never wait for each other, whatever they have in common and whatever is removed meanwhile', async () => {
    // Full again after a millisecond, so that there is something to remove.
    const ring = Array.from({ length: 6 }, () => perMinute('user', String(++names), 60_000));
    const takes = limiters().flatMap((limiter, node) =>
      Array.from({ length: 100 }, async (_, i) => {
        if (i % 5 === 0) await removeFullBuckets(nodes[node]!.db, 3);
        const asked = [i, i + 1 + (i % 2), i + 3 + (i % 3)].map((at) => ring[at % ring.length]!);
        return await limiter.take(i % 2 === 0 ? asked : asked.toReversed());
      }),
    );
    expect(passed(await Promise.all(takes))).toBe(300);
  });

  it('are not written by a request that is refused', async () => {
    const [full, empty] = [bucketOf(3), bucketOf(1)];
    const [limiter] = limiters();
    expect((await limiter!.take([full, empty])).refused).toBeUndefined();
    const before = await rows(full, empty);
    expect(await limiter!.take([full, empty])).toMatchObject({
      refused: { name: empty.name, remaining: 0 },
      standings: [{ name: full.name, remaining: 2 }, { name: empty.name }],
    });
    expect(await rows(full, empty)).toEqual(before);
  });

  it('of a clock that was set back are empty, and fill up from then on', async () => {
    const bucket = bucketOf(3);
    const [limiter] = limiters();
    await limiter!.take([bucket]);
    await pass(db, -100 * 60_000);
    const { refused } = await limiter!.take([bucket]);
    expect(refused).toMatchObject({ remaining: 0, resetMs: 60_000 });
    await pass(db, 60_000);
    expect((await limiter!.take([bucket])).refused).toBeUndefined();
    expect((await limiter!.take([bucket])).refused).toBeDefined();
  });

  it('are removed when they are full, those first that were full first, a few at a time', async () => {
    await db.deleteFrom('rate_buckets').execute();
    const fullIn = async (bucket: Bucket, ms: number) => {
      const full_at = sql<number>`${databaseNow(db)} + cast(${ms} as double precision)`;
      await db.insertInto('rate_buckets').values({ name: bucket.name, full_at }).execute();
    };
    const [later, latest, late, filling] = [bucketOf(9), bucketOf(9), bucketOf(9), bucketOf(9)];
    await fullIn(latest, -1);
    await fullIn(late, -3000.5);
    await fullIn(later, -2000);
    await fullIn(filling, 60_000);
    expect(await removeFullBuckets(db, 2)).toBe(2);
    expect((await rows(late, later, latest, filling)).map(({ name }) => name)).toEqual(
      [latest.name, filling.name].toSorted(),
    );
    expect(await removeFullBuckets(db, 2)).toBe(1);
    expect(await removeFullBuckets(db, 2)).toBe(0);
    expect(await rows(filling)).toHaveLength(1);
  });

  it.runIf(kind === 'postgres')('are not waited for by who removes them while somebody takes from them', async () => {
    await db.deleteFrom('rate_buckets').execute();
    const [used, unused] = [bucketOf(1).name, bucketOf(1).name];
    await db
      .insertInto('rate_buckets')
      .values([used, unused].map((name) => ({ name, full_at: 0 })))
      .execute();
    await nodes[1]!.db.transaction().execute(async (tx) => {
      await tx.selectFrom('rate_buckets').select('name').where('name', '=', used).forUpdate().execute();
      expect(await removeFullBuckets(db, 10)).toBe(1);
    });
    expect(await removeFullBuckets(db, 10)).toBe(1);
  });

  it('ask nothing of the database without a bucket', async () => {
    await nodes[2]!.close();
    const [first, , closed] = limiters();
    expect(await closed!.take([])).toEqual({ standings: [] });
    await expect(closed!.take([bucketOf(1)])).rejects.toThrow('destroyed');
    await expect(first!.take([bucketOf(1)])).resolves.toBeDefined();
  });
});
