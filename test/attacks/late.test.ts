import { beforeAll, expect, it, vi } from 'vitest';
import { type Member, onBothDatabases, PASSWORD, type Rig } from '../access/rig.ts';
import type { Visitor } from '../access/visitor.ts';
import { expectError } from '../contract/helpers.ts';

// A password that was right when it was looked at, and is not any more when its session begins: looking takes a while.

const { held } = vi.hoisted(() => ({ held: { until: undefined as Promise<void> | undefined, begun: () => {} } }));

vi.mock('../../src/auth/passwords.ts', async (original) => {
  const passwords = await original<typeof import('../../src/auth/passwords.ts')>();
  const verifyPassword: typeof passwords.verifyPassword = async (...given) => {
    const answer = await passwords.verifyPassword(...given);
    const { until } = held;
    held.until = undefined;
    if (until) held.begun();
    await until;
    return answer;
  };
  return { ...passwords, verifyPassword };
});

/** Does something after the next password was looked at, before what comes of it. */
async function whileLooking<T>(attempt: () => Promise<T>, deed: () => Promise<unknown>): Promise<T> {
  const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
  const begun = new Promise<void>((resolve) => Object.assign(held, { until, begun: resolve }));
  const attempting = attempt();
  await begun;
  await deed();
  goOn();
  return await attempting;
}

onBothDatabases((start) => {
  const ACCESS_KEY = 'access-key-0123456789';
  let rig: Rig;
  let owner: Member;
  let names = 0;

  beforeAll(async () => {
    rig = await start();
    owner = await rig.owner();
  });

  async function expectNoSession(thief: Visitor): Promise<void> {
    expect(thief.cookie).toBeUndefined();
    const address = await rig.db.selectFrom('sessions').select('id').where('address', '=', thief.address).execute();
    expect(address).toEqual([]);
  }

  it.each<[string, (victim: Member) => Promise<unknown>]>([
    [
      'has changed',
      ({ browser }) =>
        browser.must('PATCH', '/api/auth/me', { password: 'another password', currentPassword: PASSWORD }),
    ],
    ['is a disabled account’s', ({ user }) => owner.browser.must('PATCH', `/api/users/${user.id}`, { disabled: true })],
    ['is a deleted account’s', ({ user }) => owner.browser.must('DELETE', `/api/users/${user.id}`)],
  ])('begins none if it %s meanwhile', async (_, deed) => {
    const victim = await rig.join(owner.browser, `victim${++names}`);
    const thief = rig.stranger();
    const body = { email: victim.user.email, password: PASSWORD };
    const answer = await whileLooking(
      () => thief.post('/api/auth/login', body),
      () => deed(victim),
    );
    expectError(answer, 401, 'unauthenticated', 'The email or the password is wrong');
    await expectNoSession(thief);
  });

  it.each([['another-key-0123456789'], [null]])('nor of an access key that is now %s', async (key) => {
    await owner.browser.must('PUT', '/api/auth/access-key', { key: ACCESS_KEY });
    const thief = rig.stranger();
    const answer = await whileLooking(
      () => thief.post('/api/auth/verify-access-key', { key: ACCESS_KEY }),
      () => owner.browser.must('PUT', '/api/auth/access-key', { key }),
    );
    expectError(answer, 401, 'unauthenticated', 'This is not the access key');
    await expectNoSession(thief);
  });

  it('changes no account whose password was changed meanwhile', async () => {
    const { browser, user } = await rig.join(owner.browser, `victim${++names}`);
    const thief = browser.copy();
    const answer = await whileLooking(
      () => thief.patch('/api/auth/me', { password: 'password of the thief', currentPassword: PASSWORD }),
      () => browser.must('PATCH', '/api/auth/me', { password: 'another password', currentPassword: PASSWORD }),
    );
    expectError(answer, 401, 'unauthenticated');
    expect((await browser.get('/api/auth/me')).status).toBe(200);
    await rig.logIn(user.email, 'another password');
  });

  it('begins one if nothing has changed', async () => {
    const { user } = await rig.join(owner.browser, `victim${++names}`);
    const browser = rig.stranger();
    const answer = await whileLooking(
      () => browser.post('/api/auth/login', { email: user.email, password: PASSWORD }),
      () => owner.browser.must('GET', '/api/auth/me'),
    );
    expect(answer.status).toBe(200);
  });
});
