import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { cleanUp, type Program, start } from '../process/program.ts';
import { type Line, send, sendJson, type WireAnswer } from './wire.ts';

// A bearer that is no good key is 401, whatever it looks like, also where nobody needs a credential; and what it was
// stands neither in the answer nor in the log.

vi.setConfig({ testTimeout: 120_000 });

const ACCESS_KEY = 'access-key-0123456789';
const PASSWORD = 'nine lives of a cat';

let program: Program;
let url: string;
let key: string;
let session: string;
/** What no log may have. */
const sent = new Set<string>();

beforeAll(async () => {
  program = start({ PROFCLAW_LOG_LEVEL: 'trace' });
  url = await program.listening;
  key = await newKey([]);
});

afterAll(cleanUp);

async function newKey(lines: readonly Line[]): Promise<string> {
  const { status, body } = await sendJson(url, 'POST /api/keys', lines, { name: 'K', scopes: ['chat', 'admin'] });
  expect(status).toBe(201);
  return body.secret;
}

const TARGETS = ['GET /api/tasks', 'GET /docs', 'POST /api/chat/completions', 'GET /api/auth/status', 'GET /api/audit'];

const base64url = fc.string({
  unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
  minLength: 0,
  maxLength: 60,
});
/** Every byte that a header may have. */
const bytes = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code === 0x7f ? 9 : code)),
  maxLength: 200,
});
const scheme = fc.constantFrom('Bearer', 'bearer', 'BEARER', 'Basic', 'Digest', 'Token', 'profclaw', 'ApiKey', '');
const gap = fc.constantFrom(' ', '  ', '\t', '', ': ', '=', ', ');

/** A good key with something done to it. */
const nearly = (good: string) =>
  fc.oneof(
    fc.tuple(fc.nat(good.length - 1), bytes).map(([at, text]) => good.slice(0, at) + text + good.slice(at + 1)),
    fc.nat(good.length - 1).map((length) => good.slice(0, length)),
    fc.nat(good.length).map((at) => good.slice(at)),
    fc.tuple(base64url, base64url).map(([before, after]) => before + good + after),
    fc.nat(good.length - 1).map((at) => good.slice(0, at) + swapCase(good.slice(at))),
  );

/** Headers of every form, of which none is the good key's. */
function anything(good: string): fc.Arbitrary<string> {
  const value = fc.oneof(
    bytes,
    fc.tuple(scheme, gap, bytes).map((parts) => parts.join('')),
    fc.tuple(scheme, gap, base64url).map(([name, space, text]) => `${name}${space}profclaw_${text}`),
    fc.tuple(scheme, gap, nearly(good)).map((parts) => parts.join('')),
  );
  return value.filter((text) => !/^bearer +\S+$/i.test(text.trim()) || text.trim().replace(/^bearer +/i, '') !== good);
}

function swapCase(text: string): string {
  return text.replaceAll(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
}

function expectRefused({ status, headers, body, text }: WireAnswer, values: readonly string[]): void {
  expect({ status, code: body?.code, error: body?.error }).toEqual({
    status: 401,
    code: 'unauthenticated',
    error: 'Authentication required',
  });
  expect(headers.get('set-cookie')).toBeNull();
  for (const value of values) {
    // What is shorter stands in common words.
    for (const part of value.split(/[\s,]+/).filter(({ length }) => length >= 10)) {
      sent.add(part);
      expect(text).not.toContain(part);
    }
  }
}

async function refused(values: readonly string[], more: readonly Line[] = []): Promise<void> {
  const lines = values.map((value): Line => ['authorization', value]);
  const target = TARGETS[values.join().length % TARGETS.length] ?? '';
  expectRefused(await send(url, target, [...lines, ...more]), values);
}

/** Headers that people and programs really send. */
const known = (good: string): string[][] => {
  const secret = good.slice('profclaw_'.length);
  const hash = createHash('sha256').update(good);
  const jwt = `${text64('{"alg":"none"}')}.${text64('{"sub":"local","scope":"admin"}')}.`;
  return [
    ...['', ' ', '\t', 'Bearer', 'Bearer ', 'bearer', 'Bearer x', 'Bearer null', 'Bearer undefined', 'Bearer true'],
    ...['Bearer [object Object]', 'Bearer {"admin":true}', '{"key":"x"}', 'Bearer 0', 'Bearer *', 'null', 'true'],
    ...['Bearer profclaw_', 'Bearer profclaw_\u00a0', 'Bearer \u00ff\u00fe', 'Bearer схема'.replaceAll(/[^ -~]/g, 'ä')],
    ...["Bearer ' or '1'='1", "Bearer profclaw_' or 1=1 --", 'Bearer profclaw_%', 'Bearer profclaw_%00', 'Bearer %00'],
    ...[good, ` ${good}`, `Bearer${good}`, `Bearer\t${good}`, `Bearer: ${good}`, `Bearer="${good}"`, `Token ${good}`],
    ...[`Bearer "${good}"`, `Bearer ${good}=`, `Bearer ${good}==`, `Bearer ${good},`, `Bearer ${good} x`],
    ...[`Bearer ${good}, Bearer ${good}`, `Bearer ${good},Basic x`, `Bearer x Bearer ${good}`, `Bearer Bearer ${good}`],
    ...[`Bearer ${secret}`, `Bearer profclaw-${secret}`, `Bearer PROFCLAW_${secret}`, `Bearer profclaw_${good}`],
    ...[`Bearer ${good.toLowerCase()}`, `Bearer ${good.toUpperCase()}`, `Bearer ${encodeURIComponent(`${good}\n`)}`],
    ...[`Bearer ${hash.copy().digest('base64url')}`, `Bearer profclaw_${hash.copy().digest('base64url')}`],
    ...[`Bearer ${hash.copy().digest('hex')}`, `Bearer ${text64(good)}`, `Bearer ${jwt}`, `Bearer profclaw_${jwt}`],
    ...[
      `Basic ${text64(`:${good}`)}`,
      `Basic ${text64(`${good}:`)}`,
      `Basic ${text64(`owner@example.com:${PASSWORD}`)}`,
    ],
    ...[`Basic ${good}`, `Digest username="${good}", response="x"`, `Negotiate ${text64(good)}`, 'AWS4-HMAC-SHA256 x'],
    ...[`Bearer ${ACCESS_KEY}`, `Bearer profclaw_${ACCESS_KEY}`, `Bearer ${PASSWORD}`, `Bearer ${'a'.repeat(12_000)}`],
    `Bearer profclaw_${'-'.repeat(12_000)}`,
  ].map((value) => [value]);
};

function text64(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** More than one header: which of them counts is a matter of who reads them. */
const several = (good: string): string[][] => [
  [`Bearer ${good}`, 'Bearer x'],
  ['Bearer x', `Bearer ${good}`],
  [`Bearer ${good}`, `Bearer ${good}`],
  [`Bearer ${good}`, ''],
  ['', `Bearer ${good}`],
  [`Basic ${text64('a:b')}`, `Bearer ${good}`],
];

async function refusedAll(good: string, more: readonly Line[] = []): Promise<void> {
  for (const values of [...known(good), ...several(good)]) await refused(values, more);
  await fc.assert(
    fc.asyncProperty(anything(good), (value) => refused([value], more)),
    { numRuns: 400 },
  );
  const valid = fc.array(fc.oneof(anything(good), fc.constant(`Bearer ${good}`)), { minLength: 2, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(valid, (values) => refused(values, more)),
    { numRuns: 100 },
  );
}

it('is refused in local mode, where whoever sends none is let in', async () => {
  expect((await send(url, 'GET /api/tasks')).status).toBe(200);
  await refusedAll(key);
});

it('is refused in locked mode, with a good session beside it too', async () => {
  const account = { email: 'owner@example.com', password: PASSWORD, name: 'O' };
  const signedUp = await sendJson(url, 'POST /api/auth/signup', [], account);
  session = /profclaw_session=([^;]*)/.exec(signedUp.headers.get('set-cookie') ?? '')?.[1] ?? '';
  const cookie: Line = ['cookie', `profclaw_session=${session}`];
  expect((await sendJson(url, 'PUT /api/auth/access-key', [cookie], { key: ACCESS_KEY })).status).toBe(200);
  const locked = await newKey([cookie]);
  await refusedAll(locked);
  await refusedAll(locked, [cookie]);
  for (const value of [session, `profclaw_${session}`, `profclaw_session=${session}`])
    await refused([`Bearer ${value}`]);
});

it('and the good one is let in, by any spelling of its scheme', async () => {
  for (const value of [`Bearer ${key}`, `bearer ${key}`, `BEARER   ${key}  `])
    expect((await send(url, 'GET /api/auth/me', [['authorization', value]])).status).toBe(200);
});

it('what was sent is not in the log', async () => {
  program.child.kill('SIGTERM');
  expect(await program.ended).toMatchObject({ code: 0 });
  const log = program.stdout() + program.stderr();
  expect(log.split('\n').length).toBeGreaterThan(1500);
  expect(sent.size).toBeGreaterThan(500);
  for (const value of [...sent, key, session, ACCESS_KEY, PASSWORD]) {
    expect(log).not.toContain(value);
    expect(log).not.toContain(JSON.stringify(value).slice(1, -1));
  }
});
