import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Member, PASSWORD, Rig } from './rig.ts';
import type { Answer, Visitor } from './visitor.ts';

// What people are told who are refused: what is wrong, with which value, and what to do. To be read as they would.

const KEY = 'a key for all of us';
const VERIFY = '/api/auth/verify-access-key';
const SET = '/api/auth/access-key';
const MARKED = '401 Authentication required → ';

const account = (email: string, more: object = {}) => ({ email, password: PASSWORD, name: 'N', ...more });

/** Who is refused, how it comes to that, and the words, with the hint behind an arrow. */
type Refusal = [who: string, work: () => Promise<Answer>, words: string];

/** The words of a refusal, without what is different each time. */
const told = ({ status, body }: Answer): string =>
  [`${status} ${body.error}`, ...(body.details?.hint === undefined ? [] : [body.details.hint])]
    .join(' → ')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/in \d+ s$/g, 'in <n> s')
    .replaceAll(/\b\d+ of (\d) tokens/g, '<n> of $1 tokens')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<host>');

async function expectTold(refusals: readonly Refusal[]): Promise<void> {
  const words: [string, string][] = [];
  for (const [who, work] of refusals) words.push([who, told(await work())]);
  expect(words).toEqual(refusals.map(([who, , expected]) => [who, expected]));
}

const rigs: Rig[] = [];
async function start(environment: Record<string, string> = {}): Promise<Rig> {
  const rig = await Rig.start(undefined, environment);
  rigs.push(rig);
  return rig;
}
afterAll(async () => {
  for (const each of rigs) await each.stop();
});

const get = (visitor: Visitor, headers: Record<string, string> = {}) =>
  visitor.send('GET', '/api/tasks', undefined, headers);

it('by a server of one’s own machine', async () => {
  const rig = await start();
  const local = rig.local();
  const { secret } = await local.must('POST', '/api/keys', { name: 'K', scopes: ['admin'] });
  const fields = account('a@example.com');
  const ownersFirst = `${MARKED}The first account is the owner’s: sign up from this machine while there is no access key, or else with the cookie of POST ${VERIFY}`;
  await expectTold([
    [
      'somebody behind a proxy',
      () => get(rig.stranger()),
      `${MARKED}It comes from another machine, or through a proxy: without accounts and an access key only this machine may call; sign up on it, or set PROFCLAW_ACCESS_KEY`,
    ],
    [
      'a program with a dummy key',
      () => get(local, { authorization: 'Bearer sk-dummy' }),
      `${MARKED}An API key begins with profclaw_; an access key goes to POST /api/auth/verify-access-key`,
    ],
    [
      'a program with a password',
      () => get(local, { authorization: 'Basic YTpi' }),
      `${MARKED}Send the key as Authorization: Bearer profclaw_…`,
    ],
    ['a stranger who signs up', () => rig.stranger().post('/api/auth/signup', fields), ownersFirst],
    ['a program that signs up', () => rig.program(secret).post('/api/auth/signup', fields), ownersFirst],
    [
      'who changes an account without one',
      () => local.patch('/api/auth/me', { name: 'N' }),
      '409 You have no account here; log in with POST /api/auth/login, or make one with POST /api/auth/signup',
    ],
    ['who tries an access key', () => local.post(VERIFY, { key: KEY }), '401 This is not the access key'],
    [
      'another site’s script',
      () => get(local, { origin: 'https://evil.example' }),
      '403 Refused: the origin "https://evil.example" is another site than the host "<host>"; PROFCLAW_CORS_ORIGINS lets its pages call, and a proxy must pass on Host',
    ],
    [
      'another site’s form or picture',
      () => get(local, { 'sec-fetch-site': 'cross-site' }),
      '403 Refused: a page of another site sends it (sec-fetch-site: cross-site); PROFCLAW_CORS_ORIGINS lets it call with fetch',
    ],
  ]);
});

it('by a server with an access key', async () => {
  const rig = await start({ PROFCLAW_ACCESS_KEY: KEY });
  const browser = rig.stranger();
  await browser.must('POST', VERIFY, { key: KEY });
  const put = (key: string | null) => () => browser.send('PUT', SET, { key });
  const fixed = '409 The access key is set by PROFCLAW_ACCESS_KEY; change it there and restart';
  await expectTold([
    [
      'who comes without',
      () => get(rig.local()),
      `${MARKED}Send Authorization: Bearer profclaw_… (POST /api/keys makes a key), or log in with POST /api/auth/login or POST ${VERIFY}`,
    ],
    ['who comes with another one', () => rig.stranger().post(VERIFY, { key: 'x' }), '401 This is not the access key'],
    ['who changes it', put('a key of 16 characters'), fixed],
    ['who takes it away', put(null), fixed],
  ]);
  const open = await start();
  const owner = open.local();
  await owner.must('PUT', SET, { key: KEY });
  const reachable = owner.at((await open.another({ HOST: '0.0.0.0' })).url.replace('0.0.0.0', '127.0.0.1'));
  await expectTold([
    [
      'who takes away the only one',
      () => reachable.send('PUT', SET, { key: null }),
      '409 Without the access key nobody could come in: other machines can connect to this server, and there are no accounts; sign up first',
    ],
  ]);
});

describe('by a server with accounts', () => {
  let rig: Rig;
  let owner: Member;
  let mia: Member;
  let ada: Member;
  beforeAll(async () => {
    rig = await start();
    owner = await rig.owner();
    mia = await rig.join(owner.browser, 'mia');
    ada = await rig.join(owner.browser, 'ada', 'admin');
  });

  it('at its door', async () => {
    const { code } = await owner.browser.must('POST', '/api/invites', {});
    const signUp = (more: object) => () => rig.stranger().post('/api/auth/signup', account('owner@example.com', more));
    const wrong = { email: 'owner@example.com', password: 'x' };
    await expectTold([
      ['without an invite', signUp({}), '403 An inviteCode is needed: an admin makes one with POST /api/invites'],
      [
        'with a wrong one',
        signUp({ inviteCode: 'x' }),
        '403 The invite code is not good: it was used or withdrawn, has expired, is for another email, or its maker is no admin any more; ask for a new one',
      ],
      [
        'with an email that is taken',
        signUp({ inviteCode: code }),
        '409 There is an account with the email owner@example.com already; log in with it',
      ],
      [
        'with a wrong password',
        () => rig.stranger().post('/api/auth/login', wrong),
        '401 The email or the password is wrong',
      ],
    ]);
  });

  it('a member', async () => {
    const { browser } = mia;
    const me = (change: object) => () => browser.patch('/api/auth/me', change);
    const email = 'owner@example.com';
    await expectTold([
      [
        'who looks at users',
        () => browser.get('/api/users'),
        '403 A member may not do this: it needs the scope admin; ask an admin',
      ],
      [
        'who sets a provider',
        () => browser.remove('/api/chat/providers/groq'),
        '403 A member may not do this: it needs the scope providers:write; ask an admin',
      ],
      [
        'who makes a key that may more',
        () => browser.post('/api/keys', { name: 'K', scopes: ['chat', 'admin', 'providers:write'] }),
        '403 A key may do no more than you: you have chat, tools, conversations:read, but not admin, providers:write',
      ],
      [
        'who sets the access key',
        () => browser.send('PUT', SET, { key: KEY }),
        '403 The access key is the owner’s to set',
      ],
      [
        'who forgets the current password',
        me({ email }),
        '403 A new email or password needs currentPassword, the password of now',
      ],
      [
        'who has a wrong one',
        me({ email, currentPassword: 'wrong wrong' }),
        '403 currentPassword is wrong: it must be the password of now',
      ],
      [
        'who wants somebody else’s email',
        me({ email, currentPassword: PASSWORD }),
        '409 Another account has the email owner@example.com; choose another one',
      ],
      [
        'who ends somebody else’s session',
        () => browser.remove('/api/auth/sessions/session_1'),
        '404 Session "session_1" not found',
      ],
    ]);
  });

  it('an admin', async () => {
    const { browser } = ada;
    const other = await rig.join(owner.browser, 'other', 'admin');
    const change = (id: string, body: object) => () => browser.patch(`/api/users/${id}`, body);
    const owners =
      '403 The owner’s account can be neither disabled nor deleted, nor get another role; its limits are the owner’s to set';
    await expectTold([
      ['who disables the owner', change(owner.user.id, { disabled: true }), owners],
      ['who limits the owner', change(owner.user.id, { rateLimit: 1 }), owners],
      ['the owner, who leaves', () => owner.browser.remove(`/api/users/${owner.user.id}`), owners],
      [
        'who changes themselves',
        change(ada.user.id, { role: 'member' }),
        '403 Admins change neither role, status and limits of their own account, nor delete it; ask the owner',
      ],
      [
        'who deletes another one',
        () => browser.remove(`/api/users/${other.user.id}`),
        '403 Only the owner changes or deletes an admin’s account',
      ],
      ['who makes one', change(mia.user.id, { role: 'admin' }), '403 Only the owner makes admins'],
      ['who invites one', () => browser.post('/api/invites', { role: 'admin' }), '403 Only the owner makes admins'],
    ]);
  });

  it('a program', async () => {
    const keyed = (scopes: string[], more: object = {}) =>
      rig.withKey(owner.browser, { name: 'Reader', scopes, ...more });
    const reader = (await keyed(['conversations:read'])).program;
    const expired = await keyed(['chat'], { expiresInDays: 1 });
    const past = new Date(0).toISOString();
    await rig.db.updateTable('api_keys').set({ expires_at: past }).where('id', '=', expired.key.id).execute();
    const limited = (await keyed(['chat'], { rateLimit: 1 })).program;
    await limited.get('/api/tasks');
    const spent = (await keyed(['chat'], { budget: { tokens: 5, period: 'total' } })).program;
    const ask = () => spent.post('/api/chat/quick', { prompt: 'Hi', model: 'demo' });
    await ask();
    const { program: orphan } = await rig.withKey(mia.browser, { scopes: ['chat'] });
    await owner.browser.must('PATCH', `/api/users/${mia.user.id}`, { disabled: true });
    await expectTold([
      [
        'without the scope',
        () => get(reader),
        '403 This API key has not the scope chat; make one that has it with POST /api/keys',
      ],
      [
        'that wants keys',
        () => reader.get('/api/keys'),
        '403 This is for people who are logged in; an API key needs the scope admin for it',
      ],
      ['too late', () => get(expired.program), `${MARKED}The API key "Reader" expired on <time>; make a new one`],
      [
        'too often',
        () => get(limited),
        '429 Too many requests with this API key: 1 a minute are allowed; try again in <n> s',
      ],
      [
        'that has spent enough',
        ask,
        '429 The budget of this API key is used up: <n> of 5 tokens in all. It does not begin anew: make another key',
      ],
      [
        'of somebody who is out',
        () => get(orphan),
        `${MARKED}The account of this API key was disabled or deleted; ask an admin`,
      ],
    ]);
  });
});
