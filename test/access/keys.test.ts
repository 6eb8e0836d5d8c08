import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import { cleanUp, start as startProgram } from '../process/program.ts';
import type { Json } from '../server.ts';
import { onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import { Visitor } from './visitor.ts';

// API keys: making, using and revoking them.

const KEYS = '/api/keys';
const DAY_MS = 86_400_000;

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Visitor;

  beforeAll(async () => {
    rig = await start();
    owner = (await rig.owner()).browser;
  });

  const rowOf = (id: string) =>
    rig.db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  describe('making one', () => {
    it('shows its secret this once', async () => {
      const { key, secret } = await owner.must('POST', KEYS, { name: 'Ci ☃', scopes: ['chat', 'chat'] });
      expect(secret).toMatch(/^profclaw_[\w-]{43}$/);
      expect(key).toEqual({
        id: expect.stringMatching(/^key_/),
        name: 'Ci ☃',
        hint: secret.slice(0, 13),
        scopes: ['chat'],
        rateLimit: null,
        budget: null,
        createdAt: expect.stringMatching(/Z$/),
        expiresAt: null,
        lastUsedAt: null,
      });
      const { body } = await owner.get(KEYS);
      expect([body.total, body.keys]).toEqual([1, [key]]);
      expect(JSON.stringify(await rowOf(key.id))).not.toContain(secret.slice(14));
    });

    it('takes an end, a rate and a budget', async () => {
      const budget = { usd: 1.5, tokens: 1000, period: 'day' };
      const fields = { name: 'All', scopes: ['tools'], expiresInDays: 30, rateLimit: 600, budget };
      const { key } = await owner.must('POST', KEYS, fields);
      expect(key).toMatchObject({
        scopes: ['tools'],
        rateLimit: 600,
        budget: { ...budget, usedUsd: 0, usedTokens: 0, resetsAt: expect.stringMatching(/T00:00:00.000Z$/) },
      });
      expect(Math.round((Date.parse(key.expiresAt) - Date.parse(key.createdAt)) / DAY_MS)).toBe(30);
      const { key: other } = await owner.must('POST', KEYS, { ...fields, budget: { tokens: 1 } });
      expect(other.budget).toMatchObject({ tokens: 1, usd: null, period: 'month' });
    });

    it.each([
      [{}, ['name', 'scopes']],
      [{ name: '', scopes: [], secret: 'x', owner: 'local' }, ['name', 'scopes', 'secret', 'owner']],
      [{ name: 'n'.repeat(201), scopes: ['chat', 'root', 'ADMIN'] }, ['name', 'scopes.1', 'scopes.2']],
      [{ name: 'N', scopes: ['chat'], expiresInDays: 0, rateLimit: 0 }, ['expiresInDays', 'rateLimit']],
      [{ name: 'N', scopes: ['chat'], expiresInDays: 3651, rateLimit: 1_000_001 }, ['expiresInDays', 'rateLimit']],
      [{ name: 'N', scopes: ['chat'], expiresInDays: 1.5, rateLimit: '5' }, ['expiresInDays', 'rateLimit']],
      [{ name: 'N', scopes: ['chat'], budget: {} }, ['budget']],
      [
        { name: 'N', scopes: ['chat'], budget: { usd: 0, tokens: -1, period: 'year', eur: 1 } },
        ['budget.usd', 'budget.tokens', 'budget.period', 'budget.eur'],
      ],
      [{ name: 'a\0b', scopes: ['chat'] }, ['name']],
      [{ name: 'a\ud800b', scopes: ['chat'] }, ['name']],
    ])('is refused with everything that is wrong: %j', async (fields, paths) => {
      expect(issuePaths(await owner.post(KEYS, fields))).toEqual(paths);
    });

    it('gives nobody more than they have', async () => {
      const { browser } = await rig.join(owner, 'member');
      expectError(
        await browser.post(KEYS, { name: 'N', scopes: ['chat', 'admin', 'providers:write'] }),
        403,
        'forbidden',
        /admin, providers:write/,
      );
      expect((await browser.get(KEYS)).body.total).toBe(0);
      const { program } = await rig.withKey(owner, { scopes: ['admin'] });
      expectError(await program.post(KEYS, { name: 'N', scopes: ['chat'] }), 403, 'forbidden', /chat/);
      const { secret } = await program.must('POST', KEYS, { name: 'N', scopes: ['admin'] });
      expect((await rig.program(secret).get('/api/users')).status).toBe(200);
    });
  });

  describe('using one', () => {
    it('acts as its maker, within its scopes', async () => {
      const { browser, user } = await rig.join(owner, 'maker');
      const { program } = await rig.withKey(browser, { scopes: ['conversations:read'] });
      const { conversation } = await browser.must('POST', '/api/chat/conversations', { title: 'Mine' });
      expect((await program.must('GET', '/api/chat/conversations')).conversations[0].id).toBe(conversation.id);
      expect((await program.get('/api/auth/me')).body).toMatchObject({
        user: { id: user.id },
        via: 'key',
        role: 'member',
        scopes: ['conversations:read'],
      });
      expectError(await program.post('/api/chat/conversations'), 403, 'forbidden', /scope chat/);
      expectError(await program.get('/api/users'), 403, 'forbidden', /scope admin/);
      expectError(await program.get(KEYS), 403, 'forbidden', /scope admin/);
    });

    it('says when it was last used, to the minute', async () => {
      const { program, key } = await rig.withKey(owner, { scopes: ['chat'] });
      const before = Date.now();
      await program.must('GET', '/api/tasks');
      const used = async () => (await rowOf(key.id)).last_used_at;
      await expect.poll(used).not.toBeNull();
      const first = await used();
      expect(Date.parse(first ?? '')).toBeGreaterThanOrEqual(before);
      await program.must('GET', '/api/tasks');
      expect(await used()).toBe(first);
      const longAgo = new Date(before - 61_000).toISOString();
      await rig.db.updateTable('api_keys').set({ last_used_at: longAgo }).where('id', '=', key.id).execute();
      await rig.noticed();
      await program.must('GET', '/api/tasks');
      await expect.poll(used).not.toBe(longAgo);
      const { keys } = await owner.must('GET', `${KEYS}?limit=100`);
      expect(keys.find(({ id }: Json) => id === key.id).lastUsedAt).toBe(await used());
    });

    it('is over when it has expired, and says so', async () => {
      const { program, key } = await rig.withKey(owner, { name: 'Short', scopes: ['chat'], expiresInDays: 1 });
      const expires_at = new Date(Date.now() - 1).toISOString();
      await rig.db.updateTable('api_keys').set({ expires_at }).where('id', '=', key.id).execute();
      await rig.noticed();
      const answer = await program.get('/api/tasks');
      expectError(answer, 401, 'unauthenticated', 'Authentication required');
      expect(answer.body.details.hint).toBe(`The API key "Short" expired on ${expires_at}; make a new one`);
    });

    it('is not possible by its hint, its hash, its id, or another letter', async () => {
      const { key, secret } = await rig.withKey(owner, { scopes: ['chat'] });
      const { hash } = await rowOf(key.id);
      for (const text of [
        key.hint,
        key.id,
        hash,
        `profclaw_${hash}`,
        secret.slice(9),
        `${secret}x`,
        secret.toUpperCase(),
      ])
        expectError(await rig.program(text).get('/api/tasks'), 401, 'unauthenticated');
      const bearer = (authorization: string) => rig.stranger().send('GET', '/api/tasks', undefined, { authorization });
      expect((await bearer(`bearer   ${secret}`)).status).toBe(200);
      for (const header of [secret, `Basic ${secret}`, `Bearer ${secret} ${secret}`, 'Bearer', ''])
        expectError(await bearer(header), 401, 'unauthenticated');
    });

    it('counts when a cookie comes with it, which does not', async () => {
      const { secret } = await rig.withKey(owner, { scopes: ['chat'] });
      const both = owner.copy();
      expect((await both.send('GET', '/api/auth/me', undefined, { authorization: `Bearer ${secret}` })).body.via).toBe(
        'key',
      );
      const wrong = { authorization: 'Bearer profclaw_wrong' };
      expectError(await both.send('GET', '/api/auth/me', undefined, wrong), 401, 'unauthenticated');
    });

    it('shows what its budget has left', async () => {
      const { program, key } = await rig.withKey(owner, { scopes: ['chat'], budget: { tokens: 5, period: 'total' } });
      const ask = () => program.post('/api/chat/quick', { prompt: 'Hi', model: 'demo' });
      const { usage } = (await ask()).body;
      expect(usage.totalTokens).toBeGreaterThan(5);
      const { keys } = await owner.must('GET', `${KEYS}?limit=100`);
      expect(keys.find(({ id }: Json) => id === key.id).budget).toEqual({
        tokens: 5,
        usd: null,
        period: 'total',
        usedTokens: usage.totalTokens,
        usedUsd: 0,
        resetsAt: null,
      });
      expectError(await ask(), 429, 'budget_exceeded', /budget of this API key is used up/);
    });
  });

  describe('revoking one', () => {
    it('holds from the next request on, and is done once', async () => {
      const { program, key } = await rig.withKey(owner, { scopes: ['chat'], budget: { tokens: 5 } });
      expect((await program.get('/api/tasks')).status).toBe(200);
      expect((await owner.remove(`${KEYS}/${key.id}`)).body).toEqual({ message: 'API key revoked' });
      expectError(await program.get('/api/tasks'), 401, 'unauthenticated', 'Authentication required');
      expectError(await owner.remove(`${KEYS}/${key.id}`), 404, 'not_found', key.id);
      expect(await rig.db.selectFrom('budgets').select('subject').where('subject', '=', key.id).execute()).toEqual([]);
    });

    it('is for one’s own', async () => {
      const { browser } = await rig.join(owner, 'reviser');
      const { program, key } = await rig.withKey(browser, { scopes: ['chat'] });
      const { program: ours, key: our } = await rig.withKey(owner, { scopes: ['chat'] });
      expectError(await owner.remove(`${KEYS}/${key.id}`), 404, 'not_found');
      expectError(await browser.remove(`${KEYS}/${our.id}`), 404, 'not_found');
      for (const one of [program, ours]) expect((await one.get('/api/tasks')).status).toBe(200);
      const ids = (await browser.must('GET', KEYS)).keys.map(({ id }: Json) => id);
      expect(ids).toEqual([key.id]);
    });

    it.each(['key_none', '%00', '%ed%a0%80'])('is not done to %s', async (id) => {
      expectError(await owner.remove(`${KEYS}/${id}`), 404, 'not_found');
    });
  });

  it('the list comes in pages, newest first', async () => {
    const { browser } = await rig.join(owner, 'many');
    for (let i = 0; i < 5; i++) await browser.must('POST', KEYS, { name: `${i}`, scopes: ['chat'] });
    const page = async (query: string) => {
      const { keys, total } = await browser.must('GET', `${KEYS}?${query}`);
      return [keys.map(({ name }: Json) => name).join(''), total];
    };
    expect(await page('')).toEqual(['43210', 5]);
    expect(await page('limit=2')).toEqual(['43', 5]);
    expect(await page('limit=2&offset=4')).toEqual(['0', 5]);
    expect(await page('offset=9')).toEqual(['', 5]);
    expect(issuePaths(await browser.get(`${KEYS}?limit=0&offset=-1&sort=name`))).toEqual([
      'query.limit',
      'query.offset',
      'query.sort',
    ]);
  });
});

describe('the program', () => {
  afterAll(cleanUp);

  it('writes no password, cookie, code or key into its log or its files, at a level that tells all', async () => {
    const program = startProgram({ PROFCLAW_LOG_LEVEL: 'trace', PROFCLAW_ACCESS_KEY: 'an access key of the env' });
    const url = await program.listening;
    const browser = new Visitor(url);
    await browser.must('POST', '/api/auth/verify-access-key', { key: 'an access key of the env' });
    await browser.must('POST', '/api/auth/signup', { email: 'o@example.com', password: PASSWORD, name: 'O' });
    await browser.post('/api/auth/login', { email: 'o@example.com', password: 'a password that is wrong' });
    await browser.post('/api/auth/verify-access-key', { key: 'an access key that is wrong' });
    const { code } = await browser.must('POST', '/api/invites');
    const { secret } = await browser.must('POST', KEYS, { name: 'K', scopes: ['chat'] });
    const other = new Visitor(url);
    await other.must('POST', '/api/auth/signup', {
      email: 'p@example.com',
      password: PASSWORD,
      name: 'P',
      inviteCode: code,
    });
    const withKey = new Visitor(url, { authorization: `Bearer ${secret}` });
    await withKey.must('POST', '/api/chat/quick', { prompt: 'Hi', model: 'demo' });
    expect(
      (await new Visitor(url, { authorization: 'Bearer profclaw_a-key-that-is-wrong' }).get('/api/tasks')).status,
    ).toBe(401);
    const change = { password: 'a password that is new', currentPassword: PASSWORD };
    await browser.must('PATCH', '/api/auth/me', change);
    program.child.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 0 });
    const files = readdirSync(program.home).map((name) => readFileSync(join(program.home, name), 'latin1'));
    const everything = [program.stdout(), program.stderr(), ...files].join('\n');
    expect(program.stderr()).toContain('/api/auth/verify-access-key');
    expect(everything).toContain('o@example.com');
    const secrets = [browser, other, withKey].flatMap((visitor) => [...visitor.secrets]);
    expect(secrets.length).toBeGreaterThan(10);
    for (const text of [...secrets, 'a-key-that-is-wrong']) expect(everything).not.toContain(text);
  });
});
