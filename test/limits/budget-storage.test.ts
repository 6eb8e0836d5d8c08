import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { Budgets, type Hold } from '../../src/limits/budget.ts';
import { releaseExpiredHolds, renewHolds, settleHold } from '../../src/storage/budget-holds.ts';
import { periodAt } from '../../src/storage/budget-period.ts';
import { deleteBudget, getBudgets, setBudget } from '../../src/storage/budgets.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { log, NEVER, OWNER, openStore, type Store } from './budget-rig.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe('periods, in UTC', () => {
  const at = (kind: 'day' | 'week' | 'month' | 'total', time: string) => periodAt(kind, Date.parse(time));
  const iso = (day: string) => `${day}T00:00:00.000Z`;

  it.each([
    ['day', '2026-02-28T23:59:59.999Z', '2026-02-28', '2026-03-01'],
    ['day', '2026-12-31T00:00:00.000Z', '2026-12-31', '2027-01-01'],
    ['week', '2026-03-02T00:00:00.000Z', '2026-03-02', '2026-03-09'],
    ['week', '2026-03-08T23:59:59.999Z', '2026-03-02', '2026-03-09'],
    ['week', '2027-01-01T12:00:00.000Z', '2026-12-28', '2027-01-04'],
    ['month', '2028-02-29T12:00:00.000Z', '2028-02-01', '2028-03-01'],
    ['month', '2026-12-01T00:00:00.000Z', '2026-12-01', '2027-01-01'],
  ] as const)('the %s of %s', (kind, time, start, end) => {
    expect(at(kind, time)).toEqual({ start: iso(start), end: iso(end) });
  });

  it('all the time there is', () => {
    expect(at('total', '2026-03-02T00:00:00.000Z')).toEqual({ start: iso('1970-01-01'), end: null });
  });
});

describe.each([
  ['SQLite', () => Promise.resolve({ file: ':memory:' })],
  ['PostgreSQL', async () => ({ databaseUrl: await postgres.newDatabase() })],
])('on %s', (_, place) => {
  let store: Store;
  let budgets: Budgets;
  beforeAll(async () => {
    store = await openStore(await place());
    budgets = new Budgets(store.db, log, { waitMs: 1 });
  });
  afterAll(async () => {
    await budgets.stop();
    await store.close();
  });

  const take = async (subjects: string[], tokens: number, cost: number | null = 0): Promise<Hold> => {
    const hold = await budgets.reserve(subjects, OWNER, { model: 'm', tokens, cost }, NEVER);
    expect(hold).toBeDefined();
    return hold!;
  };
  const use = async (subject: string, tokens: number, cost = 0) => (await take([subject], 1)).settle({ tokens, cost });
  const LONG_AGO = '2020-01-01T00:00:00.000Z';
  const EMPTY = { reserved: [0, 0, 0], held: [0, 0, 0] };

  it('shows what was set, and what is used of it', async () => {
    const subject = await store.subject({ tokens: 1000, usd: 2.5, period: 'total' });
    const other = await store.subject({ usd: 0.1, period: 'week' });
    await use(subject, 10, 1_000_000);
    const total = { tokens: 1000, usd: 2.5, period: 'total', usedTokens: 10, usedUsd: 0.001, resetsAt: null };
    expect(await store.view(subject)).toEqual(total);
    const shown = await getBudgets(store.db, OWNER, [subject, other, 'key_none']);
    expect([...shown.keys()].toSorted()).toEqual([subject, other].toSorted());
    expect(shown.get(other)).toMatchObject({ tokens: null, usd: 0.1, usedUsd: 0 });
    expect(Date.parse(shown.get(other)?.resetsAt ?? '')).toBeGreaterThan(Date.now());
    expect(await getBudgets(store.db, OWNER, [])).toEqual(new Map());
  });

  it('is nobody else’s', async () => {
    const subject = await store.subject({ tokens: 1, period: 'day' });
    expect(await getBudgets(store.db, 'other', [subject])).toEqual(new Map());
    const budget = { tokens: 5, period: 'total' } as const;
    const setting = store.db.transaction().execute((tx) => setBudget(tx, 'other', subject, budget));
    await expect(setting).rejects.toThrow('somebody else');
    await store.db.transaction().execute((tx) => deleteBudget(tx, 'other', subject));
    expect(await store.view(subject)).toMatchObject({ tokens: 1 });
    expect(await budgets.reserve([subject], 'other', { model: 'm', tokens: 9, cost: 0 }, NEVER)).toBeUndefined();
  });

  it('keeps what was used when it changes, of another period too', async () => {
    const subject = await store.subject({ tokens: 100, period: 'day' });
    await use(subject, 60);
    await store.set(subject, { tokens: 50, usd: 1, period: 'month' });
    expect(await store.view(subject)).toMatchObject({ tokens: 50, usd: 1, period: 'month', usedTokens: 60 });
    await store.set(subject, { usd: 1, period: 'day' });
    expect(await store.view(subject)).toMatchObject({ tokens: null, period: 'day', usedTokens: 60 });
    await store.set(subject, { usd: 1, period: 'total' });
    expect(await store.view(subject)).toMatchObject({ period: 'total', usedTokens: 60 });
  });

  it('but not of a period that is over', async () => {
    const subject = await store.subject({ tokens: 100, period: 'day' });
    await use(subject, 60);
    await store.setStart(subject, LONG_AGO);
    await store.set(subject, { tokens: 100, period: 'month' });
    expect(await store.view(subject)).toMatchObject({ usedTokens: 0 });
  });

  it.each(['day', 'week', 'month'] as const)('a new %s begins with nothing used', async (period) => {
    const subject = await store.subject({ tokens: 100, usd: 1, period });
    await use(subject, 100, 1_000_000_000);
    await expect(take([subject], 1, 1)).rejects.toThrow('used up');
    await store.setStart(subject, LONG_AGO);
    expect(await store.view(subject)).toMatchObject({ usedTokens: 0, usedUsd: 0 });
    await use(subject, 7, 5);
    expect(await store.view(subject)).toMatchObject({ usedTokens: 7, usedUsd: 5e-9 });
  });

  it('what is under way stays reserved in a new period, and counts there', async () => {
    const subject = await store.subject({ tokens: 100, period: 'day' });
    await use(subject, 60);
    const hold = await take([subject], 40);
    await store.setStart(subject, LONG_AGO);
    const next = await take([subject], 60);
    await expect(take([subject], 1)).rejects.toThrow('calls under way');
    expect(await store.counters(subject)).toEqual({ reserved: [100, 0, 2], held: [100, 0, 2] });
    await hold.settle({ tokens: 30, cost: 0 });
    await next.release();
    expect(await store.view(subject)).toMatchObject({ usedTokens: 30 });
  });

  it('a clock that is behind takes no period back', async () => {
    const subject = await store.subject({ tokens: 100, period: 'day' });
    await use(subject, 60);
    await store.setStart(subject, '2999-01-01T00:00:00.000Z');
    await use(subject, 1);
    expect(await store.view(subject)).toMatchObject({ usedTokens: 61 });
  });

  it('all of its budgets hold a call, or none', async () => {
    const key = await store.subject({ tokens: 100, period: 'total' });
    const account = await store.subject({ tokens: 50, period: 'total' }, 'usr');
    const hold = await take([account, key], 30);
    await expect(take([key, account], 30)).rejects.toMatchObject({
      code: 'budget_exceeded',
      message: expect.stringContaining('this account is reserved'),
    });
    for (const subject of [key, account])
      expect(await store.counters(subject)).toEqual({ reserved: [30, 0, 1], held: [30, 0, 1] });
    await hold.settle({ tokens: 20, cost: 3 });
    for (const subject of [key, account]) {
      expect(await store.view(subject)).toMatchObject({ usedTokens: 20, usedUsd: 3e-9 });
      expect(await store.counters(subject)).toEqual(EMPTY);
    }
  });

  it('of thirty that are asked for at the same moment, the first one only is alone', async () => {
    const subject = await store.subject({ tokens: 100, period: 'total' });
    // All connections are there by then.
    await Promise.all(Array.from({ length: 30 }, () => store.view(subject)));
    const all = await Promise.allSettled(Array.from({ length: 30 }, () => take([subject], 90)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await store.counters(subject)).toEqual({ reserved: [90, 0, 1], held: [90, 0, 1] });
    for (const one of all) if (one.status === 'fulfilled') await one.value.release();
  });

  it('is settled once, whatever is said afterwards', async () => {
    const subject = await store.subject({ tokens: 100, period: 'total' });
    const hold = await take([subject], 30);
    const settled = { tokens: 20, cost: 0 };
    await Promise.all([hold.settle(settled), hold.settle(settled), hold.release()]);
    await hold.settle(settled);
    expect(await store.view(subject)).toMatchObject({ usedTokens: 20 });
    expect(await store.counters(subject)).toEqual(EMPTY);
  });

  it('what a dead process held is released; what it says later still counts, once', async () => {
    await releaseExpiredHolds(store.db);
    const key = await store.subject({ tokens: 100, period: 'total' });
    const account = await store.subject({ usd: 1, period: 'total' }, 'usr');
    const hold = await take([key, account], 80, 500);
    const living = await take([key], 20, 5);
    const [dead] = await store.db
      .selectFrom('budget_holds')
      .select(['id', 'node'])
      .where('subject', '=', account)
      .execute();
    expect(await releaseExpiredHolds(store.db)).toBe(0);
    const expire = store.db.updateTable('budget_holds').set({ expires_at: 1 }).where('id', '=', dead!.id);
    await expire.execute();
    expect(await releaseExpiredHolds(store.db)).toBe(2);
    expect(await releaseExpiredHolds(store.db)).toBe(0);
    expect(await store.counters(key)).toEqual({ reserved: [20, 5, 1], held: [20, 5, 1] });
    expect(await store.counters(account)).toEqual(EMPTY);
    await renewHolds(store.db, dead!.node, [dead!.id], 1000);
    expect(await releaseExpiredHolds(store.db)).toBe(0);
    await hold.settle({ tokens: 70, cost: 400 });
    // The answer to a commit may be lost; then it is said once more.
    await settleHold(store.db, { id: dead!.id, owner: OWNER, subjects: [key, account] }, { tokens: 70, cost: 400 });
    expect(await store.view(key)).toMatchObject({ usedTokens: 70 });
    expect(await store.view(account)).toMatchObject({ usedTokens: 70, usedUsd: 4e-7 });
    expect(await store.counters(key)).toEqual({ reserved: [20, 5, 1], held: [20, 5, 1] });
    await living.release();
    expect(await store.counters(key)).toEqual(EMPTY);
  });

  it('what nobody comes back for is forgotten after a day', async () => {
    await releaseExpiredHolds(store.db);
    const subject = await store.subject({ tokens: 100, period: 'total' });
    await take([subject], 80);
    await store.setExpiry(subject, -1);
    expect(await releaseExpiredHolds(store.db)).toBe(1);
    const rows = () => store.db.selectFrom('budget_holds').selectAll().where('subject', '=', subject).execute();
    expect(await rows()).toMatchObject([{ node: '', tokens: 0, cost: 0 }]);
    const hour = 3_600_000;
    const left = (await rows())[0]!.expires_at - Date.now();
    expect(left).toBeGreaterThan(23 * hour);
    expect(left).toBeLessThan(25 * hour);
    await store.setExpiry(subject, -1);
    expect(await releaseExpiredHolds(store.db)).toBe(0);
    expect(await rows()).toEqual([]);
    expect(await store.counters(subject)).toEqual(EMPTY);
  });

  it('a budget that was removed and set anew begins with nothing, also while calls are under way', async () => {
    const subject = await store.subject({ tokens: 100, period: 'total' });
    const hold = await take([subject], 80);
    await store.set(subject, null);
    expect(await store.view(subject)).toBeUndefined();
    expect(await budgets.reserve([subject], OWNER, { model: 'm', tokens: 1, cost: null }, NEVER)).toBeUndefined();
    await store.set(subject, { tokens: 100, period: 'total' });
    await hold.settle({ tokens: 80, cost: 0 });
    expect(await store.view(subject)).toMatchObject({ usedTokens: 0 });
    expect(await store.counters(subject)).toEqual(EMPTY);
  });

  it('is renewed as long as something is held', async () => {
    const hasty = new Budgets(store.db, log, { leaseMs: 60 });
    const subject = await store.subject({ tokens: 100, period: 'total' });
    const hold = await hasty.reserve([subject], OWNER, { model: 'm', tokens: 5, cost: 0 }, NEVER);
    const expiry = async () =>
      (await store.db.selectFrom('budget_holds').select('expires_at').where('subject', '=', subject).execute())[0]!
        .expires_at;
    const first = await expiry();
    await expect.poll(async () => (await expiry()) - first).toBeGreaterThan(100);
    await hold?.release();
    await hasty.stop();
  });

  it('many at once on two budgets, asked for in either order, wait for one another without a knot', async () => {
    const subjects = [newId('key'), newId('usr'), newId('key')];
    for (const subject of subjects) await store.set(subject, { tokens: 1_000_000, period: 'total' });
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const mine = i % 2 === 0 ? subjects : subjects.toReversed();
        await (await take(mine, 10)).settle({ tokens: 7, cost: 1 });
        if (i % 10 === 0) await releaseExpiredHolds(store.db);
      }),
    );
    for (const subject of subjects) {
      expect(await store.view(subject)).toMatchObject({ usedTokens: 420, usedUsd: 6e-8 });
      expect(await store.counters(subject)).toEqual(EMPTY);
    }
  });
});
