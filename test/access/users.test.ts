import { beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { type Member, onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

// What admins do with accounts, and who may do it to whom.

const USERS = '/api/users';

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Member;

  beforeAll(async () => {
    rig = await start();
    owner = await rig.owner();
  });

  const join = (name: string, role?: 'admin' | 'member') => rig.join(owner.browser, name, role);
  const isOut = async (visitor: Visitor) =>
    expectError(await visitor.get('/api/auth/me'), 401, 'unauthenticated', 'Authentication required');
  const isIn = async (visitor: Visitor) => expect((await visitor.get('/api/auth/me')).status).toBe(200);

  describe('the list', () => {
    it('has everybody, oldest first, in pages', async () => {
      const members = [await join('list1'), await join('list2', 'admin')];
      const { body } = await owner.browser.get(USERS);
      expect([body.total, body.users]).toEqual([3, [owner, ...members].map(({ user }) => user)]);
      const { users, total } = await members[1]!.browser.must('GET', `${USERS}?limit=1&offset=1`);
      expect([total, users]).toEqual([3, [members[0]!.user]]);
      expect(JSON.stringify(body)).not.toMatch(/argon2|password|hash/);
    });

    it('is the admins’', async () => {
      const { browser } = await join('list3');
      for (const path of [USERS, `${USERS}/${owner.user.id}`, '/api/invites', '/api/audit'])
        expectError(await browser.get(path), 403, 'forbidden', /member.*admin/);
    });

    it('shows one with its budget', async () => {
      const { user } = await join('list4');
      expect((await owner.browser.get(`${USERS}/${user.id}`)).body).toEqual({ user: { ...user, budget: null } });
      for (const id of ['usr_none', '%00', '%ed%a0%80'])
        expectError(await owner.browser.get(`${USERS}/${id}`), 404, 'not_found');
    });
  });

  describe('a change', () => {
    it('of limits is shown, and null takes them away', async () => {
      const { user } = await join('limits');
      const path = `${USERS}/${user.id}`;
      const budget = { usd: 2, period: 'week' };
      const { body } = await owner.browser.patch(path, { rateLimit: 100, budget });
      expect(body.user).toMatchObject({
        rateLimit: 100,
        role: 'member',
        status: 'active',
        budget: { usd: 2, tokens: null, period: 'week', usedUsd: 0, usedTokens: 0 },
      });
      expect((await owner.browser.patch(path, { budget: { tokens: 5 } })).body.user).toMatchObject({
        rateLimit: 100,
        budget: { usd: null, tokens: 5, period: 'month' },
      });
      expect((await owner.browser.patch(path, { rateLimit: null, budget: null })).body.user).toEqual({
        ...user,
        budget: null,
      });
    });

    it('of a budget binds all that the account does', async () => {
      const { browser, user } = await join('spender');
      await owner.browser.must('PATCH', `${USERS}/${user.id}`, { budget: { tokens: 1, period: 'total' } });
      const { program } = await rig.withKey(browser, { scopes: ['chat'] });
      const ask = (visitor: Visitor) => visitor.post('/api/chat/quick', { prompt: 'Hi', model: 'demo' });
      expect((await ask(program)).status).toBe(200);
      for (const visitor of [browser, program])
        expectError(await ask(visitor), 429, 'budget_exceeded', /budget of this account is used up/);
      expect((await ask(owner.browser)).status).toBe(200);
      const { budget } = (await owner.browser.must('GET', `${USERS}/${user.id}`)).user;
      expect(budget.usedTokens).toBeGreaterThan(1);
      await owner.browser.must('PATCH', `${USERS}/${user.id}`, { budget: null });
      expect((await ask(program)).status).toBe(200);
    });

    it('to disabled lets nobody in any more, and back again', async () => {
      const { browser, user } = await join('disabled');
      const { program } = await rig.withKey(browser, { scopes: ['chat'] });
      const other = await rig.logIn('disabled@example.com');
      const { body } = await owner.browser.patch(`${USERS}/${user.id}`, { disabled: true });
      expect(body.user.status).toBe('disabled');
      for (const visitor of [browser, other, program]) await isOut(visitor);
      const login = { email: 'disabled@example.com', password: PASSWORD };
      expectError(await rig.stranger().post('/api/auth/login', login), 401, 'unauthenticated', /wrong/);
      await owner.browser.must('PATCH', `${USERS}/${user.id}`, { disabled: false });
      await isIn(program);
      await isOut(browser);
      await rig.logIn('disabled@example.com');
    });

    it('to another role holds from the next request on, for keys too', async () => {
      const { browser, user } = await join('promoted');
      expectError(await browser.get(USERS), 403, 'forbidden');
      await owner.browser.must('PATCH', `${USERS}/${user.id}`, { role: 'admin' });
      const { program } = await rig.withKey(browser, { scopes: ['admin', 'chat'] });
      for (const visitor of [browser, program]) expect((await visitor.get(USERS)).status).toBe(200);
      await owner.browser.must('PATCH', `${USERS}/${user.id}`, { role: 'member' });
      for (const visitor of [browser, program]) expectError(await visitor.get(USERS), 403, 'forbidden', /admin/);
      expect((await program.get('/api/auth/me')).body.scopes).toEqual(['chat']);
      await isIn(browser);
    });

    it.each([
      [{ role: 'owner' }, ['role']],
      [
        { role: 'king', disabled: 'yes', rateLimit: 0, budget: { usd: -1 }, email: 'x', password: PASSWORD },
        ['role', 'disabled', 'rateLimit', 'budget.usd', 'email', 'password'],
      ],
      [{ budget: { period: 'day' } }, ['budget']],
      [{ status: 'active', owner: 'local' }, ['status', 'owner']],
    ])('is not %j', async (change, paths) => {
      const { user } = owner;
      expect(issuePaths(await owner.browser.patch(`${USERS}/${user.id}`, change))).toEqual(paths);
    });

    it('is not made to somebody who is not there', async () => {
      for (const id of ['usr_none', 'local', '%00'])
        expectError(await owner.browser.patch(`${USERS}/${id}`, { disabled: true }), 404, 'not_found');
    });
  });

  describe('who may do it to whom', () => {
    const who: Record<string, Member> = {};

    beforeAll(async () => {
      who.owner = owner;
      who.admin = await join('m-admin', 'admin');
      who.otherAdmin = await join('m-admin2', 'admin');
      who.member = await join('m-member');
      who.otherMember = await join('m-member2');
    });

    const CHANGES: Record<string, object> = {
      role: { role: 'member' },
      admin: { role: 'admin' },
      status: { disabled: false },
      limits: { rateLimit: 100_000 },
      budget: { budget: null },
    };
    // What the one in the row may change of the one in the column; `-` nothing.
    it.each([
      ['owner', 'owner', 'limits budget'],
      ['owner', 'admin', 'role admin status limits budget'],
      ['owner', 'member', 'role admin status limits budget'],
      ['admin', 'owner', '-'],
      ['admin', 'admin', '-'],
      ['admin', 'otherAdmin', '-'],
      ['admin', 'member', 'role status limits budget'],
      ['member', 'owner', '-'],
      ['member', 'admin', '-'],
      ['member', 'member', '-'],
      ['member', 'otherMember', '-'],
    ])('%s → %s: %s', async (from, to, allowed) => {
      const path = `${USERS}/${who[to]!.user.id}`;
      const { browser } = who[from]!;
      const done: string[] = [];
      for (const [name, change] of Object.entries(CHANGES)) {
        const { status } = await browser.patch(path, change);
        expect([name, status]).toEqual([name, expect.toBeOneOf([200, 403])]);
        if (status === 200) done.push(name);
      }
      expect(done.join(' ') || '-').toBe(allowed);
      await owner.browser.patch(path, { role: who[to]!.user.role });
    });

    it.each([
      ['owner', 'owner', 403],
      ['admin', 'owner', 403],
      ['admin', 'admin', 403],
      ['admin', 'otherAdmin', 403],
      ['member', 'otherMember', 403],
      ['member', 'member', 403],
      ['admin', 'otherMember', 200],
      ['owner', 'otherAdmin', 200],
    ])('%s deletes %s: %i', async (from, to, status) => {
      const answer = await who[from]!.browser.remove(`${USERS}/${who[to]!.user.id}`);
      expect(answer.status).toBe(status);
      if (status === 403) await isIn(who[to]!.browser);
      else await isOut(who[to]!.browser);
    });

    it('only the owner invites admins', async () => {
      const { browser } = who.admin!;
      expectError(await browser.post('/api/invites', { role: 'admin' }), 403, 'forbidden', /Only the owner/);
      expect((await browser.post('/api/invites', { role: 'member' })).status).toBe(201);
      expectError(await who.member!.browser.post('/api/invites'), 403, 'forbidden');
    });

    it('an admin withdraws another one’s invite', async () => {
      const { invite } = await owner.browser.must('POST', '/api/invites', { role: 'admin' });
      const { invites } = await who.admin!.browser.must('GET', '/api/invites');
      expect(invites.map(({ id }: Json) => id)).toContain(invite.id);
      expect((await who.admin!.browser.remove(`/api/invites/${invite.id}`)).status).toBe(200);
    });

    it('a key does what its maker may, and no more', async () => {
      const { program } = await rig.withKey(who.admin!.browser, { scopes: ['admin'] });
      const { user } = await join('m-late');
      expectError(await program.patch(`${USERS}/${owner.user.id}`, { disabled: true }), 403, 'forbidden');
      expectError(await program.patch(`${USERS}/${who.admin!.user.id}`, { role: 'member' }), 403, 'forbidden');
      expectError(await program.post('/api/invites', { role: 'admin' }), 403, 'forbidden');
      expect((await program.remove(`${USERS}/${user.id}`)).status).toBe(200);
      expectError(
        await program.send('PUT', '/api/auth/access-key', { key: 'a'.repeat(20) }),
        403,
        'forbidden',
        /owner/,
      );
    });
  });
});
