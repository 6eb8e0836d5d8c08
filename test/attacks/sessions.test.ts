import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { isPostgres } from '../../src/storage/dialect.ts';
import { type Member, onBothDatabases, PASSWORD, type Rig } from '../access/rig.ts';
import type { Visitor } from '../access/visitor.ts';
import { expectError } from '../contract/helpers.ts';
import { send } from './wire.ts';

// What ended a session has ended it for whoever has a copy of the cookie, at once and for every route.

const ACCESS_KEY = 'access-key-0123456789';
const DAY_MS = 24 * 60 * 60 * 1000;

async function expectOut(thief: Visitor): Promise<void> {
  // An answer must not take the copy away.
  const { cookie } = thief;
  for (const path of ['/api/auth/me', '/api/tasks', '/api/auth/sessions', '/api/keys', '/docs']) {
    const answer = await thief.get(path);
    expectError(answer, 401, 'unauthenticated');
    expect(answer.headers.get('set-cookie')).toBeNull();
  }
  expectError(await thief.post('/api/tasks', { title: 'T', prompt: 'P' }), 401, 'unauthenticated');
  expectError(await thief.send('PUT', '/api/auth/access-key', { key: null }), 401, 'unauthenticated');
  expect(thief.cookie).toBe(cookie);
}

async function expectIn(visitor: Visitor): Promise<void> {
  expect((await visitor.get('/api/auth/me')).status).toBe(200);
}

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Member;
  let names = 0;

  beforeAll(async () => {
    rig = await start();
    owner = await rig.owner();
  });

  /** Somebody with two browsers, each of whose cookies somebody else has a copy of. */
  async function victim(): Promise<{ id: string; email: string; first: Visitor; second: Visitor; thieves: Visitor[] }> {
    const { browser: first, user } = await rig.join(owner.browser, `victim${++names}`);
    const second = await rig.logIn(user.email);
    const thieves = [first.copy(), second.copy()];
    for (const thief of thieves) await expectIn(thief);
    return { id: user.id, email: user.email, first, second, thieves };
  }

  it('ends with a logout', async () => {
    const { first, second, thieves } = await victim();
    await first.must('POST', '/api/auth/logout');
    await expectOut(thieves[0]!);
    // Of that browser only.
    await expectIn(second);
  });

  it('ends with a new password, each of them', async () => {
    const { email, first, second, thieves } = await victim();
    await first.must('PATCH', '/api/auth/me', { password: 'another password', currentPassword: PASSWORD });
    for (const thief of [...thieves, second]) await expectOut(thief);
    await expectIn(first);
    expectError(await rig.stranger().post('/api/auth/login', { email, password: PASSWORD }), 401, 'unauthenticated');
    await expectIn(await rig.logIn(email, 'another password'));
  });

  it('ends when it is revoked', async () => {
    const { first, second, thieves } = await victim();
    await first.must('DELETE', `/api/auth/sessions/${await second.session()}`);
    await expectOut(thieves[1]!);
    await expectIn(first);
    const third = await rig.logIn((await first.must('GET', '/api/auth/me')).user.email);
    await first.must('DELETE', '/api/auth/sessions');
    await expectOut(third);
    await expectIn(first);
  });

  it('cannot be ended by somebody else', async () => {
    const { first, second } = await victim();
    const { first: other } = await victim();
    const id = await second.session();
    expectError(await other.remove(`/api/auth/sessions/${id}`), 404, 'not_found');
    expectError(await owner.browser.remove(`/api/auth/sessions/${id}`), 404, 'not_found');
    await other.must('DELETE', '/api/auth/sessions');
    for (const browser of [first, second]) await expectIn(browser);
  });

  it('ends when the account is disabled, and does not come back with it', async () => {
    const { id, email, thieves } = await victim();
    await owner.browser.must('PATCH', `/api/users/${id}`, { disabled: true });
    for (const thief of thieves) await expectOut(thief);
    await owner.browser.must('PATCH', `/api/users/${id}`, { disabled: false });
    for (const thief of thieves) await expectOut(thief);
    await expectIn(await rig.logIn(email));
  });

  it('ends when the account is deleted, also for whoever signs up with its email', async () => {
    const { id, email, thieves } = await victim();
    await owner.browser.must('DELETE', `/api/users/${id}`);
    for (const thief of thieves) await expectOut(thief);
    const name = email.replace('@example.com', '');
    await rig.join(owner.browser, name);
    for (const thief of thieves) await expectOut(thief);
  });

  describe('of the access key', () => {
    const holder = async (key: string) => {
      const browser = rig.stranger();
      await browser.must('POST', '/api/auth/verify-access-key', { key });
      return browser;
    };

    it.each([['another one'], [null]])('ends when there is %s', async (next) => {
      await owner.browser.must('PUT', '/api/auth/access-key', { key: ACCESS_KEY });
      const browser = await holder(ACCESS_KEY);
      const thief = browser.copy();
      await expectIn(thief);
      const key = next === null ? null : `${ACCESS_KEY}-${next}`;
      await owner.browser.must('PUT', '/api/auth/access-key', { key });
      for (const visitor of [thief, browser]) await expectOut(visitor);
      const again = await rig.stranger().post('/api/auth/verify-access-key', { key: ACCESS_KEY });
      expectError(again, 401, 'unauthenticated');
      // That of an account has nothing to do with it.
      await expectIn(owner.browser);
    });

    it('ends when the same one is set again', async () => {
      await owner.browser.must('PUT', '/api/auth/access-key', { key: ACCESS_KEY });
      const thief = (await holder(ACCESS_KEY)).copy();
      await owner.browser.must('PUT', '/api/auth/access-key', { key: ACCESS_KEY });
      await expectOut(thief);
    });
  });

  describe('its thirty days', () => {
    const set = async (
      visitor: Visitor,
      change: { expires_at?: string; last_seen_at?: string; created_at?: string },
    ) => {
      await rig.db
        .updateTable('sessions')
        .set(change)
        .where('id', '=', await visitor.session())
        .execute();
      // What was looked up may be kept for a second.
      await sleep(1100);
    };
    const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
    const rowOf = (id: string) => rig.db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();

    it('are what it is given', async () => {
      const { first } = await victim();
      const row = (await rowOf(await first.session()))!;
      expect(Date.parse(row.expires_at) - Date.parse(row.created_at)).toBeGreaterThan(30 * DAY_MS - 60_000);
      expect(Date.parse(row.expires_at) - Date.parse(row.created_at)).toBeLessThan(30 * DAY_MS + 60_000);
    });

    it('are over when they are over, and no request brings it back', async () => {
      const { first, thieves } = await victim();
      const id = await first.session();
      await set(first, { expires_at: inMs(-1), last_seen_at: inMs(-30 * DAY_MS) });
      await expectOut(thieves[0]!);
      const row = await rowOf(id);
      if (row) expect(Date.parse(row.expires_at)).toBeLessThan(Date.now());
      await expectOut(thieves[0]!);
    });

    it('count from when it was last used, however old it is', async () => {
      const { first } = await victim();
      const id = await first.session();
      await set(first, { created_at: inMs(-400 * DAY_MS), expires_at: inMs(60_000), last_seen_at: inMs(-29 * DAY_MS) });
      const answer = await first.get('/api/auth/me');
      expect([answer.status, answer.headers.getSetCookie().length]).toEqual([200, 1]);
      // The row is written beside the request.
      await expect
        .poll(async () => Date.parse((await rowOf(id))!.expires_at))
        .toBeGreaterThan(Date.now() + 30 * DAY_MS - 60_000);
    });

    it('do not move with the requests of whoever is refused', async () => {
      const { first } = await victim();
      const id = await first.session();
      const [expires_at, last_seen_at] = [inMs(60_000), inMs(-29 * DAY_MS)];
      await set(first, { expires_at, last_seen_at });
      const cookie = ['cookie', `profclaw_session=${first.cookie}`] as const;
      const refused = await send(rig.server.url, 'GET /api/tasks', [cookie, ['origin', 'http://evil.example']]);
      expectError(refused, 403, 'forbidden');
      expect(refused.headers.get('set-cookie')).toBeNull();
      await first.get('/health');
      expect(await rowOf(id)).toMatchObject({ expires_at, last_seen_at });
    });
  });

  it('has ended on every server', async () => {
    const { first, second } = await victim();
    const other = await rig.another();
    const [good, ended] = [first, second].map(({ cookie }) => Object.assign(rig.stranger(other), { cookie }));
    // With SQLite there is one server only, which keeps what it has looked up for a second.
    if (isPostgres(rig.db)) await expectIn(ended!);
    await second.must('POST', '/api/auth/logout');
    await expectIn(good!);
    await expectOut(ended!);
  });
});
