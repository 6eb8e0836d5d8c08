import { beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { expectError, issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

// One secret for everybody who may use the server, without accounts.

const KEY = 'a key for all of us';
const NEXT = 'another key for us all';
const VERIFY = '/api/auth/verify-access-key';
const SET = '/api/auth/access-key';

const isOut = async (visitor: Visitor) =>
  expectError(await visitor.get('/api/auth/me'), 401, 'unauthenticated', 'Authentication required');
const isIn = async (visitor: Visitor) => expect((await visitor.get('/api/auth/me')).status).toBe(200);
const put = (visitor: Visitor, key: unknown) => visitor.send('PUT', SET, { key });

async function comeIn(visitor: Visitor, key = KEY): Promise<Visitor> {
  expect((await visitor.must('POST', VERIFY, { key })).success).toBe(true);
  return visitor;
}

onBothDatabases((start) => {
  describe('set over the API', () => {
    let rig: Rig;
    let local: Visitor;
    let task: Json;

    beforeAll(async () => {
      rig = await start();
      local = rig.local();
      task = (await local.must('POST', '/api/tasks', { title: 'T', prompt: 'P' })).task;
    });

    it.each([
      [{}, ['key']],
      [{ key: 'short', keys: 1 }, ['key', 'keys']],
      [{ key: 'k'.repeat(1001) }, ['key']],
      [{ key: 1234567890123456 }, ['key']],
    ])('not as %j', async (body, paths) => {
      expect(issuePaths(await local.send('PUT', SET, body))).toEqual(paths);
    });

    it('is right for nobody as long as there is none', async () => {
      expectError(await local.post(VERIFY, { key: '' }), 401, 'unauthenticated', 'This is not the access key');
      expectError(await local.post(VERIFY, { key: KEY }), 401, 'unauthenticated');
    });

    it('locks the server, but not the browser that set it', async () => {
      const answer = await put(local, KEY);
      expect([answer.status, answer.body]).toEqual([200, { message: 'The access key is set' }]);
      await isOut(rig.local());
      expect((await rig.local().get('/api/auth/status')).body).toEqual({
        mode: 'locked',
        accounts: false,
        accessKey: true,
      });
      expect((await local.get('/api/auth/me')).body).toMatchObject({ user: null, via: 'session', role: 'owner' });
    });

    it('lets in whoever has it, as the owner', async () => {
      const browser = rig.stranger();
      const answer = await browser.post(VERIFY, { key: KEY });
      expect([answer.status, answer.body]).toEqual([200, { success: true, message: 'The access key is right' }]);
      expect(answer.headers.get('set-cookie')).toMatch(
        /^profclaw_session=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly/,
      );
      expect((await browser.must('GET', `/api/tasks/${task.id}`)).task).toEqual(task);
      expect((await browser.get('/api/auth/sessions')).body.sessions).toMatchObject([
        { current: true, address: browser.address },
        { current: false },
      ]);
    });

    it.each([KEY.toUpperCase(), `${KEY} `, KEY.slice(1), '', 'k'.repeat(1000)])('is not %j', async (key) => {
      const browser = rig.stranger();
      expectError(await browser.post(VERIFY, { key }), 401, 'unauthenticated', 'This is not the access key');
      expect(browser.cookie).toBeUndefined();
    });

    it('is no API key, and no password', async () => {
      await isOut(rig.program(KEY));
      expect(issuePaths(await rig.stranger().post(VERIFY, { key: 1, password: 'x' }))).toEqual(['key', 'password']);
      expect(issuePaths(await rig.stranger().post(VERIFY, { key: 'k'.repeat(1001) }))).toEqual(['key']);
    });
  });

  // On a server of its own: no key is tried more than ten times a minute, from wherever.
  describe('once it is set', () => {
    let rig: Rig;
    let local: Visitor;
    let task: Json;

    beforeAll(async () => {
      rig = await start();
      local = rig.local();
      task = (await local.must('POST', '/api/tasks', { title: 'T', prompt: 'P' })).task;
      await put(local, KEY);
    });

    it('comes in anew with a new session, and logs out of it', async () => {
      const browser = await comeIn(rig.stranger());
      const old = browser.copy();
      await comeIn(browser);
      await isOut(old);
      await browser.must('POST', '/api/auth/logout');
      await isOut(browser);
    });

    it('makes API keys, which outlive it', async () => {
      const browser = await comeIn(rig.stranger());
      const { program, key } = await rig.withKey(browser, { scopes: ['chat', 'admin'] });
      expect((await program.get('/api/auth/me')).body).toMatchObject({ user: null, via: 'key', role: 'owner' });
      for (const next of [NEXT, KEY]) expect((await put(browser, next)).status).toBe(200);
      await isIn(program);
      await browser.must('DELETE', `/api/keys/${key.id}`);
      await isOut(program);
    });

    it('is changed, which ends every session but the one that does it', async () => {
      const [one, other] = [await comeIn(rig.stranger()), await comeIn(rig.stranger())];
      expect((await put(one, NEXT)).status).toBe(200);
      await isIn(one);
      for (const visitor of [other, local]) await isOut(visitor);
      expectError(await rig.stranger().post(VERIFY, { key: KEY }), 401, 'unauthenticated');
      await put(one, KEY);
    });

    it('makes the first account, which does not end it', async () => {
      const browser = await comeIn(rig.stranger());
      const fields = { email: 'owner@example.com', password: PASSWORD, name: 'O' };
      expectError(await rig.local().post('/api/auth/signup', fields), 401, 'unauthenticated');
      const other = await comeIn(rig.stranger());
      expect((await browser.must('POST', '/api/auth/signup', fields)).user.role).toBe('owner');
      expect((await browser.must('GET', `/api/tasks/${task.id}`)).task).toEqual(task);
      expect((await other.get('/api/auth/me')).body).toMatchObject({ user: null, role: 'owner' });
      const mine = (await browser.get('/api/auth/sessions')).body.sessions;
      expect(mine.map(({ current }: Json) => current)).toEqual([true]);
      expect((await other.get('/api/auth/sessions')).body.sessions.length).toBeGreaterThan(1);
      expectError(await other.patch('/api/auth/me', { name: 'N' }), 409, 'conflict', /no account/);
    });

    it('is taken away by the owner, which ends its sessions only', async () => {
      const owner = await rig.logIn('owner@example.com');
      const member = await rig.join(owner, 'mia');
      const admin = await rig.join(owner, 'ada', 'admin');
      for (const { browser } of [member, admin])
        expectError(await put(browser, null), 403, 'forbidden', /owner’s to set/);
      const browser = await comeIn(rig.stranger());
      expect((await put(owner, null)).body).toEqual({ message: 'There is no access key any more' });
      await isOut(browser);
      for (const visitor of [owner, member.browser]) await isIn(visitor);
      expectError(await rig.stranger().post(VERIFY, { key: KEY }), 401, 'unauthenticated');
      expect((await owner.get('/api/auth/status')).body).toEqual({ mode: 'locked', accounts: true, accessKey: false });
    });
  });

  it('taken away without an account, it leaves a server of this machine', async () => {
    const rig = await start();
    const local = rig.local();
    await put(local, KEY);
    await isOut(rig.local());
    await put(local, null);
    await isIn(rig.local());
    expectError(await rig.stranger().get('/api/auth/me'), 401, 'unauthenticated');
  });

  describe('from the environment', () => {
    const start1 = (PROFCLAW_ACCESS_KEY = KEY) => start({ PROFCLAW_ACCESS_KEY });

    it('locks the server from its start, and is changed nowhere else', async () => {
      const rig = await start1();
      await isOut(rig.local());
      const browser = await comeIn(rig.stranger());
      for (const key of [NEXT, null]) expectError(await put(browser, key), 409, 'conflict', /PROFCLAW_ACCESS_KEY/);
      await isIn(browser);
    });

    it('of the next start ends the sessions of the one before; the same one does not', async () => {
      const rig = await start1();
      const browser = await comeIn(rig.stranger());
      await rig.stopServer();
      const again = await rig.another();
      await isIn(browser.at(again.url));
      const changed = await rig.another({ PROFCLAW_ACCESS_KEY: NEXT });
      await isOut(browser.at(changed.url));
      await comeIn(rig.stranger(changed), NEXT);
      expectError(await rig.stranger(changed).post(VERIFY, { key: KEY }), 401, 'unauthenticated');
    });

    it('is gone with the variable, together with its sessions', async () => {
      const rig = await start1();
      const browser = await comeIn(rig.stranger());
      await rig.stopServer();
      const without = await rig.another({ PROFCLAW_ACCESS_KEY: '' });
      await isOut(browser.at(without.url));
      const local = rig.local(without);
      expect((await local.get('/api/auth/status')).body).toEqual({ mode: 'local', accounts: false, accessKey: false });
      expect((await put(local, NEXT)).status).toBe(200);
      const next = await rig.another({ PROFCLAW_ACCESS_KEY: '' });
      await comeIn(rig.stranger(next), NEXT);
    });
  });

  describe('a server that others can reach', () => {
    const PUBLIC = { HOST: '0.0.0.0' };

    it('does not start without one', async () => {
      const rig = await start();
      const error = await rig.another(PUBLIC).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConfigError);
      expect(String(error)).toMatch(/HOST: 0\.0\.0\.0 .*PROFCLAW_ACCESS_KEY.*signup/);
    });

    it('starts with one, and keeps it until there is an account', async () => {
      const rig = await start();
      await put(rig.local(), KEY);
      const server = await rig.another(PUBLIC);
      const url = server.url.replace('0.0.0.0', '127.0.0.1');
      await isOut(rig.local().at(url));
      const browser = await comeIn(rig.stranger().at(url));
      expectError(await put(browser, null), 409, 'conflict', /sign up first/);
      await isIn(browser);
      await browser.must('POST', '/api/auth/signup', { email: 'o@example.com', password: PASSWORD, name: 'O' });
      expect((await put(browser, null)).status).toBe(200);
      await isIn(browser);
      const again = await rig.another(PUBLIC);
      await isIn(browser.at(again.url.replace('0.0.0.0', '127.0.0.1')));
    });
  });
});
