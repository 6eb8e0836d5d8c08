import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startUpstream, type Upstream } from '../contract/upstream.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { atOnce, type Caller, openStore, type Store, startCaller, tally, tempFolder } from './budget-rig.ts';

// Two hundred calls at once against a budget for fifty: fifty get through, whatever they reserve.

const folder = tempFolder();
let postgres: PostgresServer;
let upstream: Upstream;
beforeAll(async () => {
  [postgres, upstream] = await Promise.all([startPostgres(), startUpstream()]);
});
afterAll(async () => {
  await postgres.stop();
  await upstream.stop();
  folder.remove();
});
beforeEach(() => upstream.reset());

describe.each([
  ['SQLite', () => Promise.resolve({ file: `${folder.path}/exact.db` })],
  ['PostgreSQL', async () => ({ databaseUrl: await postgres.newDatabase() })],
])('on %s', (_, place) => {
  let store: Store;
  let caller: Caller;
  beforeAll(async () => {
    store = await openStore(await place());
    caller = await startCaller(store, upstream.environment('openai', 'together'));
  });
  afterAll(async () => {
    await caller.stop();
    await store.close();
  });

  // Every answer has 10 tokens and, of gpt-4o, costs 7 * 2.50 + 3 * 10.00 = 47.50 dollars a million.
  const USD = 0.000_047_5;
  const FIFTY = { ok: 50, budget_exceeded: 150 };

  it.each([
    ['whole', { model: 'together/any' }],
    ['streamed', { model: 'together/any', stream: true }],
    ['with few tokens each', { model: 'together/any', maxTokens: 3 }],
    ['streamed, with few tokens each', { model: 'together/any', maxTokens: 3, stream: true }],
  ])('tokens for exactly fifty: %s', async (_how, input) => {
    const key = await store.subject({ tokens: 500, period: 'total' });
    expect(tally(await atOnce(200, () => caller.ask([key], input)))).toEqual(FIFTY);
    expect(upstream.sent).toHaveLength(50);
    expect(await store.view(key)).toMatchObject({ tokens: 500, usedTokens: 500 });
    expect(await store.counters(key)).toEqual({ reserved: [0, 0, 0], held: [0, 0, 0] });
  });
  it.each([
    ['whole', {}],
    ['streamed', { stream: true }],
    ['with few tokens each', { maxTokens: 3 }],
  ])('dollars for exactly fifty: %s', async (_how, input) => {
    const key = await store.subject({ usd: 50 * USD, period: 'total' });
    expect(tally(await atOnce(200, () => caller.ask([key], { model: 'openai/gpt-4o', ...input })))).toEqual(FIFTY);
    expect(await store.view(key)).toMatchObject({ usd: 50 * USD, usedUsd: 50 * USD, usedTokens: 500 });
  });
});
