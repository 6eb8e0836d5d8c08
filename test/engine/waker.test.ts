import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPostgresWaker } from '../../src/storage/postgres-waker.ts';
import { localWaker, type Waker } from '../../src/storage/waker.ts';
import { PASSWORD, type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';

/** What a listener of a waker has heard, from now on. */
function heardBy(waker: Waker): string[] {
  const heard: string[] = [];
  waker.subscribe((topic) => heard.push(topic));
  return heard;
}

describe('the waker of a process that is alone', () => {
  it('calls listeners at once, until they leave', async () => {
    const waker = localWaker();
    const heard = heardBy(waker);
    const more: string[] = [];
    const leave = waker.subscribe((topic) => more.push(topic));
    waker.wake('a');
    expect([heard, more]).toEqual([['a'], ['a']]);
    leave();
    waker.wake('b');
    expect([heard, more]).toEqual([['a', 'b'], ['a']]);
    await waker.close();
    waker.wake('c');
    expect(heard).toEqual(['a', 'b']);
  });

  it('knows two listeners that are one function apart', () => {
    const waker = localWaker();
    const heard: string[] = [];
    const listener = (topic: string): void => {
      heard.push(topic);
    };
    waker.subscribe(listener);
    const leave = waker.subscribe(listener);
    waker.wake('a');
    leave();
    waker.wake('b');
    expect(heard).toEqual(['a', 'a', 'b']);
  });

  it('lets no listener keep the others from hearing', () => {
    const logged: string[] = [];
    const waker = localWaker(pino({}, { write: (line: string) => logged.push(line) }));
    waker.subscribe(() => {
      throw new Error('broken');
    });
    const heard = heardBy(waker);
    waker.wake('a');
    expect(heard).toEqual(['a']);
    expect(logged.join()).toContain('broken');
  });
});

describe('the waker of nodes that share a PostgreSQL', () => {
  let server: PostgresServer;
  let databaseUrl: string;
  let logged: string[];
  let one: Waker;
  let two: Waker;
  let spy: Client;
  /** What PostgreSQL has passed on. */
  let notified: string[];

  const open = (url = databaseUrl): Promise<Waker> =>
    openPostgresWaker(url, pino({ level: 'debug' }, { write: (line: string) => logged.push(line) }));

  /** Ends the connections of both wakers. */
  const cut = (): Promise<unknown> =>
    spy.query(`select pg_terminate_backend(pid, 20000) from pg_stat_activity
      where application_name = 'profclaw wake' and datname = current_database()`);

  beforeAll(async () => {
    server = await startPostgres();
  });

  beforeEach(async () => {
    databaseUrl = await server.newDatabase();
    logged = [];
    [one, two] = await Promise.all([open(), open()]);
    spy = new Client({ connectionString: databaseUrl });
    await spy.connect();
    notified = [];
    spy.on('notification', ({ payload }) => notified.push(payload ?? ''));
    await spy.query('listen profclaw_wake');
  });

  afterEach(async () => {
    await one.close();
    await two.close();
    await spy.end();
  });

  afterAll(() => server.stop());

  it('calls its own listeners at once and those of others soon, each once', async () => {
    const [here, there] = [heardBy(one), heardBy(two)];
    one.wake('run_1');
    expect(here).toEqual(['run_1']);
    await vi.waitFor(() => expect(there).toEqual(['run_1']));
    // All hear in the same order, so the first one's own has come back before this.
    two.wake('run 2');
    await vi.waitFor(() => expect(here).toEqual(['run_1', 'run 2']));
    expect(there).toEqual(['run_1', 'run 2']);
  });

  it('makes one notification of many calls', async () => {
    const there = heardBy(two);
    for (let i = 0; i < 100; i++) one.wake('often');
    one.wake('once');
    await vi.waitFor(() => expect(there).toEqual(['often', 'once']));
    await sleep(100);
    expect(notified.map((payload) => payload.split(' ')[1])).toEqual(['often', 'once']);
  });

  it('makes few of calls that come one after the other', async () => {
    const there = heardBy(two);
    const began = performance.now();
    while (performance.now() < began + 500) {
      one.wake('steady');
      await new Promise((resolve) => setImmediate(resolve));
    }
    one.wake('end');
    await vi.waitFor(() => expect(there).toContain('end'));
    await vi.waitFor(() => expect(notified.at(-1)).toContain('end'));
    // One each 10 ms, the last with the end.
    const most = (performance.now() - began) / 10 + 2;
    expect(notified.filter((payload) => payload.endsWith('steady')).length).toBeLessThanOrEqual(most);
  });

  it('tells of too much as one', async () => {
    const there = heardBy(two);
    for (let i = 0; i < 5000; i++) one.wake(`topic ${i}`);
    await vi.waitFor(() => expect(there).toContain('*'));
    expect(there.length).toBeLessThan(1500);
  });

  it('tells of what PostgreSQL does not take as of everything', async () => {
    const [here, there] = [heardBy(one), heardBy(two)];
    one.wake('x'.repeat(9000));
    await vi.waitFor(() => expect(there).toEqual(['*']));
    one.wake('a\0b');
    await vi.waitFor(() => expect(there).toEqual(['*', '*']));
    one.wake('\u{1F600}\ud800'.repeat(60));
    await vi.waitFor(() => expect(there).toHaveLength(3));
    expect(here).toEqual(['x'.repeat(9000), 'a\0b', '\u{1F600}\ud800'.repeat(60)]);
  });

  it('connects again when the connection is lost, and has everything looked at', async () => {
    const [here, there] = [heardBy(one), heardBy(two)];
    await cut();
    await vi.waitFor(() => expect([here.includes('*'), there.includes('*')]).toEqual([true, true]), 20_000);
    one.wake('afterwards');
    two.wake('back');
    await vi.waitFor(() => expect([there, here].map((all) => all.at(-1))).toEqual(['afterwards', 'back']), 20_000);
    expect(here.filter((topic) => topic === 'afterwards')).toHaveLength(1);
    expect(logged.join()).toContain('the connection for wakes was lost');
    expect(logged.join()).toContain('there is a connection for wakes again');
  });

  it('keeps what it has to tell until there is a connection', async () => {
    const toldOf = (): (string | undefined)[] => notified.map((payload) => payload.split(' ')[1]);
    const says = (line: string): void => {
      if (line.includes('was lost')) third.wake('meanwhile');
    };
    const third = await openPostgresWaker(databaseUrl, pino({}, { write: says }));
    await cut();
    await vi.waitFor(() => expect(toldOf()).toEqual(['meanwhile']), 20_000);
    await third.close();
  });

  it('tells the others at its end what it still has to tell', async () => {
    const there = heardBy(two);
    one.wake('last');
    await one.close();
    one.wake('after');
    await vi.waitFor(() => expect(there).toEqual(['last']));
  });

  it('ends without a connection, too', async () => {
    await cut();
    await one.close();
    await one.close();
  });

  it('says without the password why it cannot connect', async () => {
    const encoded = encodeURIComponent(PASSWORD);
    const wrong = [
      databaseUrl.replace(encoded, 'not-the-password'),
      databaseUrl.replace('/test_', '/absent_'),
      databaseUrl.replace(`:${server.port}`, ':9'),
      databaseUrl.replace('postgres:', 'postgres:x:'),
    ];
    for (const url of wrong) {
      const error = await open(url).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      const text = `${String(error)} ${JSON.stringify(error)} ${logged.join()}`;
      expect(text).toContain('cannot listen for wakes at PostgreSQL: ');
      for (const secret of [PASSWORD, encoded, 'not-the-password']) expect(text).not.toContain(secret);
    }
  });
});
