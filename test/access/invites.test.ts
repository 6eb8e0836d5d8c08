import { beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import { onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

// Every account but the first one is made with an invite.

const account = (email: string, more: object = {}) => ({ email, password: PASSWORD, name: 'N', ...more });

onBothDatabases((start) => {
  describe('an invite', () => {
    let rig: Rig;
    let owner: Visitor;

    beforeAll(async () => {
      rig = await start();
      owner = (await rig.owner()).browser;
    });
    const invite = (fields: object = {}) => owner.must('POST', '/api/invites', fields);
    const signUp = (email: string, inviteCode: string) =>
      rig.stranger().post('/api/auth/signup', account(email, { inviteCode }));
    const refused = async (email: string, code: string) =>
      expectError(await signUp(email, code), 403, 'forbidden', /invite code is not good/);

    it('is a member’s for a week unless it says otherwise', async () => {
      const { invite: made, code } = await invite();
      expect(made).toEqual({
        id: expect.stringMatching(/^invite_/),
        role: 'member',
        email: null,
        createdAt: expect.any(String),
        expiresAt: expect.any(String),
      });
      expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBeGreaterThan(6.99 * 86_400_000);
      expect(code).toMatch(/^[\w-]{43}$/);
      const { body } = await owner.get('/api/invites');
      expect(body).toEqual({ invites: [made] });
      expect((await signUp('a@example.com', code)).body.user.role).toBe('member');
      expect((await owner.get('/api/invites')).body).toEqual({ invites: [] });
    });

    it('is good once', async () => {
      const { code } = await invite();
      expect((await signUp('once@example.com', code)).status).toBe(201);
      await refused('twice@example.com', code);
    });

    it('lets in one of several who come at once', async () => {
      const { code } = await invite();
      const answers = await Promise.all(Array.from({ length: 5 }, (_, i) => signUp(`race${i}@example.com`, code)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 403, 403, 403, 403]);
    });

    it('for an email is nobody else’s', async () => {
      const { invite: made, code } = await invite({ email: 'Mine@Example.com' });
      expect(made.email).toBe('mine@example.com');
      await refused('other@example.com', code);
      expect((await signUp('MINE@example.com', code)).body.user.email).toBe('mine@example.com');
    });

    it('can be an admin’s', async () => {
      const { code } = await invite({ role: 'admin' });
      expect((await signUp('admin@example.com', code)).body.user.role).toBe('admin');
    });

    it('is no good any more when it has expired, or was withdrawn', async () => {
      const { invite: made, code } = await invite({ expiresInDays: 1 });
      await rig.db
        .updateTable('invites')
        .set({ expires_at: new Date(Date.now() - 1).toISOString() })
        .where('id', '=', made.id)
        .execute();
      await refused('late@example.com', code);
      const { invite: next, code: nextCode } = await invite();
      expect((await owner.get('/api/invites')).body.invites).toEqual([next]);
      expect((await owner.remove(`/api/invites/${next.id}`)).body).toEqual({ message: 'Invite withdrawn' });
      await refused('withdrawn@example.com', nextCode);
      expectError(await owner.remove(`/api/invites/${next.id}`), 404, 'not_found');
    });

    it('is not used up by an email that is taken', async () => {
      const { code } = await invite();
      expectError(await signUp('OWNER@example.com', code), 409, 'conflict', /owner@example.com/);
      expect((await signUp('free@example.com', code)).status).toBe(201);
    });

    it('is refused when it is made up', async () => {
      await refused('b@example.com', 'x');
      await refused('b@example.com', 'A'.repeat(43));
    });

    it('of an admin who has been disabled, deleted or made a member is no good any more', async () => {
      for (const [i, end] of [
        (id: string) => owner.must('PATCH', `/api/users/${id}`, { disabled: true }),
        (id: string) => owner.must('PATCH', `/api/users/${id}`, { role: 'member' }),
        (id: string) => owner.must('DELETE', `/api/users/${id}`),
      ].entries()) {
        const { browser, user } = await rig.join(owner, `admin${i}`, 'admin');
        const { code } = await browser.must('POST', '/api/invites', {});
        await end(user.id);
        await refused(`friend${i}@example.com`, code);
      }
    });

    it.each([
      [{ role: 'owner' }, ['role']],
      [{ role: 'king', email: 'x', expiresInDays: 0, days: 1 }, ['role', 'email', 'expiresInDays', 'days']],
      [{ expiresInDays: 366 }, ['expiresInDays']],
      [{ expiresInDays: 1.5 }, ['expiresInDays']],
      [{ email: null }, ['email']],
      [[], ['body']],
    ])('is refused with %j', async (fields, paths) => {
      expect(issuePaths(await owner.post('/api/invites', fields))).toEqual(paths);
    });
  });
});
