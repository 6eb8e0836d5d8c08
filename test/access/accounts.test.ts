import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { insertAccount } from '../../src/storage/accounts.ts';
import { expectError, issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { type Member, onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

// From a server of one's own machine to one with accounts: signing up, logging in, and changing one's account.

const CONVERSATIONS = '/api/chat/conversations';
const ALL_SCOPES = ['chat', 'tools', 'conversations:read', 'providers:write', 'admin'];
const MEMBER_SCOPES = ['chat', 'tools', 'conversations:read'];

const account = (email: string, more: object = {}) => ({ email, password: PASSWORD, name: 'N', ...more });

onBothDatabases((start) => {
  describe('the first account', () => {
    let rig: Rig;
    let local: Visitor;
    let owner: Member;
    const made: Record<string, Json> = {};

    beforeAll(async () => {
      rig = await start();
      local = rig.local();
    });

    it('is not needed on one’s own machine', async () => {
      expect((await local.get('/api/auth/status')).body).toEqual({ mode: 'local', accounts: false, accessKey: false });
      expect((await local.get('/api/auth/me')).body).toEqual({
        user: null,
        budget: null,
        via: 'local',
        role: 'owner',
        scopes: ALL_SCOPES,
      });
      made.conversation = (await local.must('POST', CONVERSATIONS, { title: 'Before' })).conversation;
      await local.must('POST', `${CONVERSATIONS}/${made.conversation.id}/messages`, { content: 'Hi', model: 'demo' });
      made.task = (await local.must('POST', '/api/tasks', { title: 'T', prompt: 'P' })).task;
      made.ticket = (await local.must('POST', '/api/tickets', { title: 'T' })).ticket;
      made.preset = (await local.must('POST', '/api/chat/presets', { name: 'N', systemPrompt: 'S' })).preset;
      made.key = await local.must('POST', '/api/keys', { name: 'Old', scopes: ['chat', 'conversations:read'] });
    });

    it('is not a stranger’s', async () => {
      const stranger = rig.stranger();
      expectError(await stranger.post('/api/auth/signup', account('thief@example.com')), 401, 'unauthenticated');
      expect(stranger.cookie).toBeUndefined();
    });

    it('is not made with an API key', async () => {
      const program = rig.program(made.key.secret);
      expectError(await program.post('/api/auth/signup', account('thief@example.com')), 401, 'unauthenticated');
    });

    it('is the owner’s, whose browser gets a cookie', async () => {
      // That the server is not locked is remembered for a second: freshly so, when the account is made.
      await sleep(1100);
      await local.must('GET', '/api/auth/me');
      const answer = await local.post('/api/auth/signup', account('Olga@Example.COM', { name: 'Ölga ☃' }));
      expect([answer.status, answer.body]).toEqual([
        201,
        {
          user: {
            id: expect.stringMatching(/^usr_/),
            email: 'olga@example.com',
            name: 'Ölga ☃',
            role: 'owner',
            status: 'active',
            rateLimit: null,
            createdAt: expect.stringMatching(/Z$/),
            lastLoginAt: null,
          },
        },
      ]);
      expect(answer.headers.get('set-cookie')).toMatch(
        /^profclaw_session=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
      );
      owner = { browser: local, user: answer.body.user };
      const me = await local.get('/api/auth/me');
      expect(me.body).toEqual({ user: owner.user, budget: null, via: 'session', role: 'owner', scopes: ALL_SCOPES });
    });

    it('locks the server', async () => {
      const other = rig.local();
      expect((await other.get('/api/auth/status')).body).toEqual({ mode: 'locked', accounts: true, accessKey: false });
      for (const path of ['/api/tasks', '/api/auth/me', '/docs', '/api/openapi.json', CONVERSATIONS])
        expectError(await other.get(path), 401, 'unauthenticated', /^Authentication required$/);
      expect((await other.get('/health')).status).toBe(200);
      expectError(await other.post('/api/auth/signup', account('second@example.com')), 403, 'forbidden', /inviteCode/);
    });

    it('has everything that was there before', async () => {
      const { browser } = owner;
      const { conversation, messages } = await browser.must('GET', `${CONVERSATIONS}/${made.conversation.id}`);
      expect([conversation.title, messages.length]).toEqual(['Before', 2]);
      expect((await browser.must('GET', CONVERSATIONS)).total).toBe(1);
      expect((await browser.must('GET', `/api/tasks/${made.task.id}`)).task).toEqual(made.task);
      expect((await browser.must('GET', `/api/tickets/${made.ticket.key}`)).ticket).toEqual(made.ticket);
      expect((await browser.must('GET', `/api/chat/presets/${made.preset.id}`)).preset).toEqual(made.preset);
      expect((await browser.must('POST', '/api/tickets', { title: 'U' })).ticket.key).toBe('PC-2');
    });

    it('has the keys that were made before, which stay good', async () => {
      const program = rig.program(made.key.secret);
      expect((await program.must('GET', CONVERSATIONS)).conversations[0].id).toBe(made.conversation.id);
      const { keys } = await owner.browser.must('GET', '/api/keys');
      expect(keys.map(({ name }: Json) => name)).toEqual(['Old']);
      await owner.browser.must('DELETE', `/api/keys/${made.key.key.id}`);
      expectError(await program.get(CONVERSATIONS), 401, 'unauthenticated');
    });

    it('shares nothing of it with the next one', async () => {
      const { browser, user } = await rig.join(owner.browser, 'mia');
      expect([user.role, user.id]).toEqual(['member', expect.not.stringMatching(owner.user.id)]);
      expect((await browser.must('GET', CONVERSATIONS)).total).toBe(0);
      for (const path of [
        `${CONVERSATIONS}/${made.conversation.id}`,
        `/api/tasks/${made.task.id}`,
        `/api/tickets/${made.ticket.key}`,
        `/api/chat/presets/${made.preset.id}`,
      ])
        expectError(await browser.get(path), 404, 'not_found');
      expect((await browser.must('POST', '/api/tickets', { title: 'Own' })).ticket.key).toBe('PC-1');
      expect((await browser.get('/api/auth/me')).body.scopes).toEqual(MEMBER_SCOPES);
    });
  });

  it('of five first accounts at once there is one', async () => {
    const rig = await start();
    const browsers = Array.from({ length: 5 }, () => rig.local());
    const answers = await Promise.all(
      browsers.map((browser, i) => browser.post('/api/auth/signup', account(`n${i}@example.com`))),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 403, 403, 403, 403]);
    for (const answer of answers) if (answer.status === 403) expectError(answer, 403, 'forbidden', /inviteCode/);
    expect(await rig.db.selectFrom('accounts').select('owner').execute()).toEqual([{ owner: 'local' }]);
  });

  it('of two first accounts, the later one is told that it needs an invite', async () => {
    const rig = await start();
    const first = { id: 'usr_1', owner: 'local', email: 'first@example.com', name: 'F', role: 'owner' } as const;
    let later: ReturnType<Visitor['post']> | undefined;
    await rig.db.transaction().execute(async (tx) => {
      await insertAccount(tx, { ...first, password_hash: '' });
      later = rig.local().post('/api/auth/signup', account('later@example.com'));
      // Time to find that there is no account yet, as far as it can see.
      await sleep(1000);
    });
    expectError(await later!, 403, 'forbidden', /inviteCode/);
  });

  describe('a new account', () => {
    let rig: Rig;
    let owner: Visitor;
    beforeAll(async () => {
      rig = await start();
      owner = (await rig.owner()).browser;
    });

    it.each([
      [{}, ['email', 'password', 'name']],
      [{ email: 'x', password: 'short', name: '', inviteCode: '' }, ['email', 'password', 'name', 'inviteCode']],
      [{ ...account('a@b.example'), role: 'owner', owner: 'local' }, ['role', 'owner']],
      [account(`${'a'.repeat(245)}@b.example`), ['email']],
      [account('a@b.example\n'), ['email']],
      [account('a@b.example', { password: 'p'.repeat(1001) }), ['password']],
      [account('a@b.example', { name: 'n'.repeat(201) }), ['name']],
      [{ email: 1, password: 12345678, name: null }, ['email', 'password', 'name']],
      ['x', ['body']],
    ])('is refused with everything that is wrong: %#', async (fields, paths) => {
      expect(issuePaths(await rig.stranger().post('/api/auth/signup', fields))).toEqual(paths);
    });

    it('takes any characters in its password and name, and knows a password again in another form of Unicode', async () => {
      const { code } = await owner.must('POST', '/api/invites', {});
      const password = 'pässwörd ☃ \u0000 " \\ 👩‍👩‍👧';
      const fields = {
        ...account('odd@example.com'),
        password,
        name: "N'); drop table accounts;-- 👩‍👩‍👧",
        inviteCode: code,
      };
      const { user } = await rig.stranger().must('POST', '/api/auth/signup', fields);
      expect(user.name).toBe(fields.name);
      const form = password.normalize('NFD');
      expect(form).not.toBe(password);
      const browser = await rig.logIn('odd@example.com', form);
      expect((await browser.get('/api/auth/me')).body.user.name).toBe(fields.name);
      expectError(
        await browser.post('/api/auth/login', { email: 'odd@example.com', password: password.toUpperCase() }),
        401,
        'unauthenticated',
      );
    });

    it.each(['a\0b', 'a\ud800b'])('has no name that PostgreSQL could not keep: %j', async (name) => {
      const { code } = await owner.must('POST', '/api/invites', {});
      const fields = { ...account('nul@example.com'), name, inviteCode: code };
      expect(issuePaths(await rig.stranger().post('/api/auth/signup', fields))).toEqual(['name']);
      expect(issuePaths(await owner.patch('/api/auth/me', { name }))).toEqual(['name']);
    });
  });

  describe('logging in', () => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await start();
      await rig.owner();
    });

    it('takes an email in any case, and says when it was last done', async () => {
      const browser = rig.stranger();
      const { status, body } = await browser.post('/api/auth/login', {
        email: 'OWNER@Example.com',
        password: PASSWORD,
      });
      expect([status, body.user.email]).toEqual([200, 'owner@example.com']);
      expect(Date.now() - Date.parse(body.user.lastLoginAt)).toBeLessThan(60_000);
      expect((await browser.get('/api/auth/me')).body).toMatchObject({ via: 'session', user: body.user });
    });

    it('says the same to a wrong password and to an unknown email', async () => {
      const wrong = await rig.stranger().post('/api/auth/login', { email: 'owner@example.com', password: 'wrong' });
      const unknown = await rig.stranger().post('/api/auth/login', { email: 'nobody@example.com', password: 'wrong' });
      expectError(wrong, 401, 'unauthenticated', 'The email or the password is wrong');
      expect(unknown.body).toEqual({ ...wrong.body, requestId: unknown.body.requestId });
      expect(wrong.headers.get('set-cookie')).toBeNull();
    });

    it.each([
      [{}, ['email', 'password']],
      [{ email: 'x', password: 1, name: 'N' }, ['email', 'password', 'name']],
      [{ email: 'a@b.example', password: 'p'.repeat(1001) }, ['password']],
    ])('is refused with everything that is wrong: %j', async (fields, paths) => {
      expect(issuePaths(await rig.stranger().post('/api/auth/login', fields))).toEqual(paths);
    });

    it('gives a new session and ends the one that the browser had', async () => {
      const browser = await rig.logIn('owner@example.com');
      const old = browser.copy();
      await browser.must('POST', '/api/auth/login', { email: 'owner@example.com', password: PASSWORD });
      expect(browser.cookie).not.toBe(old.cookie);
      expectError(await old.get('/api/auth/me'), 401, 'unauthenticated');
      expect((await browser.get('/api/auth/me')).status).toBe(200);
    });

    it('does not take over a session that somebody has put into the browser', async () => {
      const browser = rig.stranger();
      browser.cookie = 'A'.repeat(43);
      await browser.must('POST', '/api/auth/login', { email: 'owner@example.com', password: PASSWORD });
      expect(browser.cookie).not.toBe('A'.repeat(43));
    });

    it('ends with logging out, which anybody may do twice', async () => {
      const browser = await rig.logIn('owner@example.com');
      const copy = browser.copy();
      const answer = await browser.post('/api/auth/logout');
      expect([answer.status, answer.body]).toEqual([200, { message: 'Logged out' }]);
      expect(answer.headers.get('set-cookie')).toMatch(/^profclaw_session=; Path=\/; Max-Age=0;/);
      expectError(await copy.get('/api/auth/me'), 401, 'unauthenticated');
      expect((await copy.post('/api/auth/logout')).status).toBe(200);
      expect((await rig.stranger().post('/api/auth/logout')).status).toBe(200);
    });

    it('sets a cookie for https only, behind a proxy that speaks it', async () => {
      const browser = rig.stranger();
      const login = { email: 'owner@example.com', password: PASSWORD };
      const { headers } = await browser.send('POST', '/api/auth/login', login, { 'x-forwarded-proto': 'https' });
      expect(headers.get('set-cookie')).toMatch(/; SameSite=Lax; Secure$/);
    });
  });

  describe('one’s own account', () => {
    let rig: Rig;
    let owner: Visitor;
    let mia: Member;
    beforeAll(async () => {
      rig = await start();
      owner = (await rig.owner()).browser;
      mia = await rig.join(owner, 'mia');
    });

    it('gets another name', async () => {
      const { status, body } = await mia.browser.patch('/api/auth/me', { name: 'Mia M.' });
      expect([status, body.user]).toEqual([200, { ...mia.user, name: 'Mia M.' }]);
      expect((await mia.browser.get('/api/auth/me')).body.user.name).toBe('Mia M.');
    });

    it('gets another email, with the password of now', async () => {
      const email = 'mia2@example.com';
      for (const given of [{}, { currentPassword: 'wrong wrong' }])
        expectError(await mia.browser.patch('/api/auth/me', { email, ...given }), 403, 'forbidden', /currentPassword/);
      const change = { email: 'MIA2@example.com', currentPassword: PASSWORD };
      expect((await mia.browser.patch('/api/auth/me', change)).body.user.email).toBe('mia2@example.com');
      expectError(
        await rig.stranger().post('/api/auth/login', { email: 'mia@example.com', password: PASSWORD }),
        401,
        'unauthenticated',
      );
      await rig.logIn('mia2@example.com');
    });

    it('does not get an email that another one has', async () => {
      const change = { email: 'Owner@example.com', currentPassword: PASSWORD };
      expectError(await mia.browser.patch('/api/auth/me', change), 409, 'conflict', /owner@example.com/);
      expect((await mia.browser.patch('/api/auth/me', { ...change, email: 'mia2@example.com' })).status).toBe(200);
    });

    it('with another password has no session left but a new one', async () => {
      const other = await rig.logIn('mia2@example.com');
      const old = mia.browser.copy();
      const password = 'a password that is new';
      expectError(await mia.browser.patch('/api/auth/me', { password }), 403, 'forbidden', /currentPassword/);
      expect((await other.get('/api/auth/me')).status).toBe(200);
      await mia.browser.must('PATCH', '/api/auth/me', { password, currentPassword: PASSWORD });
      expect(mia.browser.cookie).not.toBe(old.cookie);
      expect((await mia.browser.get('/api/auth/me')).status).toBe(200);
      for (const browser of [old, other]) expectError(await browser.get('/api/auth/me'), 401, 'unauthenticated');
      expectError(
        await rig.stranger().post('/api/auth/login', { email: 'mia2@example.com', password: PASSWORD }),
        401,
        'unauthenticated',
      );
      await rig.logIn('mia2@example.com', password);
      expect((await owner.get('/api/auth/me')).status).toBe(200);
    });

    it.each([
      [{ role: 'owner', status: 'active', id: 'x' }, ['role', 'status', 'id']],
      [
        { name: '', email: 'x', password: 'short', currentPassword: 1 },
        ['name', 'email', 'password', 'currentPassword'],
      ],
      [{ name: null, email: null }, ['name', 'email']],
    ])('is not changed by %j', async (change, paths) => {
      expect(issuePaths(await mia.browser.patch('/api/auth/me', change))).toEqual(paths);
    });

    it('of two who want one email at once, one gets it', async () => {
      const others = await Promise.all(['x', 'y'].map((name) => rig.join(owner, name)));
      for (let round = 0; round < 4; round++) {
        const change = { email: `same${round}@example.com`, currentPassword: PASSWORD };
        const answers = await Promise.all(others.map(({ browser }) => browser.patch('/api/auth/me', change)));
        expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
      }
    });

    it('is not there for a local caller', async () => {
      const own = await start();
      expectError(await own.local().patch('/api/auth/me', { name: 'N' }), 409, 'conflict', /POST \/api\/auth\/signup/);
    });
  });
});
