import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KeptRows } from './kept-rows.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

/** A store of one row, that counts how often it is read. */
function storeOf(row: { name: string } | undefined) {
  const store = {
    row,
    reads: 0,
    read: () => {
      store.reads++;
      return Promise.resolve(store.row);
    },
  };
  return store;
}

it('reads a row once within its time', async () => {
  const [rows, store] = [new KeptRows(1000), storeOf({ name: 'a' })];
  for (const ms of [0, 500, 500]) {
    vi.advanceTimersByTime(ms);
    expect(await rows.get('h', store.read)).toEqual({ name: 'a' });
  }
  expect(store.reads).toBe(1);
  vi.advanceTimersByTime(1);
  store.row = undefined;
  expect(await rows.get('h', store.read)).toBeUndefined();
  expect(await rows.get('h', store.read)).toBeUndefined();
  expect(store.reads).toBe(3);
});

it('forgets all when something has changed', async () => {
  const [rows, store] = [new KeptRows<{ name: string }>(1000), storeOf({ name: 'a' })];
  await rows.get('h', store.read);
  store.row = { name: 'b' };
  rows.clear();
  expect(await rows.get('h', store.read)).toEqual({ name: 'b' });
});

it('does not keep what was read before a change and arrives after it', async () => {
  const [rows, late] = [new KeptRows<{ name: string }>(1000), Promise.withResolvers<{ name: string }>()];
  const first = rows.get('h', () => late.promise);
  rows.clear();
  late.resolve({ name: 'old' });
  expect(await first).toEqual({ name: 'old' });
  expect(await rows.get('h', storeOf(undefined).read)).toBeUndefined();
});

it('keeps nothing where it must not', async () => {
  const [rows, store] = [new KeptRows(0), storeOf({ name: 'a' })];
  for (let n = 0; n < 3; n++) await rows.get('h', store.read);
  expect(store.reads).toBe(3);
});

it('holds a bounded number of rows', async () => {
  const [rows, store] = [new KeptRows(1000), storeOf({ name: 'a' })];
  for (let n = 0; n <= 10_000; n++) await rows.get(`h${n}`, store.read);
  await rows.get('h0', store.read);
  expect(store.reads).toBe(10_002);
});
