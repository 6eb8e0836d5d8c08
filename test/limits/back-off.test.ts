import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackOff, type FailureName } from '../../src/limits/back-off.ts';
import type { Database } from '../../src/storage/database.ts';
import { databaseNow } from '../../src/storage/dialect.ts';
import { countFailure, removeOldFailures } from '../../src/storage/login-failures.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { type Places, startPlaces } from './places.ts';

const HOUR = 3_600_000;

let places: Places;
beforeAll(async () => {
  places = await startPlaces();
});
afterAll(() => places?.stop());

let names = 0;
const newAccount = (): FailureName => `account:${++names}@example.com`;
const newAddress = (): FailureName => `address:192.0.2.${++names}`;

describe.each(['sqlite', 'postgres'] as const)('back-off on %s', (kind) => {
  let nodes: Database[];
  let db: Kysely<Schema>;
  let backOffs: BackOff[];
  let backOff: BackOff;
  beforeAll(async () => {
    nodes = await places.open(kind, 2);
    db = nodes[0]!.db;
    backOffs = nodes.map((node) => new BackOff(node.db));
    backOff = backOffs[0]!;
  });

  const row = async (name: FailureName) => {
    const found = await db.selectFrom('login_failures').selectAll().where('name', '=', name).executeTakeFirst();
    return found && { ...found, pause: Math.max(0, found.blocked_until - found.last_at) };
  };
  /** Lets so much time pass, as far as one name can tell. */
  const pass = (name: FailureName, ms: number) =>
    db
      .updateTable('login_failures')
      .set((is) => ({ blocked_until: is('blocked_until', '-', ms), last_at: is('last_at', '-', ms) }))
      .where('name', '=', name)
      .execute();
  /** Attempts that are not told to be right, one after the other, without the pauses between. */
  const fail = async (times: number, ...some: FailureName[]) => {
    for (let i = 0; i < times; i++) {
      await backOff.attempt(some);
      for (const name of some) await pass(name, (await row(name))!.pause);
    }
  };
  const refusal = (...some: FailureName[]) =>
    backOff.attempt(some).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('lets five failures be, then makes pauses that double', async () => {
    const [account, address] = [newAccount(), newAddress()];
    const pauses: unknown[] = [];
    for (let i = 0; i < 17; i++) {
      await backOff.attempt([address, account]);
      const both = [(await row(account))!, (await row(address))!];
      pauses.push(both.map(({ pause }) => pause / 1000));
      for (const [j, name] of [account, address].entries()) await pass(name, both[j]!.pause);
    }
    const same = [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32].map((seconds) => [seconds, seconds]);
    expect(pauses).toEqual([...same, [60, 64], [60, 128], [60, 256], [60, 512], [60, 900], [60, 900]]);
  });

  it('refuses an attempt until the pause is over, without counting it, on every node', async () => {
    const account = newAccount();
    await fail(11, account);
    await backOff.attempt([account]);
    const before = await row(account);
    expect(before).toMatchObject({ failures: 12, pause: 60_000 });
    const seconds = expect.toBeOneOf([60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50]);
    for (const node of backOffs) {
      const refused = { code: 'rate_limited', retryAfter: seconds, message: expect.stringContaining('wrong tries') };
      await expect(node.attempt([account])).rejects.toMatchObject(refused);
    }
    expect(await row(account)).toEqual(before);
    await pass(account, 60_000);
    await backOffs[1]!.attempt([account]);
    expect(await row(account)).toMatchObject({ failures: 13, pause: 60_000 });
  });

  it('counts under all names or none, and names the longest pause', async () => {
    const [account, address, other] = [newAccount(), newAddress(), newAccount()];
    await fail(15, address);
    await backOff.attempt([address]);
    expect(await refusal(account, address)).toMatchObject({ message: expect.stringMatching(/in (900|8\d\d) s$/) });
    expect(await row(account)).toBeUndefined();
    await fail(11, other);
    await backOff.attempt([other]);
    expect(await refusal(other, address)).toMatchObject({ message: expect.stringMatching(/in (900|8\d\d) s$/) });
    expect(await row(other)).toMatchObject({ failures: 12 });
    expect(await row(address)).toMatchObject({ failures: 16 });
    await backOff.attempt([account]);
  });

  it('forgets the failures of names that succeed', async () => {
    const [account, address, other] = [newAccount(), newAddress(), newAccount()];
    await fail(7, account, address);
    await fail(3, other);
    await backOff.attempt([account, address]);
    await backOffs[1]!.succeeded([account, address]);
    expect(await row(account)).toBeUndefined();
    expect(await row(address)).toBeUndefined();
    expect(await row(other)).toMatchObject({ failures: 3 });
    for (let i = 0; i < 6; i++) await backOff.attempt([account, address]);
    expect(await row(account)).toMatchObject({ failures: 6, pause: 1000 });
  });

  it('counts a hundred failures at once exactly, from both nodes', async () => {
    const [account, address] = [newAccount(), newAddress()];
    const counts = Array.from({ length: 100 }, (_, i) => {
      const some = i % 2 === 0 ? [account, address] : [address, account];
      return countFailure(nodes[i % nodes.length]!.db, some, () => 0);
    });
    expect(new Set(await Promise.all(counts))).toEqual(new Set([0]));
    expect(await row(account)).toMatchObject({ failures: 100 });
    expect(await row(address)).toMatchObject({ failures: 100 });
  });

  it('lets five and one attempts through of a hundred at once', async () => {
    const account = newAccount();
    // Longer than a test takes.
    const blockMs = (_: string, failures: number) => (failures > 5 ? HOUR : 0);
    const counts = Array.from({ length: 100 }, (_, i) => {
      const some = i % 2 === 0 ? [account, newAddress()] : [newAddress(), account];
      return countFailure(nodes[i % nodes.length]!.db, some, blockMs);
    });
    const waits = await Promise.all(counts);
    expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(6);
    expect(await row(account)).toMatchObject({ failures: 6 });
  });

  it('lets one through of a hundred that waited for the end of a pause', async () => {
    const account = newAccount();
    await fail(11, account);
    const attempts = Array.from({ length: 100 }, (_, i) => backOffs[i % nodes.length]!.attempt([account]));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await row(account)).toMatchObject({ failures: 12 });
  });

  it('waits for nobody in a circle when many fail and succeed at once', async () => {
    const ring = [newAccount(), newAddress(), newAccount(), newAddress()];
    const work = Array.from({ length: 120 }, async (_, i) => {
      const pair = [ring[i % 4]!, ring[(i + 1 + (i % 3)) % 4]!];
      const { db: node } = nodes[i % 2]!;
      if (i % 4 === 3) await new BackOff(node).succeeded(pair);
      else await countFailure(node, pair, () => 0);
    });
    await expect(Promise.all(work)).resolves.toHaveLength(120);
  });

  it('forgets a day after the last failure, not sooner', async () => {
    const [account, other] = [newAccount(), newAccount()];
    await fail(9, account, other);
    await pass(account, 24.1 * HOUR);
    await pass(other, 23.9 * HOUR);
    await backOff.attempt([account, other]);
    expect(await row(account)).toMatchObject({ failures: 1, pause: 0 });
    expect(await row(other)).toMatchObject({ failures: 10, pause: 16_000 });
  });

  it('removes what is forgotten, the oldest first, a few at a time', async () => {
    await db.deleteFrom('login_failures').execute();
    const some = [25, 24.1, 26, 23.9].map((hours) => ({ name: newAccount(), hours }));
    for (const { name, hours } of some) {
      const last_at = sql<number>`${databaseNow(db)} - ${hours * HOUR}`;
      await db.insertInto('login_failures').values({ name, failures: 3, blocked_until: 0, last_at }).execute();
    }
    const left = async () => (await db.selectFrom('login_failures').select('name').execute()).map(({ name }) => name);
    expect(await removeOldFailures(db, 2)).toBe(2);
    expect((await left()).toSorted()).toEqual([some[1]!.name, some[3]!.name].toSorted());
    expect(await removeOldFailures(db, 2)).toBe(1);
    expect(await removeOldFailures(db, 2)).toBe(0);
    expect(await left()).toEqual([some[3]!.name]);
  });

  it.runIf(kind === 'postgres')('does not wait for a name that is being counted to remove it', async () => {
    await db.deleteFrom('login_failures').execute();
    const [used, unused] = [newAccount(), newAccount()];
    const old = { failures: 1, blocked_until: 0, last_at: 0 };
    await db
      .insertInto('login_failures')
      .values([used, unused].map((name) => ({ name, ...old })))
      .execute();
    await nodes[1]!.db.transaction().execute(async (tx) => {
      await tx.selectFrom('login_failures').select('name').where('name', '=', used).forUpdate().execute();
      expect(await removeOldFailures(db, 10)).toBe(1);
    });
    expect(await removeOldFailures(db, 10)).toBe(1);
  });
});
