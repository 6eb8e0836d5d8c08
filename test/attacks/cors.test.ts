import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig } from '../access/rig.ts';
import { type Line, send, type WireAnswer } from './wire.ts';

// Pages of other sites may read answers only if their origin is named, letter by letter.

const APP = 'https://app.example.com';
const OTHER = 'http://localhost:5173';
const PREFLIGHT: Line[] = [
  ['access-control-request-method', 'DELETE'],
  ['access-control-request-headers', 'authorization,content-type'],
];
const JSON_TYPE: Line = ['content-type', 'application/json'];

const STRANGERS = [
  ...[
    'http://evil.example',
    'null',
    '',
    '*',
    'https://app.example.com.evil.example',
    'https://evil.example/https://app.example.com',
  ],
  ...[
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com:443',
    'https://app.example.com/',
    'https://APP.example.com',
  ],
  ...[
    'https://xapp.example.com',
    'https://app.example.com@evil.example',
    'https://app.example.comx',
    'app.example.com',
    'https://appxexample.com',
  ],
  ...[
    'https://app.example.com, http://evil.example',
    'https://app.example.com http://evil.example',
    'file://',
    'http://localhost:51730',
    'http://localhost',
  ],
];

function cors({ headers }: WireAnswer): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control'));
}

/** Requests of every outcome. */
const REQUESTS: [number, string, readonly Line[], string][] = [
  [200, 'GET /api/tasks', [], ''],
  [201, 'POST /api/tasks', [JSON_TYPE], '{"title":"T","prompt":"P"}'],
  [400, 'POST /api/tasks', [JSON_TYPE], '{}'],
  [400, 'POST /api/tasks', [JSON_TYPE], '{'],
  [401, 'GET /api/tasks', [['authorization', 'Bearer x']], ''],
  [403, 'GET /api/tasks', [['host', 'evil.example']], ''],
  [404, 'GET /api/nothing', [], ''],
  [404, 'GET /api/tasks/x', [], ''],
  [413, 'POST /api/tasks', [JSON_TYPE, ['content-length', '99999999999']], ''],
  [415, 'POST /api/tasks', [['content-type', 'text/plain']], '{}'],
  [200, 'GET /health', [], ''],
  [200, 'POST /api/chat/completions', [JSON_TYPE], '{"model":"demo","messages":[{"role":"user","content":"hi"}]}'],
  [
    200,
    'POST /api/chat/completions',
    [JSON_TYPE],
    '{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}',
  ],
];

const rigs: Rig[] = [];

async function start(environment: Record<string, string>): Promise<string> {
  const rig = await Rig.start(undefined, environment);
  rigs.push(rig);
  return rig.server.url;
}

afterAll(async () => {
  for (const rig of rigs) await rig.stop();
});

describe('without named origins', () => {
  let url: string;

  beforeAll(async () => {
    url = await start({});
  });

  it.each([...STRANGERS, APP, OTHER])('%j reads nothing and may ask nothing', async (origin) => {
    for (const [, request, lines, body] of REQUESTS) {
      const answer = await send(url, request, [...lines, ['origin', origin]], body);
      expect(cors(answer)).toEqual([]);
      if (request !== 'GET /health') expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    const answer = await send(url, 'OPTIONS /api/tasks', [['origin', origin], ...PREFLIGHT]);
    expect([answer.status, cors(answer)]).toEqual([404, []]);
  });

  it('our own pages need nothing of it', async () => {
    const answer = await send(url, 'GET /api/tasks', [['origin', url]]);
    expect([answer.status, cors(answer)]).toEqual([200, []]);
  });
});

describe('with named origins', () => {
  let url: string;

  beforeAll(async () => {
    url = await start({ PROFCLAW_CORS_ORIGINS: `${APP},${OTHER}` });
  });

  it.each([APP, OTHER])('%s may read every answer, also that it is refused', async (origin) => {
    for (const [status, request, lines, body] of REQUESTS) {
      const cross: Line[] = [
        ['origin', origin],
        ['sec-fetch-site', 'cross-site'],
        ['sec-fetch-mode', 'cors'],
      ];
      const answer = await send(url, request, [...lines, ...cross], body);
      expect([request, answer.status]).toEqual([request, status]);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
      expect(answer.headers.get('vary')).toMatch(/\borigin\b/i);
      expect(answer.headers.get('access-control-expose-headers')).toContain('retry-after');
    }
  });

  it.each([APP, OTHER])('%s may ask before', async (origin) => {
    for (const path of ['/api/tasks', '/api/tasks/x', '/api/auth/login', '/nothing']) {
      const answer = await send(url, `OPTIONS ${path}`, [['origin', origin], ...PREFLIGHT]);
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-methods')).toContain('DELETE');
      expect(answer.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
      expect(answer.headers.get('vary')).toMatch(/\borigin\b/i);
    }
  });

  it.each(STRANGERS)('%j reads nothing and may ask nothing', async (origin) => {
    for (const [, request, lines, body] of REQUESTS) {
      const answer = await send(url, request, [...lines, ['origin', origin]], body);
      expect(cors(answer)).toEqual([]);
      // Or else a cache would give one site what another may have.
      expect(answer.headers.get('vary')).toMatch(/\borigin\b/i);
      if (request !== 'GET /health') expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    const answer = await send(url, 'OPTIONS /api/tasks', [['origin', origin], ...PREFLIGHT]);
    expect([answer.status, cors(answer)]).toEqual([404, []]);
  });

  it('two origins are none', async () => {
    for (const origins of [
      [APP, 'http://evil.example'],
      ['http://evil.example', APP],
      [APP, OTHER],
    ]) {
      const lines = origins.map((origin): Line => ['origin', origin]);
      for (const request of ['GET /api/tasks', 'OPTIONS /api/tasks']) {
        const answer = await send(url, request, [...lines, ...PREFLIGHT]);
        expect(cors(answer)).toEqual([]);
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    }
  });

  it('a named one needs our name all the same', async () => {
    const answer = await send(url, 'GET /api/tasks', [
      ['host', 'evil.example'],
      ['origin', APP],
    ]);
    expect(answer.status).toBe(403);
  });

  it('an answer without an origin says that it may differ', async () => {
    const answer = await send(url, 'GET /api/tasks');
    expect([answer.status, answer.headers.get('vary'), cors(answer)]).toEqual([200, 'origin', []]);
  });
});

it.each([
  '*',
  'null',
  'https://*.example.com',
  'app.example.com',
  'https://app.example.com/',
  'file://',
  'file://localhost',
  'app://*',
  'app://obsidian.md/',
  'app:obsidian',
  'https://a.example,*',
])('PROFCLAW_CORS_ORIGINS=%s is refused at the start', async (PROFCLAW_CORS_ORIGINS) => {
  await expect(start({ PROFCLAW_CORS_ORIGINS })).rejects.toThrow(/PROFCLAW_CORS_ORIGINS: .*must be an origin/);
});
