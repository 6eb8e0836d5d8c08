import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, Rig } from '../access/rig.ts';
import type { Answer, Visitor } from '../access/visitor.ts';
import { expectError } from '../contract/helpers.ts';
import { type Line, send } from './wire.ts';

// A session is the one that the server has begun for whoever logged in, sent by the one cookie, and nothing else.

const ACCESS_KEY = 'access-key-0123456789';
const OWNER = { email: 'owner@example.com', password: PASSWORD };
/** It looks like one of ours. */
const CHOSEN = 'A'.repeat(43);

const rigs: Rig[] = [];

async function start(environment: Record<string, string> = {}): Promise<Rig> {
  const rig = await Rig.start(undefined, environment);
  rigs.push(rig);
  return rig;
}

afterAll(async () => {
  for (const rig of rigs) await rig.stop();
});

/** Somebody new with this cookie. */
function holder(rig: Rig, cookie: string | undefined): Visitor {
  const visitor = rig.stranger();
  visitor.cookie = cookie;
  return visitor;
}

async function expectIn(rig: Rig, cookie: string | undefined): Promise<void> {
  expect((await holder(rig, cookie).get('/api/auth/me')).status).toBe(200);
}

async function expectOut(rig: Rig, cookie: string | undefined): Promise<void> {
  expectError(await holder(rig, cookie).get('/api/auth/me'), 401, 'unauthenticated');
  expectError(await holder(rig, cookie).get('/api/tasks'), 401, 'unauthenticated');
}

describe('a cookie that was there before', () => {
  let rig: Rig;

  /** Everything that begins a session. */
  const ways: [string, (visitor: Visitor) => Promise<Answer>][] = [
    ['login', (visitor) => visitor.post('/api/auth/login', OWNER)],
    ['verify-access-key', (visitor) => visitor.post('/api/auth/verify-access-key', { key: ACCESS_KEY })],
    ['signup', async (visitor) => visitor.post('/api/auth/signup', await invited('new'))],
  ];

  async function invited(name: string): Promise<object> {
    const owner = await rig.logIn(OWNER.email);
    const { code } = await owner.must('POST', '/api/invites', {});
    return { email: `${name}${Math.random()}@example.com`, password: PASSWORD, name, inviteCode: code };
  }

  beforeAll(async () => {
    rig = await start();
    const { browser } = await rig.owner();
    await browser.must('PUT', '/api/auth/access-key', { key: ACCESS_KEY });
  });

  it.each(ways)('is not the session after %s, if somebody has made it up', async (_, begin) => {
    const victim = holder(rig, CHOSEN);
    expect((await begin(victim)).status).toBeLessThan(300);
    expect(victim.cookie).toMatch(/^[\w-]{43}$/);
    expect(victim.cookie).not.toBe(CHOSEN);
    await expectIn(rig, victim.cookie);
    await expectOut(rig, CHOSEN);
  });

  it.each(ways)('is none any more after %s, if it was somebody’s own', async (_, begin) => {
    const { browser: attacker } = await rig.join(await rig.logIn(OWNER.email), `mallory${Math.random()}`);
    const planted = attacker.cookie;
    const victim = holder(rig, planted);
    expect((await begin(victim)).status).toBeLessThan(300);
    expect(victim.cookie).not.toBe(planted);
    await expectIn(rig, victim.cookie);
    await expectOut(rig, planted);
  });

  it('is not the session after a new password', async () => {
    const { browser } = await rig.join(await rig.logIn(OWNER.email), 'careful');
    const before = browser.cookie;
    await browser.must('PATCH', '/api/auth/me', { password: 'another password', currentPassword: PASSWORD });
    expect(browser.cookie).not.toBe(before);
    await expectIn(rig, browser.cookie);
    await expectOut(rig, before);
  });

  it('stays as it is when a login fails', async () => {
    const browser = await rig.logIn(OWNER.email);
    const { cookie } = browser;
    const answer = await browser.post('/api/auth/login', { ...OWNER, password: 'wrong password' });
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null]);
    await expectIn(rig, cookie);
  });
});

describe('what is not the one cookie', () => {
  let rig: Rig;
  let session: string;

  beforeAll(async () => {
    rig = await start();
    session = (await rig.owner()).browser.cookie ?? '';
  });

  const ask = (lines: readonly Line[], target = '/api/auth/me') => send(rig.server.url, `GET ${target}`, lines);
  const $ = (text: string) => text.replaceAll('$', session);

  it('lets the good one in, among others', async () => {
    const among = ['a=b; profclaw_session=$', 'profclaw_session=$;c=profclaw_session', 'a="; profclaw_session=$'];
    for (const cookie of ['profclaw_session=$', ...among])
      expect((await ask([['cookie', $(cookie)]])).status).toBe(200);
  });

  it.each([
    ['the good one twice', ['profclaw_session=$; profclaw_session=$']],
    ['the good one first', ['profclaw_session=$; profclaw_session=x']],
    ['the good one last', [`profclaw_session=${CHOSEN}; profclaw_session=$`]],
    ['an empty one beside it', ['profclaw_session=; profclaw_session=$']],
    ['two headers', ['profclaw_session=$', `profclaw_session=${CHOSEN}`]],
    ['two headers, the good one last', [`a=b; profclaw_session=${CHOSEN}`, 'profclaw_session=$']],
    ['another case', ['Profclaw_Session=$']],
    ['a name that begins so', ['profclaw_session_=$']],
    ['a name that ends so', ['__Host-profclaw_session=$']],
    ['a space before =', ['profclaw_session =$']],
    ['quotes', ['profclaw_session="$"']],
    ['a tail', ['profclaw_session=$x']],
    ['percent signs', ['profclaw_session=%24$']],
    ['commas', ['a=b, profclaw_session=$']],
    ['the value alone', ['$']],
    ['nothing', ['profclaw_session=']],
  ])('refuses %s', async (_, cookies) => {
    const lines = cookies.map((cookie): Line => ['cookie', $(cookie)]);
    expectError(await ask(lines), 401, 'unauthenticated');
  });

  it.each<[string, readonly Line[]]>([
    ['/api/auth/me?profclaw_session=$', []],
    ['/api/auth/me?session=$&access_token=$&token=$&api_key=$&key=$', []],
    ['/api/auth/me', [['profclaw_session', '$']]],
    ['/api/auth/me', [['set-cookie', 'profclaw_session=$']]],
    ['/api/auth/me', [['cookie2', 'profclaw_session=$']]],
    ['/api/auth/me', [['x-api-key', '$']]],
    ['/api/auth/me', [['x-session', '$']]],
    ['/api/auth/me', [['proxy-authorization', 'Bearer $']]],
    ['/api/auth/me', [['x-cookie', 'profclaw_session=$']]],
  ])('takes no session from %s %o', async (target, lines) => {
    const filled = lines.map(([name, value]): Line => [name, $(value)]);
    expectError(await ask(filled, $(target)), 401, 'unauthenticated');
  });
});

describe('the cookie’s flags', () => {
  const PLAIN = /^profclaw_session=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/;
  const SECURE = /^profclaw_session=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/;
  const GONE = (kind: RegExp) =>
    kind === PLAIN
      ? 'profclaw_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax'
      : 'profclaw_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure';

  it.each<[string, Record<string, string>, Record<string, string>, RegExp]>([
    ['by default', {}, {}, PLAIN],
    ['with a public URL of https', { PROFCLAW_PUBLIC_URL: 'https://chat.example.com' }, {}, SECURE],
    ['with one of http too', { PROFCLAW_PUBLIC_URL: 'https://chat.example.com,http://chat.local' }, {}, PLAIN],
    ['when a trusted proxy says https', {}, { 'x-forwarded-proto': 'https' }, SECURE],
    ['when a trusted proxy says http', {}, { 'x-forwarded-proto': 'http' }, PLAIN],
    ['when another says https', { PROFCLAW_TRUSTED_PROXIES: '10.9.9.9' }, { 'x-forwarded-proto': 'https' }, PLAIN],
    [
      'when it is said otherwise',
      {},
      { forwarded: 'proto=https', 'x-scheme': 'https', 'front-end-https': 'on' },
      PLAIN,
    ],
  ])('are the same on every Set-Cookie, %s', async (_, environment, headers, kind) => {
    const rig = await start({ ...environment, PROFCLAW_ACCESS_KEY: ACCESS_KEY });
    const browser = rig.stranger();
    const cookies = (answer: Answer) => {
      expect(answer.status).toBeLessThan(300);
      return answer.headers.getSetCookie();
    };
    const post = async (path: string, body: object = {}) => cookies(await browser.send('POST', path, body, headers));
    const set = [expect.stringMatching(kind)];
    expect(await post('/api/auth/verify-access-key', { key: ACCESS_KEY })).toEqual(set);
    expect(await post('/api/auth/signup', { ...OWNER, name: 'O' })).toEqual(set);
    expect(await post('/api/auth/login', OWNER)).toEqual(set);
    const change = { password: 'another password', currentPassword: PASSWORD };
    expect(cookies(await browser.send('PATCH', '/api/auth/me', change, headers))).toEqual(set);
    // One that is used a minute after the last time is sent again, since its end has moved.
    expect(cookies(await browser.send('GET', '/api/auth/me', undefined, headers))).toEqual([]);
    await rig.db
      .updateTable('sessions')
      .set({ last_seen_at: new Date(Date.now() - 61_000).toISOString() })
      .execute();
    const { cookie } = browser;
    const look = async () => cookies(await browser.send('GET', '/api/auth/me', undefined, headers));
    // What was looked up may be kept for a second.
    await expect.poll(look).toEqual(set);
    expect(browser.cookie).toBe(cookie);
    expect(await post('/api/auth/logout')).toEqual([GONE(kind)]);
  });
});
