import { beforeAll, describe, expect, it } from 'vitest';
import { isPostgres } from '../../src/storage/dialect.ts';
import { expectError } from '../contract/helpers.ts';
import type { TestServer } from '../server.ts';
import { onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

// Servers on one PostgreSQL are one to their users: what one refuses, the other one does too, at the next request. Two on
// one SQLite file take a second.

const KEY = 'a key for all of us';

const isOut = async (visitor: Visitor) => expectError(await visitor.get('/api/auth/me'), 401, 'unauthenticated');
const isIn = async (visitor: Visitor) => expect((await visitor.get('/api/auth/me')).status).toBe(200);

onBothDatabases((start) => {
  it('locked on one is locked on the other, and open again', async () => {
    const rig = await start();
    const second = await rig.another();
    for (const server of [rig.server, second]) await isIn(rig.local(server));
    const browser = rig.local();
    await browser.must('PUT', '/api/auth/access-key', { key: KEY });
    await isOut(rig.local());
    const status = async () => (await rig.local(second).get('/api/auth/me')).status;
    await expect.poll(status).toBe(401);
    await isIn(browser.at(second.url));
    await browser.must('PUT', '/api/auth/access-key', { key: null });
    await expect.poll(status).toBe(200);
    await browser.must('POST', '/api/auth/signup', { email: 'o@example.com', password: PASSWORD, name: 'O' });
    await expect.poll(status).toBe(401);
  });

  describe('locked', () => {
    let rig: Rig;
    let second: TestServer;
    let owner: Visitor;
    beforeAll(async () => {
      rig = await start();
      second = await rig.another();
      owner = (await rig.owner()).browser;
    });

    it('a session of one is one of the other, until it ends', async () => {
      const browser = await rig.logIn('owner@example.com');
      const there = browser.at(second.url);
      await isIn(there);
      await browser.must('POST', '/api/auth/logout');
      await rig.noticed();
      await isOut(there);
    });

    it('a key that is revoked on one is refused by the other', async () => {
      const { key, secret } = await owner.must('POST', '/api/keys', { name: 'K', scopes: ['chat'] });
      const program = rig.program(secret, second);
      await isIn(program);
      await owner.must('DELETE', `/api/keys/${key.id}`);
      await rig.noticed();
      await isOut(program);
    });

    it('an account that is disabled, made a member or deleted on one is so on the other', async () => {
      const { browser, user } = await rig.join(owner, 'ada', 'admin');
      const { program } = await rig.withKey(browser, { scopes: ['admin'] });
      const both = [browser.at(second.url), program.at(second.url)];
      const path = `/api/users/${user.id}`;
      for (const visitor of both) expect((await visitor.get('/api/users')).status).toBe(200);
      await owner.must('PATCH', path, { role: 'member' });
      await rig.noticed();
      for (const visitor of both) expectError(await visitor.get('/api/users'), 403, 'forbidden');
      await owner.must('PATCH', path, { disabled: true });
      await rig.noticed();
      for (const visitor of both) await isOut(visitor);
      await owner.must('PATCH', path, { disabled: false });
      await rig.noticed();
      await isIn(both[1]!);
      await owner.must('DELETE', path);
      await rig.noticed();
      await isOut(both[1]!);
    });

    it('a new password ends the sessions of both', async () => {
      const { browser } = await rig.join(owner, 'mia');
      const there = browser.copy().at(second.url);
      await isIn(there);
      await browser.must('PATCH', '/api/auth/me', { password: 'a password that is new', currentPassword: PASSWORD });
      await rig.noticed();
      await isOut(there);
      await isIn(browser.at(second.url));
    });

    it('wrong passwords are counted together', async () => {
      const login = { email: 'unknown@example.com', password: 'wrong' };
      for (let i = 0; i < 6; i++) {
        const server = i % 2 === 0 ? rig.server : second;
        expectError(await rig.stranger(server).post('/api/auth/login', login), 401, 'unauthenticated');
      }
      const { failures } = await rig.db
        .selectFrom('login_failures')
        .select('failures')
        .where('name', '=', `account:${login.email}`)
        .executeTakeFirstOrThrow();
      expect(failures).toBe(6);
    });

    it('requests are counted together where there may be several servers', async () => {
      const { secret } = await owner.must('POST', '/api/keys', { name: 'K', scopes: ['chat'], rateLimit: 2 });
      const statuses: number[] = [];
      for (const server of [rig.server, second, rig.server, second])
        statuses.push((await rig.program(secret, server).get('/api/tasks')).status);
      expect(statuses).toEqual(isPostgres(rig.db) ? [200, 200, 429, 429] : [200, 200, 200, 200]);
    });
  });
});
