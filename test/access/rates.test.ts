import { beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Answer, Visitor } from './visitor.ts';

// How many requests a key, an account and an address may make, and how often anybody may guess. Limits are so low, and
// fill up so slowly, that the time that a test takes makes no difference.

const TASKS = '/api/tasks';

const limitOf = ({ headers }: Answer) => [headers.get('ratelimit'), headers.get('ratelimit-policy')];

/** A refusal by a limit, that says when to come again. */
function expectRefused(answer: Answer, words: RegExp, most = 60): void {
  expectError(answer, 429, 'rate_limited', words);
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(most);
  expect(answer.body.error).toContain(`try again in ${seconds} s`);
}

const statuses = async (visitor: Visitor, count: number): Promise<number[]> => {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await visitor.get(TASKS)).status);
  return all;
};

onBothDatabases((start) => {
  describe('an API key’s', () => {
    let rig: Rig;
    let owner: Visitor;
    beforeAll(async () => {
      rig = await start();
      owner = (await rig.owner()).browser;
    });

    it('is counted down, refused at its end, and says so', async () => {
      const { program } = await rig.withKey(owner, { scopes: ['chat'], rateLimit: 2 });
      const first = await program.get(TASKS);
      expect(limitOf(first)).toEqual([expect.stringMatching(/^"key";r=1;t=(29|30)$/), '"key";q=2;w=60']);
      expect(limitOf(await program.get(TASKS))[0]).toMatch(/^"key";r=0;t=\d\d$/);
      const refused = await program.post(TASKS, { title: 'T', prompt: 'P' });
      expectRefused(refused, /^Too many requests with this API key: 2 a minute are allowed/, 30);
      expect(limitOf(refused)).toEqual([`"key";r=0;t=${refused.headers.get('retry-after')}`, '"key";q=2;w=60']);
      expect((await owner.must('GET', TASKS)).total).toBe(0);
    });

    it('is its own: neither another key’s nor the account’s', async () => {
      const { program } = await rig.withKey(owner, { scopes: ['chat'], rateLimit: 1 });
      const { program: other } = await rig.withKey(owner, { scopes: ['chat'], rateLimit: 1 });
      expect(await statuses(program, 2)).toEqual([200, 429]);
      expect(await statuses(other, 2)).toEqual([200, 429]);
      expect(await statuses(owner, 2)).toEqual([200, 200]);
    });

    it('counts wherever the key is used', async () => {
      const { program, secret } = await rig.withKey(owner, { scopes: ['chat'], rateLimit: 1 });
      expect(await statuses(program, 1)).toEqual([200]);
      expect(await statuses(rig.program(secret), 1)).toEqual([429]);
    });

    it('is not counted where there is none', async () => {
      const { program } = await rig.withKey(owner, { scopes: ['chat'] });
      expect(limitOf(await program.get(TASKS))).toEqual([null, null]);
    });
  });

  describe('an account’s', () => {
    let rig: Rig;
    let owner: Visitor;
    beforeAll(async () => {
      rig = await start();
      owner = (await rig.owner()).browser;
    });
    const limited = async (name: string, rateLimit: number) => {
      const member = await rig.join(owner, name);
      const { program } = await rig.withKey(member.browser, { scopes: ['chat'], rateLimit: 5 });
      await owner.must('PATCH', `/api/users/${member.user.id}`, { rateLimit });
      return { ...member, program };
    };

    it('is one for its sessions and keys', async () => {
      const { browser, program } = await limited('one', 3);
      expect(limitOf(await browser.get(TASKS))).toEqual([expect.stringMatching(/^"user";r=2;/), '"user";q=3;w=60']);
      const both = await program.get(TASKS);
      expect(limitOf(both)).toEqual([expect.stringMatching(/^"user";r=1;/), '"key";q=5;w=60, "user";q=3;w=60']);
      expect(await statuses(program, 1)).toEqual([200]);
      for (const visitor of [program, browser]) {
        const refused = await visitor.get(TASKS);
        expectRefused(refused, /^Too many requests of this account: 3 a minute are allowed/, 20);
        expect(limitOf(refused)[0]).toMatch(/^"user";r=0;/);
      }
    });

    it('takes nothing from the key when it refuses', async () => {
      const { user, program } = await limited('nothing', 1);
      expect(await statuses(program, 4)).toEqual([200, 429, 429, 429]);
      await owner.must('PATCH', `/api/users/${user.id}`, { rateLimit: null });
      expect(limitOf(await program.get(TASKS))[0]).toMatch(/^"key";r=3;/);
    });

    it('is nobody else’s', async () => {
      const { browser } = await limited('own', 1);
      const { browser: other } = await limited('other', 1);
      expect(await statuses(browser, 2)).toEqual([200, 429]);
      expect(await statuses(other, 2)).toEqual([200, 429]);
      expect(await statuses(owner, 2)).toEqual([200, 200]);
    });
  });

  it('PROFCLAW_USER_LIMIT holds for accounts without a limit of their own', async () => {
    const rig = await start({ PROFCLAW_USER_LIMIT: '6' });
    const local = rig.local();
    expect(limitOf(await local.get(TASKS))).toEqual([expect.stringMatching(/^"user";r=5;/), '"user";q=6;w=60']);
    const { browser, user } = await rig.owner();
    await browser.must('PATCH', `/api/users/${user.id}`, { rateLimit: 100 });
    const mia = await rig.join(browser, 'mia');
    expect((await statuses(mia.browser, 7)).filter((status) => status === 429)).toHaveLength(1);
    expect(await statuses(browser, 7)).toEqual(Array(7).fill(200));
    await browser.must('PATCH', `/api/users/${mia.user.id}`, { rateLimit: 10 });
    expect(limitOf(await mia.browser.get(TASKS))[1]).toBe('"user";q=10;w=60');
  });

  it('PROFCLAW_ADDRESS_LIMIT holds for everybody at an address, known or not', async () => {
    const rig = await start({ PROFCLAW_ADDRESS_LIMIT: '3' });
    const local = rig.local();
    expect(limitOf(await local.get(TASKS))).toEqual([expect.stringMatching(/^"address";r=2;/), '"address";q=3;w=60']);
    const { browser } = await rig.owner();
    const { secret } = await browser.must('POST', '/api/keys', { name: 'K', scopes: ['chat'], rateLimit: 2 });
    expectRefused(await browser.get(TASKS), /^Too many requests from this address: 3 a minute/, 20);
    expectRefused(await local.post('/api/auth/login', { email: 'o@example.com', password: 'x' }), /this address/, 20);
    expect((await local.get('/health')).status).toBe(200);
    const program = rig.program(secret);
    expect(limitOf(await program.get(TASKS))).toEqual([
      expect.stringMatching(/^"key";r=1;/),
      '"address";q=3;w=60, "key";q=2;w=60',
    ]);
    expect(await statuses(program, 2)).toEqual([200, 429]);
    const stranger = rig.stranger();
    expect(await statuses(stranger, 4)).toEqual([401, 401, 401, 429]);
    expect(await statuses(rig.stranger(), 1)).toEqual([401]);
  });

  describe('guessing', () => {
    let rig: Rig;
    let owner: Visitor;
    beforeAll(async () => {
      rig = await start();
      owner = (await rig.owner()).browser;
    });
    const login = (visitor: Visitor, email: string, password = 'wrong') =>
      visitor.post('/api/auth/login', { email, password });
    /** Lets every pause come to its end. @param failures so many of each are behind it; undefined: those that were. */
    const sitOut = (failures?: number) =>
      rig.db
        .updateTable('login_failures')
        .set({ blocked_until: 0, ...(failures === undefined ? {} : { failures }) })
        .execute();
    /** The failures of an account, and whether there is a pause. */
    const failuresOf = async (email: string) => {
      const { failures, blocked_until } = await rig.db
        .selectFrom('login_failures')
        .selectAll()
        .where('name', '=', `account:${email}`)
        .executeTakeFirstOrThrow();
      return [failures, blocked_until > 0];
    };
    const PAUSE = /^Too many wrong tries in a row/;
    /** A try more often than a minute allows, until it is refused: how many were not. */
    const triesUntilRefused = async (attempt: () => Promise<Answer>, words: RegExp) => {
      for (let tries = 0; tries < 60; tries++) {
        await sitOut();
        const answer = await attempt();
        if (answer.status === 429) {
          expectRefused(answer, words, 6);
          return tries;
        }
      }
      return Number.POSITIVE_INFINITY;
    };

    it.each(['owner@example.com', 'nobody@example.com'])(
      'has a pause after six wrong passwords of %s',
      async (email) => {
        for (let i = 1; i <= 6; i++) {
          expectError(await login(rig.stranger(), email), 401, 'unauthenticated', 'The email or the password is wrong');
          expect(await failuresOf(email)).toEqual([i, i === 6]);
        }
      },
    );

    it('of an account has a pause that one cannot get round, until the right password comes after it', async () => {
      await rig.join(owner, 'guessed');
      const email = 'guessed@example.com';
      expectError(await login(rig.stranger(), email), 401, 'unauthenticated');
      await sitOut(20);
      expectError(await login(rig.stranger(), email), 401, 'unauthenticated');
      for (const name of [email, email.toUpperCase()])
        expectRefused(await login(rig.stranger(), name, PASSWORD), PAUSE);
      expect(await failuresOf(email)).toEqual([21, true]);
      await sitOut();
      await rig.logIn(email);
      for (let i = 0; i < 2; i++) expectError(await login(rig.stranger(), email), 401, 'unauthenticated');
      expect(await failuresOf(email)).toEqual([2, false]);
    });

    it('from an address has a pause, whoever is guessed at', async () => {
      const guesser = rig.stranger();
      expectError(await login(guesser, 'a@example.com'), 401, 'unauthenticated');
      await sitOut(20);
      expectError(await login(guesser, 'b@example.com'), 401, 'unauthenticated');
      expectRefused(await login(guesser, 'owner@example.com', PASSWORD), PAUSE, 900);
      await rig.logIn('owner@example.com');
    });

    it('ten logins a minute are tried of one account, and ten from one address', async () => {
      await rig.join(owner, 'often');
      const words = /^Too many tries of a password: 10 a minute are allowed/;
      const ofAccount = await triesUntilRefused(() => login(rig.stranger(), 'often@example.com', PASSWORD), words);
      expect(ofAccount).toBeGreaterThanOrEqual(10);
      const browser = rig.stranger();
      let tries = 0;
      const fromAddress = await triesUntilRefused(() => login(browser, `n${tries++}@example.com`), words);
      expect(fromAddress).toBeGreaterThanOrEqual(10);
    });

    it('the current password counts as a login', async () => {
      const { browser, user } = await rig.join(owner, 'current');
      const change = (currentPassword: string) =>
        browser.patch('/api/auth/me', { password: 'a password that is new', currentPassword });
      expectError(await change('wrong wrong'), 403, 'forbidden');
      expect(await failuresOf(user.id)).toEqual([1, false]);
      await sitOut(20);
      expectError(await change('wrong wrong'), 403, 'forbidden');
      expectRefused(await change(PASSWORD), PAUSE, 900);
      expect((await browser.patch('/api/auth/me', { name: 'N' })).status).toBe(200);
    });

    it('five sign-ups a minute are tried from one address', async () => {
      const signUp = (visitor: Visitor) =>
        visitor.post('/api/auth/signup', { email: 'x@example.com', password: PASSWORD, name: 'N', inviteCode: 'x' });
      const browser = rig.stranger();
      const answers = await Promise.all(Array.from({ length: 7 }, () => signUp(browser)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([403, 403, 403, 403, 403, 429, 429]);
      for (const answer of answers)
        if (answer.status === 429) expectRefused(answer, /^Too many sign-ups: 5 a minute are allowed/, 12);
      expectError(await signUp(rig.stranger()), 403, 'forbidden');
    });

    it('the access key has a pause like a password, and is tried ten times a minute', async () => {
      const key = 'a key for all of us';
      await owner.must('PUT', '/api/auth/access-key', { key });
      const verify = (visitor: Visitor, given: string) => visitor.post('/api/auth/verify-access-key', { key: given });
      const guesser = rig.stranger();
      expectError(await verify(guesser, 'wrong'), 401, 'unauthenticated');
      await sitOut(20);
      expectError(await verify(guesser, 'wrong'), 401, 'unauthenticated');
      for (const visitor of [guesser, rig.stranger()]) expectRefused(await verify(visitor, key), PAUSE, 900);
      const words = /^Too many tries of the access key: 10 a minute are allowed/;
      expect(await triesUntilRefused(() => verify(rig.stranger(), key), words)).toBeGreaterThanOrEqual(6);
    });
  });
});
