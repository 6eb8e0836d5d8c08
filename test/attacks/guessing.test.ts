import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { isPostgres } from '../../src/storage/dialect.ts';
import { onBothDatabases, PASSWORD, type Rig } from '../access/rig.ts';
import type { Visitor } from '../access/visitor.ts';
import { countHashes } from './witness.ts';

// Ten thousand wrong passwords: hardly one of them is even looked at, and everybody else is served meanwhile.

vi.setConfig({ testTimeout: 120_000 });

const AT_ONCE = 50;

interface Outcome {
  status: number;
  retryAfter: string | undefined;
}

/** The outcomes of so many logins, fifty at once. */
async function flood(
  url: string,
  tries: number,
  guess: (index: number) => { email: string; address: string },
): Promise<Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const outcomes: Outcome[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < tries) {
      const index = next++;
      const { email, address } = guess(index);
      outcomes.push(await post(agent, url, address, { email, password: `wrong ${index}` }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  agent.destroy();
  return outcomes;
}

function post(agent: Agent, url: string, address: string, body: object): Promise<Outcome> {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': text.length, 'x-forwarded-for': address };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/api/auth/login`, { agent, method: 'POST', headers }, (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
      });
    });
    sent.on('error', reject).end(text);
  });
}

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Visitor;
  let program: Visitor;
  const hashes = countHashes();

  beforeAll(async () => {
    rig = await start();
    owner = (await rig.owner()).browser;
    for (let i = 0; i < 10; i++) await rig.join(owner, `member${i}`);
    ({ program } = await rig.withKey(owner, { scopes: ['chat'] }));
  });

  afterAll(() => hashes.stop());

  /** What came of a flood, while others are served: how many guesses were looked at; ten, or more as the minutes pass. */
  async function attack(guess: (index: number) => { email: string; address: string }, many: number): Promise<number> {
    // Each of them is a statement to PostgreSQL.
    const tries = isPostgres(rig.db) ? many / 10 : many;
    await rig.deeds();
    const before = hashes.count();
    const began = performance.now();
    let isOver = false;
    const outcomes = flood(rig.server.url, tries, guess).finally(() => {
      isOver = true;
    });
    const served: number[] = [];
    while (!isOver) for (const path of ['/health', '/api/tasks']) served.push((await program.get(path)).status);
    const byStatus = Map.groupBy(await outcomes, ({ status }) => status);
    const minutes = (performance.now() - began) / 60_000;
    const tried = byStatus.get(401)?.length ?? 0;
    const refused = byStatus.get(429) ?? [];
    expect([...byStatus.keys()].toSorted()).toEqual([401, 429]);
    expect(tried + refused.length).toBe(tries);
    expect(tried).toBeLessThanOrEqual(10 * (1 + minutes) + 1);
    expect(refused.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true);
    // Nobody else has logged in meanwhile.
    expect(hashes.count() - before).toBe(tried);
    expect(served.length).toBeGreaterThan(3);
    expect(new Set(served)).toEqual(new Set([200]));
    const deeds = await rig.deeds();
    expect(deeds.map(({ action, outcome }) => [action, outcome])).toEqual(
      Array.from({ length: tried }, () => ['account.login', 'refused']),
    );
    const failures = await rig.db.selectFrom('login_failures').select('name').execute();
    expect(failures.length).toBeLessThan(100);
    return tried;
  }

  /** Logs in from another address, as soon as the account's pause is over; it is no longer than a minute. */
  async function logInAtLast(email: string): Promise<void> {
    for (;;) {
      const { status, headers } = await rig.stranger().post('/api/auth/login', { email, password: PASSWORD });
      if (status === 200) return;
      expect(status).toBe(429);
      const seconds = Number(headers.get('retry-after'));
      expect(seconds).toBeLessThanOrEqual(60);
      await sleep(seconds * 1000);
    }
  }

  it('for one account from one address', async () => {
    const guess = () => ({ email: 'member0@example.com', address: '192.0.2.1' });
    expect(await attack(guess, 10_000)).toBeGreaterThan(5);
    await logInAtLast('member0@example.com');
  });

  it('for many accounts from one address', async () => {
    const guess = (index: number) => ({ email: `member${index % 200}@example.com`, address: '192.0.2.2' });
    await attack(guess, 10_000);
    // Their owners have nothing to wait for.
    await rig.logIn('member9@example.com');
  });

  it('for one account from many addresses', async () => {
    const address = (index: number) => `198.18.${index >> 8}.${index & 255}`;
    await attack((index) => ({ email: 'member1@example.com', address: address(index) }), 3000);
    await logInAtLast('member1@example.com');
  });

  it('the right one is not looked at either, from where so many came', async () => {
    await attack(() => ({ email: 'member2@example.com', address: '192.0.2.3' }), 1000);
    await rig.db
      .updateTable('login_failures')
      .set((column) => ({ blocked_until: column('blocked_until', '+', 60_000) }))
      .where('name', '=', 'address:192.0.2.3')
      .execute();
    const before = hashes.count();
    const body = { email: 'member3@example.com', password: PASSWORD };
    const outcome = await post(new Agent(), rig.server.url, '192.0.2.3', body);
    expect([outcome.status, hashes.count()]).toEqual([429, before]);
  });
});
