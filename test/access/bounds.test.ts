import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Visitor;
  beforeAll(async () => {
    rig = await start();
    owner = (await rig.owner()).browser;
  });

  it.each([{ rateLimit: 60 }, { expiresInDays: 1 }, { budget: { tokens: 10 } }])(
    'a key with %j makes no key without',
    async (bounds) => {
      const { program } = await rig.withKey(owner, { scopes: ['admin', 'chat'], ...bounds });
      const answer = await program.post('/api/keys', { name: 'K', scopes: ['chat'] });
      expectError(answer, 403, 'forbidden', /expires.*rate limit.*budget/);
      const free = await rig.withKey(owner, { scopes: ['admin', 'chat'] });
      await free.program.must('POST', '/api/keys', { name: 'K', scopes: ['chat'] });
    },
  );

  it('a key without every scope makes nobody an admin', async () => {
    const { program } = await rig.withKey(owner, { scopes: ['admin'] });
    const { user } = await rig.join(owner, 'member');
    const refused = [
      await program.post('/api/invites', { role: 'admin' }),
      await program.patch(`/api/users/${user.id}`, { role: 'admin' }),
    ];
    for (const answer of refused) expectError(answer, 403, 'forbidden', /every scope/);
    await program.must('POST', '/api/invites', {});
  });

  it('a huge maxTokens breaks neither the budget nor the sweep', async () => {
    const { program, key } = await rig.withKey(owner, { scopes: ['chat'], budget: { tokens: 1_000_000 } });
    const ask = (maxTokens: number) => program.post('/api/chat/quick', { prompt: 'Hi', model: 'demo', maxTokens });
    for (let n = 0; n < 2; n++) expect((await ask(Number.MAX_SAFE_INTEGER)).status).toBe(200);
    const { keys } = await owner.must('GET', '/api/keys');
    expect(keys.find(({ id }: { id: string }) => id === key.id).budget.usedTokens).toBeGreaterThan(0);
    const row = await rig.db.selectFrom('budgets').selectAll().where('subject', '=', key.id).executeTakeFirstOrThrow();
    expect(row).toMatchObject({ reserved_tokens: 0, holds: 0 });
  });

  describe('a stranger who guesses from one address', () => {
    let browser: Visitor;
    const email = 'victim@example.com';
    beforeAll(async () => {
      ({ browser } = await rig.join(owner, 'victim'));
    });
    afterAll(async () => void (await rig.db.deleteFrom('login_failures').execute()));

    it('does not keep anybody out who comes from elsewhere, and holds up nobody who is logged in', async () => {
      const guesser = rig.stranger();
      const guess = () => guesser.post('/api/auth/login', { email, password: 'wrong wrong' });
      const answers = await Promise.all(Array.from({ length: 60 }, guess));
      const looked = answers.filter(({ status }) => status === 401).length;
      expect(looked).toBeLessThanOrEqual(6);
      // The account has a pause of a second, and no more.
      await rig.db
        .updateTable('login_failures')
        .set({ blocked_until: 0 })
        .where('name', '=', `account:${email}`)
        .execute();
      await guess();
      expect((await rig.stranger().post('/api/auth/login', { email, password: PASSWORD })).status).toBe(200);
      const change = { password: 'a password that is new', currentPassword: PASSWORD };
      expect((await browser.patch('/api/auth/me', change)).status).toBe(200);
    });

    it('is not let off by an account of their own', async () => {
      const guesser = rig.stranger();
      const row = () =>
        rig.db.selectFrom('login_failures').select('failures').where('name', 'like', 'address:%').execute();
      await rig.db.deleteFrom('login_failures').execute();
      await guesser.post('/api/auth/login', { email: 'other@example.com', password: 'wrong wrong' });
      await guesser.must('POST', '/api/auth/login', { email: 'owner@example.com', password: PASSWORD });
      expect(await row()).toEqual([{ failures: 1 }]);
    });
  });
});
