import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cleanUp, tempFolder } from '../process/program.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { Clients, compare, seeded } from './clients.ts';
import { Rig, warmUp } from './rig.ts';
import { expectAnswered } from './turn-operations.ts';
import { MODEL, startUpstream } from './upstream.ts';

vi.setConfig({ testTimeout: 600_000 });

/** To try other moments: KILL_SEED=7. */
const SEED = Number(process.env.KILL_SEED ?? 1);

const CLIENTS = 8;
const CONVERSATIONS = 5;

/** A life is as long as it takes to ask the model so often at most, whatever the machine's speed, and a little more. */
const MOST_ASKED = 20;
const MOST_MORE_MS = 100;

const environment = { NODE_COMPILE_CACHE: tempFolder() };
let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
  await warmUp({ ...environment, DATABASE_URL: await postgres.newDatabase() });
});

afterAll(async () => {
  await cleanUp();
  await postgres.stop();
});

/** Lets the clients work and the program die under them. */
async function dieRandomly(deaths: number, databaseUrl?: string): Promise<void> {
  const upstream = await startUpstream(10);
  const rig = new Rig(upstream, { ...environment, PROFCLAW_TITLE_MODEL: MODEL }, databaseUrl);
  const random = seeded(SEED);
  await rig.start();
  const conversations = await Promise.all(Array.from({ length: CONVERSATIONS }, () => rig.conversation()));
  const clients = new Clients(rig, random, conversations);
  const running = Promise.all(Array.from({ length: CLIENTS }, () => clients.run()));
  running.catch(() => {});
  for (let death = 1; death <= deaths; death++) {
    const asked = upstream.asked() + random() * MOST_ASKED;
    clients.resume();
    await vi.waitUntil(() => upstream.asked() >= asked, { interval: 5, timeout: 60_000 });
    await sleep(random() * MOST_MORE_MS);
    clients.pause();
    rig.kill();
    await rig.revive();
    expect(await rig.faults(), `death ${death}, seed ${SEED}`).toEqual([]);
  }
  clients.stop();
  clients.resume();
  await running;
  for (const path of conversations) await rig.ask(`${path}/retry`, {});
  await rig.settled();
  expect(await rig.faults(), `seed ${SEED}`).toEqual([]);
  const found = compare(clients.sent, await rig.state());
  // The deaths have hit something.
  expect(found.answered).toBeGreaterThan(deaths);
  expect(clients.sent.filter(({ told }) => told.some(({ isWhole }) => !isWhole)).length).toBeGreaterThan(deaths);
  for (const path of conversations) {
    const { messages } = await rig.get(path);
    expect(messages.at(-1)).toMatchObject({ role: 'assistant', status: 'complete' });
  }
  await rig.stop();
  await upstream.stop();
}

describe.concurrent('kill -9 at any moment', () => {
  it('leaves every message whole or failed, on SQLite', async () => {
    await dieRandomly(20);
  });

  it('is got over without help, when the leases of the dead have run out', async () => {
    const upstream = await startUpstream(300);
    const rig = new Rig(upstream, environment);
    await rig.start();
    const path = await rig.conversation();
    const content = 'never answered';
    const send = () => rig.ask(`${path}/messages`, { content, stream: true }, { key: 'k' });
    const sending = send();
    await vi.waitUntil(() => upstream.asked() === 1, { timeout: 60_000 });
    rig.kill();
    expect(await sending).toMatchObject({ isWhole: false });
    await rig.died();
    await rig.start();
    await rig.settled();
    expect((await rig.get(path)).messages).toMatchObject([
      { content, status: 'failed', error: { code: 'interrupted' } },
    ]);
    expect(await rig.faults()).toEqual([]);
    expectAnswered(await send(), content);
    expect((await rig.get(path)).messages).toHaveLength(2);
    await rig.stop();
    await upstream.stop();
  });

  it('leaves every message whole or failed, on PostgreSQL', async () => {
    await dieRandomly(8, await postgres.newDatabase());
  });
});
