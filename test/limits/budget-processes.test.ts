import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseOptions } from '../../src/storage/database.ts';
import { cleanUp, type Program, start, until } from '../process/program.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { startVendor, type Vendor } from '../turns/rig.ts';
import { type Holder, makeHolder } from './budget-holder.ts';
import { atOnce, openStore, startCaller, tally, tempFolder } from './budget-rig.ts';

// Several processes on one database are one to a budget, and what one of them had reserved dies with it.

let postgres: PostgresServer;
let vendor: Vendor;
const folder = tempFolder();
beforeAll(async () => {
  [postgres, vendor] = await Promise.all([startPostgres(), startVendor()]);
});
afterEach(cleanUp);
afterAll(async () => {
  await postgres.stop();
  await vendor.stop();
  folder.remove();
});

interface Place {
  environment: Record<string, string>;
  options: DatabaseOptions;
}

let places = 0;
const PLACES: [string, () => Promise<Place>][] = [
  [
    'one SQLite file',
    () => {
      const home = join(folder.path, `home-${++places}`);
      mkdirSync(home);
      return Promise.resolve({
        environment: { PROFCLAW_HOME: home },
        options: { file: join(home, 'profclaw.db') },
      });
    },
  ],
  [
    'one PostgreSQL database',
    async () => {
      const databaseUrl = await postgres.newDatabase();
      const environment = { DATABASE_URL: databaseUrl, PROFCLAW_SECRET_KEY: 'ab'.repeat(32) };
      return { environment, options: { databaseUrl } };
    },
  ],
];

const FIFTY = { tokens: 500, period: 'total' } as const;
const EMPTY = { reserved: [0, 0, 0], held: [0, 0, 0] };
const says = (content: string, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more });

describe.each(PLACES)('on %s', (_, place) => {
  /** Two of the real program, one after the other: the first one makes the database. */
  const startTwo = async (): Promise<{ first: Program; urls: [string, string]; options: DatabaseOptions }> => {
    const { environment, options } = await place();
    const run = () => start({ ...vendor.environment, ...environment });
    const first = run();
    const url = await first.listening;
    return { first, urls: [url, await run().listening], options };
  };

  it.each([
    ['that reserve much', {}],
    ['that reserve little', { maxTokens: 3, stream: true }],
  ])('two hundred calls at once from two connections, %s: exactly fifty', async (_what, input) => {
    const { options } = await place();
    const stores = [await openStore(options), await openStore(options)];
    const callers = await Promise.all(stores.map((store) => startCaller(store, vendor.environment)));
    const key = await stores[0]!.subject(FIFTY);
    const model = vendor.model((call) => setTimeout(() => call.answer(), 2));
    const fates = await atOnce(200, (i) => callers[i % 2]!.ask([key], { model: model.name, ...input }));
    expect(tally(fates)).toEqual({ ok: 50, budget_exceeded: 150 });
    expect(model.calls).toHaveLength(50);
    expect(await stores[1]!.view(key)).toMatchObject({ usedTokens: 500 });
    expect(await stores[1]!.counters(key)).toEqual(EMPTY);
    for (const { stop } of callers) await stop();
    for (const { close } of stores) await close();
  });

  it('two hundred requests at once to two servers: exactly fifty', async () => {
    const { urls } = await startTwo();
    const { post, budget } = await makeHolder(urls[0], FIFTY);
    const model = vendor.model((call) => call.answer());
    const answers = await atOnce(200, (i) => {
      const body = says('Hi', { model: model.name, stream: i % 3 === 0 });
      return post('/completions', body, undefined, urls[i % 2]);
    });
    expect(tally(answers.map(({ status, body }) => `${status} ${body.code ?? ''}`))).toEqual({
      '200 ': 50,
      '429 budget_exceeded': 150,
    });
    expect(model.calls).toHaveLength(50);
    expect(await budget()).toMatchObject({ usedTokens: 500 });
  }, 120_000);

  it('kill -9 in the middle of calls releases what they had reserved, after the lease', async () => {
    const { first, urls, options } = await startTwo();
    const [, second] = urls;
    const holder: Holder = await makeHolder(second, { tokens: 20_000, period: 'total' });
    const model = vendor.model((call) => (call.body.stream ? call.piece('A ') : call.answer()));
    const ask = (url: string, stream: boolean) =>
      holder.post('/completions', says('Hi', { model: model.name, stream }), undefined, url);
    const dying = [ask(urls[0], true), ask(urls[0], true)];
    for (const one of dying) one.catch(() => {});
    await model.call(2);
    // Beside two calls of 8,192 and more there is no room for a third.
    let isAnswered = false;
    const waiting = ask(second, false).then((answer) => {
      isAnswered = true;
      return answer;
    });
    first.child.kill('SIGKILL');
    await first.ended;
    await Promise.allSettled(dying);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(isAnswered).toBe(false);
    // The lease is over sooner, so that the test is.
    const store = await openStore(options);
    await store.setExpiry(holder.id, -1);
    await until('the call goes on', () => isAnswered);
    expect((await waiting).status).toBe(200);
    expect(model.calls).toHaveLength(3);
    expect(await holder.budget()).toMatchObject({ usedTokens: 10 });
    expect(await store.counters(holder.id)).toEqual(EMPTY);
    await store.close();
  }, 120_000);
});
