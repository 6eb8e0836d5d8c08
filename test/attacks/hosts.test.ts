import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig } from '../access/rig.ts';
import { expectError } from '../contract/helpers.ts';
import { exchange, type Line, parse, send, type WireAnswer } from './wire.ts';

// A name that is not the server's own may have been rebound to its address: to a browser its pages then are the
// server's. Whoever calls by such a name is refused, with the best of credentials too.

const ROUTES = ['/api/tasks', '/api/auth/status', '/docs', '/api/openapi.json', '/api/audit'];

/** What browsers and programs can put where the name belongs; `{port}` is the server's. */
const FOREIGN = [
  ...['evil.example', 'evil.example:{port}', 'EVIL.EXAMPLE', 'evil.example.', 'xn--lcalhost-54a', 'profclaw', 'local'],
  ...[
    'localhost.',
    'localhost.:{port}',
    'localhost.evil.example',
    'evil.localhost',
    'a.localhost',
    'localhost.localdomain',
  ],
  ...['127.0.0.1.', '127.0.0.1.evil.example', '127.0.0.1.nip.io', '127-0-0-1.evil.example', 'evil.127.0.0.1'],
  ...[
    'user@localhost',
    'localhost@evil.example',
    'localhost:{port}@evil.example',
    'user:pass@127.0.0.1',
    'evil.example#localhost',
  ],
  ...[
    'localhost:{port}:{port}',
    'localhost:',
    'localhost:x',
    'localhost:-1',
    'localhost:{port}x',
    ':{port}',
    'localhost:{port}/',
  ],
  ...[
    'localhost evil.example',
    'localhost,evil.example',
    'localhost;a=b',
    'http://localhost',
    '//localhost',
    'localhost/',
    '*',
  ],
  // Other spellings of 127.0.0.1: no browser sends them, for it writes addresses out before it looks them up.
  ...[
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.1',
    '127.0.1',
    '127.000.000.001',
    '0x7f.1',
    '127.0.0.1.0',
  ],
  ...['127.0.0.256', '127.0.0.-1', '127.0.0', '127', '0', '１２７.0.0.1'.replaceAll(/[^ -~]/g, '\u00ff')],
  ...[
    '::1',
    '[::1',
    '::1]',
    '[::1]evil.example',
    '[::1].evil.example',
    '[::1]:x',
    '[:1]',
    '[::g]',
    '[localhost]',
    '[]',
    '[127.0.0.1]',
  ],
  ...['', ' ', '\t', '.', '-', 'null', 'undefined', 'a'.repeat(5000)],
];

/** Addresses: nobody's name, so they cannot be rebound; but of another machine, unless somebody has to be logged in. */
const ADDRESSES = [
  '192.168.1.5',
  '10.0.0.1:{port}',
  '0.0.0.0',
  '[::]',
  '[::2]',
  '[fe80::1]:{port}',
  '[::ffff:127.0.0.1]',
];

let rig: Rig;
let lines: Record<'local' | 'cookie' | 'key' | 'none', readonly Line[]>;

const filled = (host: string): string => host.replaceAll('{port}', new URL(rig.server.url).port);

function expectForbidden(answer: WireAnswer): void {
  expectError(answer, 403, 'forbidden', /host/);
  expect(answer.headers.get('set-cookie')).toBeNull();
}

describe.each(['local', 'locked'])('in %s mode', (mode) => {
  const callers = mode === 'local' ? (['local', 'key'] as const) : (['none', 'cookie', 'key'] as const);

  beforeAll(async () => {
    rig = await Rig.start(undefined);
    const maker = rig.local();
    if (mode === 'locked') {
      const { browser } = await rig.owner();
      maker.cookie = browser.cookie;
    }
    const { secret } = await maker.must('POST', '/api/keys', { name: 'K', scopes: ['chat', 'admin'] });
    lines = {
      local: [],
      none: [],
      cookie: [['cookie', `profclaw_session=${maker.cookie}`]],
      key: [['authorization', `Bearer ${secret}`]],
    };
  });

  afterAll(() => rig.stop());

  it.each(callers)('a name that is not ours is refused: %s', async (caller) => {
    const hosts = mode === 'local' ? [...FOREIGN, ...ADDRESSES] : FOREIGN;
    for (const host of hosts) {
      for (const route of ROUTES)
        expectForbidden(await send(rig.server.url, `GET ${route}`, [['host', filled(host)], ...lines[caller]]));
      const answer = await send(rig.server.url, 'POST /api/tasks', [['host', filled(host)], ...lines[caller]], '{}');
      expectForbidden(answer);
    }
  });

  it.each(callers)('two names are refused, one of them ours: %s', async (caller) => {
    const { host } = new URL(rig.server.url);
    for (const hosts of [
      [host, 'evil.example'],
      ['evil.example', host],
      [host, host],
      [host, ''],
      ['', host],
    ]) {
      const both = hosts.map((value): Line => ['host', value]);
      const answer = await send(rig.server.url, 'GET /api/tasks', [...both, ...lines[caller]]);
      expect([400, 403]).toContain(answer.status);
      expectError(answer, answer.status, answer.status === 400 ? 'invalid_request' : 'forbidden');
    }
  });

  it.each(callers)('no name is refused: %s', async (caller) => {
    const more = lines[caller].map(([name, value]) => `${name}: ${value}\r\n`).join('');
    for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
      const answer = parse(
        await exchange(rig.server.url, `GET /api/tasks ${version}\r\nconnection: close\r\n${more}\r\n`),
      );
      expect([400, 403]).toContain(answer.status);
    }
  });

  it.each(callers)('the name in a whole URL counts, not the other one: %s', async (caller) => {
    const { host } = new URL(rig.server.url);
    for (const target of [
      'http://evil.example/api/tasks',
      'https://evil.example:1/api/tasks',
      'http://localhost.evil.example/api/tasks',
    ])
      expectForbidden(await send(rig.server.url, `GET ${target}`, [['host', host], ...lines[caller]]));
    // What is no URL of ours leads nowhere.
    for (const target of [
      'evil.example/api/tasks',
      'evil.example:80',
      'ftp://localhost/api/tasks',
      '//evil.example/api/tasks',
    ])
      expect([400, 404]).toContain(
        (await send(rig.server.url, `GET ${target}`, [['host', host], ...lines[caller]])).status,
      );
    expect([400, 404]).toContain((await send(rig.server.url, `CONNECT ${host}`, lines[caller])).status || 400);
    const good = await send(rig.server.url, `GET http://${host}/api/tasks`, [
      ['host', 'evil.example'],
      ...lines[caller],
    ]);
    expect(good.status).toBe(caller === 'none' ? 401 : 200);
  });

  it.each(callers)('no other header stands for the name: %s', async (caller) => {
    const { host } = new URL(rig.server.url);
    for (const name of [
      'x-forwarded-host',
      'x-host',
      'x-original-host',
      'x-http-host-override',
      'forwarded',
      ':authority',
    ]) {
      const evil: Line[] = [['host', 'evil.example'], ...lines[caller]];
      const answer = await send(rig.server.url, 'GET /api/tasks', [
        ...evil,
        [name, name === 'forwarded' ? `host=${host}` : host],
      ]);
      expect([400, 403]).toContain(answer.status);
    }
  });

  it('our own names are good', async () => {
    const names = ['localhost', 'LocalHost:{port}', '127.0.0.1:{port}', '127.1.2.3', '[::1]:{port}'];
    const caller = mode === 'local' ? 'local' : 'cookie';
    for (const host of mode === 'local' ? names : [...names, ...ADDRESSES])
      expect((await send(rig.server.url, 'GET /api/tasks', [['host', filled(host)], ...lines[caller]])).status).toBe(
        200,
      );
  });
});
