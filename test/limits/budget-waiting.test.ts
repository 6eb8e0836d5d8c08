import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { Budgets, type Hold } from '../../src/limits/budget.ts';
import { releaseExpiredHolds } from '../../src/storage/budget-holds.ts';
import { log, NEVER, OWNER, openStore, type Store, tempFolder } from './budget-rig.ts';

// What calls under way have reserved is waited for: most of it comes back.

const folder = tempFolder();
let store: Store;
let other: Store;
let budgets: Budgets;
let second: Budgets;
beforeAll(async () => {
  store = await openStore({ file: `${folder.path}/waiting.db` });
  other = await openStore({ file: `${folder.path}/waiting.db` });
  budgets = new Budgets(store.db, log);
  second = new Budgets(other.db, log);
});
afterAll(async () => {
  await budgets.stop();
  await second.stop();
  await store.close();
  await other.close();
  folder.remove();
});

afterEach(() => vi.useRealTimers());

const HUNDRED = { tokens: 100, period: 'total' } as const;

/** Asks for a reservation; `state` is what has become of that. */
function ask(subjects: string[], tokens: number, from = budgets, signal = NEVER) {
  const asked: { state: 'waiting' | 'held' | 'refused'; hold: Hold | undefined; error: Error | undefined } = {
    state: 'waiting',
    hold: undefined,
    error: undefined,
  };
  const done = from.reserve(subjects, OWNER, { model: 'm', tokens, cost: 0 }, signal).then(
    (hold) => Object.assign(asked, { state: 'held', hold }),
    (error: Error) => Object.assign(asked, { state: 'refused', error }),
  );
  return Object.assign(asked, { done });
}
type Asked = ReturnType<typeof ask>;

const settle = (asked: Asked, tokens: number) => asked.hold!.settle({ tokens, cost: 0 });
const states = (...all: Asked[]) => all.map(({ state }) => state);
/** Long enough for whatever is possible to have happened. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 150));

/** The same database, whose transactions begin late. */
function slow(db: Store['db']): Store['db'] {
  return new Proxy(db, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'transaction') return () => ({ execute: lateOf(target) });
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
const lateOf = (db: Store['db']) => async (work: Parameters<ReturnType<typeof db.transaction>['execute']>[0]) => {
  await rest();
  return await db.transaction().execute(work);
};

describe('a call', () => {
  it('begins when one that is under way takes less than it has reserved', async () => {
    const key = await store.subject(HUNDRED);
    const first = ask([key], 90);
    await first.done;
    const next = ask([key], 20);
    await rest();
    expect(states(first, next)).toEqual(['held', 'waiting']);
    await settle(first, 10);
    await next.done;
    expect(next.state).toBe('held');
    await settle(next, 5);
    expect(await store.view(key)).toMatchObject({ usedTokens: 15 });
  });

  it('is woken at once, and not when it looks the next time', async () => {
    const key = await store.subject(HUNDRED);
    // One whose timers are all under this test's hand.
    const own = new Budgets(store.db, log);
    const first = ask([key], 90, own);
    await first.done;
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const next = ask([key], 20, own);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(next.state).toBe('waiting');
    await first.hold?.release();
    await next.done;
    expect(next.state).toBe('held');
    await next.hold?.release();
  });

  it('that is alone may take more than is left, but nothing goes on beside it', async () => {
    const key = await store.subject(HUNDRED);
    const alone = ask([key], 1_000_000);
    await alone.done;
    const small = ask([key], 1);
    await rest();
    expect(states(alone, small)).toEqual(['held', 'waiting']);
    await settle(alone, 99);
    await small.done;
    await settle(small, 5000);
    expect(await store.view(key)).toMatchObject({ usedTokens: 5099 });
    const refused = ask([key], 1);
    await refused.done;
    expect(refused.error?.message).toContain('used up');
  });

  it('is refused as soon as the budget is used up', async () => {
    const key = await store.subject(HUNDRED);
    const first = ask([key], 100);
    await first.done;
    const waiting = [ask([key], 1), ask([key], 50), ask([key], 1000)];
    await rest();
    expect(states(...waiting)).toEqual(['waiting', 'waiting', 'waiting']);
    await settle(first, 100);
    await Promise.all(waiting.map(({ done }) => done));
    for (const { error } of waiting) expect(error?.message).toContain('used up');
  });

  it('begins at once where there is room beside those under way', async () => {
    const key = await store.subject(HUNDRED);
    const all = [ask([key], 40), ask([key], 40), ask([key], 20)];
    await Promise.all(all.map(({ done }) => done));
    expect(states(...all)).toEqual(['held', 'held', 'held']);
    for (const one of all) await one.hold?.release();
  });

  it('that was removed from the budget’s reach goes on without one', async () => {
    const key = await store.subject(HUNDRED);
    const first = ask([key], 100);
    await first.done;
    const next = ask([key], 20);
    await rest();
    await store.set(key, null);
    await next.done;
    expect(next).toMatchObject({ state: 'held', hold: undefined });
    await first.hold?.release();
  });

  it('begins when the budget is raised', async () => {
    const key = await store.subject(HUNDRED);
    const first = ask([key], 100);
    await first.done;
    const next = ask([key], 20);
    await rest();
    await store.set(key, { ...HUNDRED, tokens: 120 });
    await next.done;
    expect(next.state).toBe('held');
    await first.hold?.release();
    await next.hold?.release();
  });
});

describe('those who wait', () => {
  it('are let in in the order in which they came, whatever would fit sooner', async () => {
    const key = await store.subject(HUNDRED);
    const first = ask([key], 50);
    const beside = ask([key], 50);
    await Promise.all([first.done, beside.done]);
    const large = ask([key], 80);
    const next = ask([key], 1);
    await rest();
    await settle(first, 10);
    await rest();
    // 40 are free now.
    const small = ask([key], 1);
    await rest();
    expect(states(large, next, small)).toEqual(['waiting', 'waiting', 'waiting']);
    await settle(beside, 10);
    await large.done;
    await rest();
    // 20 used, 80 reserved.
    expect(states(large, next, small)).toEqual(['held', 'waiting', 'waiting']);
    await settle(large, 10);
    await Promise.all([next.done, small.done]);
    expect(states(next, small)).toEqual(['held', 'held']);
    await next.hold?.release();
    await small.hold?.release();
  });

  it('for their key’s budget keep nobody from the account’s', async () => {
    const account = await store.subject({ ...HUNDRED, tokens: 1000 }, 'usr');
    const [key, free] = [await store.subject(HUNDRED), await store.subject(HUNDRED)];
    const first = ask([key, account], 90);
    await first.done;
    const waiting = ask([key, account], 90);
    await rest();
    const beside = ask([free, account], 90);
    await beside.done;
    expect(states(waiting, beside)).toEqual(['waiting', 'held']);
    await beside.hold?.release();
    await first.hold?.release();
    await waiting.done;
    await waiting.hold?.release();
  });

  it('for one budget and then for another are let in when both have room', async () => {
    const [key, account] = [await store.subject(HUNDRED), await store.subject(HUNDRED, 'usr')];
    const [ofKey, ofAccount] = [ask([key], 90), ask([account], 90)];
    await Promise.all([ofKey.done, ofAccount.done]);
    const both = ask([key, account], 50);
    await rest();
    await ofKey.hold?.release();
    await rest();
    expect(both.state).toBe('waiting');
    await ofAccount.hold?.release();
    await both.done;
    expect(both.state).toBe('held');
    await both.hold?.release();
  });

  it('may leave, and the next ones move up', async () => {
    const key = await store.subject(HUNDRED);
    const first = ask([key], 90);
    await first.done;
    const caller = new AbortController();
    const leaving = ask([key], 100, budgets, caller.signal);
    await rest();
    const next = ask([key], 20);
    await rest();
    caller.abort();
    await leaving.done;
    expect(leaving.error).toMatchObject({ code: 'cancelled' });
    await first.hold?.release();
    await next.done;
    expect(next.state).toBe('held');
    await next.hold?.release();
    expect(await store.counters(key)).toEqual({ reserved: [0, 0, 0], held: [0, 0, 0] });
    const gone = ask([key], 1, budgets, AbortSignal.abort(new AppError('shutting_down', 'Bye')));
    await gone.done;
    expect(gone.error?.message).toBe('Bye');
  });

  it('wait only so long', async () => {
    const hasty = new Budgets(store.db, log, { waitMs: 50 });
    const key = await store.subject(HUNDRED);
    const first = ask([key], 80, hasty);
    await first.done;
    const late = ask([key], 21, hasty);
    await late.done;
    expect(late.error).toMatchObject({
      code: 'budget_exceeded',
      retryAfter: 5,
      message:
        'The rest of the budget of this API key is reserved by calls under way (0 of 100 tokens in all used); try again when they have ended',
    });
    await first.hold?.release();
    await hasty.stop();
  });

  it('leave when the server stops, which waits for what is being counted', async () => {
    const stopping = new Budgets(slow(store.db), log);
    const key = await store.subject(HUNDRED);
    const first = ask([key], 80, stopping);
    await first.done;
    const waiting = ask([key], 21, stopping);
    await rest();
    const counted = settle(first, 30);
    await stopping.stop();
    await waiting.done;
    expect(waiting.error).toMatchObject({ code: 'shutting_down' });
    expect(await store.view(key)).toMatchObject({ usedTokens: 30 });
    await counted;
  });
});

describe('another process', () => {
  it('is waited for too', async () => {
    const key = await store.subject(HUNDRED);
    const first = ask([key], 90);
    await first.done;
    const next = ask([key], 20, second);
    await rest();
    expect(next.state).toBe('waiting');
    await settle(first, 10);
    await next.done;
    expect(next.state).toBe('held');
    await settle(next, 5);
    expect(await store.view(key)).toMatchObject({ usedTokens: 15 });
  });

  it('that has died is waited for no longer than its lease', async () => {
    const key = await store.subject(HUNDRED);
    const dead = ask([key], 90);
    await dead.done;
    const next = ask([key], 20, second);
    await rest();
    await store.setExpiry(key, -1);
    await releaseExpiredHolds(other.db);
    await next.done;
    expect(next.state).toBe('held');
    await next.hold?.release();
  });
});
