import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Deed, PASSWORD, Rig } from '../access/rig.ts';
import { expectError } from '../contract/helpers.ts';
import { type Line, send, sendJson } from './wire.ts';

// Anybody can write a header that says where a request comes from. It counts only from a proxy that is trusted.

/** Headers by which proxies say for whom they speak, with an address. */
const FORGERIES: [string, (address: string) => string][] = [
  ['X-Forwarded-For', (address) => address],
  ['X-Forwarded-For', (address) => `127.0.0.1, ${address}, ::1`],
  ['Forwarded', (address) => `for=${address};proto=https;host=localhost`],
  ['Forwarded-For', (address) => address],
  ['X-Forwarded', (address) => address],
  ['X-Real-IP', (address) => address],
  ['X-Client-IP', (address) => address],
  ['Client-IP', (address) => address],
  ['X-Cluster-Client-IP', (address) => address],
  ['True-Client-IP', (address) => address],
  ['Fastly-Client-IP', (address) => address],
  ['Fly-Client-IP', (address) => address],
  ['CF-Connecting-IP', (address) => address],
  ['CF-Connecting-IPv6', (address) => `::ffff:${address}`],
  ['CF-Ray', (address) => address],
  ['CDN-Loop', () => 'cloudflare'],
  ['X-Original-Forwarded-For', (address) => address],
  ['X-Forwarded-Host', () => 'localhost'],
  ['X-Original-URL', () => '/health'],
  ['X-Remote-IP', (address) => address],
  ['X-Remote-Addr', (address) => address],
  ['X-Originating-IP', (address) => address],
  ['X-Envoy-External-Address', (address) => address],
  ['Tailscale-User-Login', () => 'owner@example.com'],
  ['Via', () => '1.1 proxy'],
];

const rigs: Rig[] = [];
let addresses = 0;

async function start(environment: Record<string, string>): Promise<Rig> {
  const rig = await Rig.start(undefined, environment);
  rigs.push(rig);
  return rig;
}

afterAll(async () => {
  for (const rig of rigs) await rig.stop();
});

/** The next forgery, with an address that stood in none before. */
function forged(): Line {
  const [name, value] = FORGERIES[++addresses % FORGERIES.length]!;
  return [name, value(`198.51.${addresses >> 8}.${addresses & 255}`)];
}

function logIn(rig: Rig, lines: readonly Line[], email = `nobody${++addresses}@example.com`) {
  return sendJson(rig.server.url, 'POST /api/auth/login', lines, { email, password: 'wrong password' });
}

/** How many of twelve logins, each with another account, are looked at; the others have to wait. */
async function lookedAt(rig: Rig, lines: () => readonly Line[]): Promise<number> {
  const statuses = [];
  for (let i = 0; i < 12; i++) statuses.push((await logIn(rig, lines())).status);
  expect([401, 429]).toEqual(expect.arrayContaining([...new Set(statuses)]));
  return statuses.filter((status) => status === 401).length;
}

async function addressesOf(rig: Rig, action: Deed['action']): Promise<Set<string>> {
  const deeds = await rig.deeds();
  return new Set(deeds.filter((deed) => deed.action === action).map(({ address }) => address));
}

describe('without a trusted proxy', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await start({ PROFCLAW_TRUSTED_PROXIES: '' });
  });

  it.each(FORGERIES)('%s makes nobody local', async (name, value) => {
    for (const address of ['127.0.0.1', '::1', '198.51.100.1']) {
      const answer = await send(rig.server.url, 'GET /api/tasks', [[name, value(address)]]);
      expectError(answer, 401, 'unauthenticated');
    }
    const account = { email: 'thief@example.com', password: PASSWORD, name: 'T' };
    const answer = await sendJson(rig.server.url, 'POST /api/auth/signup', [[name, value('127.0.0.1')]], account);
    // The limit of sign-ups counts these too, for they come from one address.
    expect([401, 429]).toContain(answer.status);
    expect((await rig.local().get('/api/auth/status')).body).toMatchObject({ mode: 'local', accounts: false });
  });

  it('no header moves what is sent to another address, or its log', async () => {
    expect(await lookedAt(rig, () => [forged(), forged()])).toBeLessThan(12);
    expect(
      await rig.db.selectFrom('login_failures').select('name').where('name', 'like', 'address:%').execute(),
    ).toEqual([{ name: 'address:127.0.0.1' }]);
    expect(await addressesOf(rig, 'account.login')).toEqual(new Set(['127.0.0.1']));
  });

  it('the limit of an address counts them together', async () => {
    const limited = await start({ PROFCLAW_TRUSTED_PROXIES: '', PROFCLAW_ADDRESS_LIMIT: '20' });
    const statuses = [];
    for (let i = 0; i < 40; i++) statuses.push((await send(limited.server.url, 'GET /api/tasks', [forged()])).status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(25);
    expect(statuses.at(-1)).toBe(429);
  });

  it('a session has the address that it comes from', async () => {
    const other = await start({ PROFCLAW_TRUSTED_PROXIES: '10.0.0.0/8,192.0.2.1' });
    const { browser } = await other.owner();
    const [name, value] = forged();
    await browser.send(
      'POST',
      '/api/auth/login',
      { email: 'owner@example.com', password: PASSWORD },
      { [name]: value },
    );
    const { sessions } = await browser.must('GET', '/api/auth/sessions');
    for (const { address } of sessions) expect(address).toBe('127.0.0.1');
  });
});

describe('with a trusted proxy', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await start({ PROFCLAW_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' });
  });

  const via = (value: string): Line => ['X-Forwarded-For', value];

  it('nobody is local, whatever it says', async () => {
    for (const address of ['127.0.0.1', '::1', '', 'localhost', '10.1.2.3', '127.0.0.1, 127.0.0.1'])
      expectError(await send(rig.server.url, 'GET /api/tasks', [via(address)]), 401, 'unauthenticated');
  });

  it('each address has limits of its own', async () => {
    expect(await lookedAt(rig, () => [via(`203.0.113.${++addresses % 250}`)])).toBe(12);
  });

  it.each([
    ['what the client itself has written', '{forged}, 203.0.113.251'],
    ['and what proxies of ours have put behind it', '{forged}, 203.0.113.252, 10.1.2.3, 10.4.5.6'],
    ['and in several headers', '{forged}\r\nX-Forwarded-For: {forged}\r\nX-Forwarded-For: 203.0.113.253'],
    ['and rubbish', '{forged}, , ,,203.0.113.254'],
  ])('before the last address that is not trusted nothing counts: %s', async (_, form) => {
    const line = () => via(form.replaceAll('{forged}', () => `198.51.${++addresses >> 8}.${addresses & 255}`));
    await rig.deeds();
    expect(await lookedAt(rig, () => [line()])).toBeLessThan(12);
    const last = /203\.0\.113\.\d+/.exec(form)?.[0] ?? '';
    expect(await addressesOf(rig, 'account.login')).toEqual(new Set([last]));
  });

  it('no other header counts', async () => {
    await rig.deeds();
    const own = '203.0.113.201';
    const others = FORGERIES.filter(([name]) => name !== 'X-Forwarded-For');
    const lines = () => others.map(([name, value]): Line => [name, value(`198.51.100.${++addresses % 250}`)]);
    expect(await lookedAt(rig, () => [via(own), ...lines()])).toBeLessThan(12);
    expect(await addressesOf(rig, 'account.login')).toEqual(new Set([own]));
  });
});
