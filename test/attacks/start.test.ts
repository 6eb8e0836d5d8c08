import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { cleanUp, type Program, start, tempFolder } from '../process/program.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { type Line, send, sendJson, type WireAnswer } from './wire.ts';

// The real program: it is not to be reached by strangers from the moment on at which it listens.

vi.setConfig({ testTimeout: 120_000 });

afterAll(cleanUp);

const ACCESS_KEY = 'access-key-0123456789';
const ACCOUNT = { email: 'owner@example.com', password: 'nine lives of a cat', name: 'O' };

/** Where a program that listens everywhere is reached from this machine. */
const HERE: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

/** Everywhere where this machine can be reached, IPv6 too if it has it. */
const EVERYWHERE = Object.values(networkInterfaces())
  .flat()
  .some((face) => face?.address === '::1')
  ? ['0.0.0.0', '::']
  : ['0.0.0.0'];

async function stop(program: Program): Promise<void> {
  program.child.kill('SIGTERM');
  expect(await program.ended).toMatchObject({ code: 0 });
}

/** A URL that a program of this machine calls. */
async function reach(program: Program, host: string): Promise<string> {
  const { port } = new URL(await program.listening);
  return `http://${HERE[host] ?? host}:${port}`;
}

async function expectLocked(url: string): Promise<void> {
  for (const target of ['GET /api/tasks', 'GET /docs', 'GET /api/auth/me', 'POST /api/keys'])
    expectError(await send(url, target), 401, 'unauthenticated');
  expectError(await sendJson(url, 'POST /api/auth/signup', [], ACCOUNT), 401, 'unauthenticated');
  expect((await send(url, 'GET /api/auth/status')).body).toMatchObject({ mode: 'locked' });
}

function cookieOf(answer: WireAnswer): Line {
  const value = /^profclaw_session=([\w-]{43});/.exec(answer.headers.get('set-cookie') ?? '')?.[1];
  expect([answer.status, value]).toEqual([expect.toBeOneOf([200, 201]), expect.any(String)]);
  return ['cookie', `profclaw_session=${value}`];
}

async function comeIn(url: string, key = ACCESS_KEY): Promise<Line> {
  return cookieOf(await sendJson(url, 'POST /api/auth/verify-access-key', [], { key }));
}

const isIn = async (url: string, cookie: Line) => (await send(url, 'GET /api/auth/me', [cookie])).status === 200;

describe.concurrent('a host that other machines reach', () => {
  it.each<[string, Record<string, string>]>([
    ...EVERYWHERE.map((host): [string, Record<string, string>] => [host, {}]),
    ['0.0.0.0', { PROFCLAW_ACCESS_KEY: '' }],
    ['192.0.2.1', {}],
    ['127.1', {}],
  ])('%s is refused as long as nothing keeps strangers out: %o', async (HOST, environment) => {
    const program = start({ HOST, ...environment });
    expect(await program.ended).toMatchObject({ code: 2, signal: null });
    expect(program.stdout()).toBe('');
    expect(program.stderr()).toMatch(/^profclaw: Wrong settings:\n {2}- HOST: .* can be reached from other machines/);
    for (const way of ['PROFCLAW_ACCESS_KEY', 'openssl rand -hex 16', 'HOST=127.0.0.1', '/api/auth/signup'])
      expect(program.stderr()).toContain(way);
  });

  it('is refused with an access key that could be guessed, which is not said again', async () => {
    const program = start({ HOST: '0.0.0.0', PROFCLAW_ACCESS_KEY: 'hunter2hunter2' });
    expect(await program.ended).toMatchObject({ code: 2 });
    expect(program.stderr()).toContain('PROFCLAW_ACCESS_KEY: must have 16 characters');
    expect(program.stderr()).not.toContain('hunter2');
  });

  it.each(EVERYWHERE)('%s is fine with an access key, and nobody comes in without it', async (host) => {
    const file = join(tempFolder(), 'key');
    writeFileSync(file, `${ACCESS_KEY}\n`);
    for (const environment of [{ PROFCLAW_ACCESS_KEY: ACCESS_KEY }, { PROFCLAW_ACCESS_KEY_FILE: file }]) {
      const program = start({ HOST: host, ...(environment as Record<string, string>) });
      const url = await reach(program, host);
      // Nor from this machine.
      await expectLocked(url);
      const wrong = await sendJson(url, 'POST /api/auth/verify-access-key', [], { key: `${ACCESS_KEY}0` });
      expectError(wrong, 401, 'unauthenticated');
      const cookie = await comeIn(url);
      expect(await isIn(url, cookie)).toBe(true);
      // Whoever has the key becomes the owner.
      expect((await sendJson(url, 'POST /api/auth/signup', [cookie], ACCOUNT)).status).toBe(201);
      await stop(program);
      expect(program.stderr()).not.toContain(ACCESS_KEY);
    }
  });

  it('is fine with an account that was made before', async () => {
    const before = start();
    const made = await sendJson(await before.listening, 'POST /api/auth/signup', [], ACCOUNT);
    expect(made.status).toBe(201);
    await stop(before);
    const program = start({ HOST: '0.0.0.0', PROFCLAW_HOME: before.home });
    const url = await reach(program, '0.0.0.0');
    for (const target of ['GET /api/tasks', 'POST /api/keys'])
      expectError(await send(url, target), 401, 'unauthenticated');
    expectError(
      await sendJson(url, 'POST /api/auth/signup', [], { ...ACCOUNT, email: 'a@b.example' }),
      403,
      'forbidden',
    );
    const { email, password } = ACCOUNT;
    const cookie = cookieOf(await sendJson(url, 'POST /api/auth/login', [], { email, password }));
    expect(await isIn(url, cookie)).toBe(true);
    await stop(program);
  });

  it('keeps its last credential', async () => {
    // Made where it may be taken away again.
    const before = start();
    const set = await sendJson(await before.listening, 'PUT /api/auth/access-key', [], { key: ACCESS_KEY });
    const old = cookieOf(set);
    await stop(before);
    const program = start({ HOST: '0.0.0.0', PROFCLAW_HOME: before.home });
    const url = await reach(program, '0.0.0.0');
    expect(await isIn(url, old)).toBe(true);
    const refused = await sendJson(url, 'PUT /api/auth/access-key', [old], { key: null });
    expectError(refused, 409, 'conflict', /nobody could come in/);
    await expectLocked(url);
    expect(await isIn(url, old)).toBe(true);
    // With an account there is another way in.
    const owner = cookieOf(await sendJson(url, 'POST /api/auth/signup', [old], ACCOUNT));
    expect((await sendJson(url, 'PUT /api/auth/access-key', [owner], { key: null })).status).toBe(200);
    expectError(await send(url, 'GET /api/tasks'), 401, 'unauthenticated');
    expect(await isIn(url, old)).toBe(false);
    await stop(program);
  });
});

describe.concurrent('the access key of the environment', () => {
  it('cannot be changed over the API', async () => {
    const program = start({ PROFCLAW_ACCESS_KEY: ACCESS_KEY });
    const url = await program.listening;
    const cookie = await comeIn(url);
    for (const key of [null, 'another-key-0123456789'])
      expectError(
        await sendJson(url, 'PUT /api/auth/access-key', [cookie], { key }),
        409,
        'conflict',
        /PROFCLAW_ACCESS_KEY/,
      );
    expect(await isIn(url, cookie)).toBe(true);
    await stop(program);
  });

  it('keeps its sessions as long as it is the same, and takes them along when it changes or goes', async () => {
    const home = join(tempFolder(), 'home');
    const again = async (environment: Record<string, string>, look: (url: string) => Promise<void>) => {
      const program = start({ PROFCLAW_HOME: home, ...environment });
      await look(await program.listening);
      await stop(program);
    };
    const other = `${ACCESS_KEY}-other`;
    const cookies: Line[] = [];
    await again({ PROFCLAW_ACCESS_KEY: ACCESS_KEY }, async (url) => {
      await expectLocked(url);
      cookies.push(await comeIn(url));
    });
    await again({ PROFCLAW_ACCESS_KEY: ACCESS_KEY }, async (url) => {
      expect(await isIn(url, cookies[0]!)).toBe(true);
    });
    await again({ PROFCLAW_ACCESS_KEY: other }, async (url) => {
      expect(await isIn(url, cookies[0]!)).toBe(false);
      const wrong = await sendJson(url, 'POST /api/auth/verify-access-key', [], { key: ACCESS_KEY });
      expectError(wrong, 401, 'unauthenticated');
      cookies.push(await comeIn(url, other));
    });
    await again({}, async (url) => {
      // It is a server of this machine only, as it was before.
      expect((await send(url, 'GET /api/auth/status')).body).toMatchObject({ mode: 'local', accessKey: false });
      const proxied: Line = ['x-forwarded-for', '192.0.2.1'];
      for (const cookie of cookies)
        expectError(await send(url, 'GET /api/auth/me', [cookie, proxied]), 401, 'unauthenticated');
      const wrong = await sendJson(url, 'POST /api/auth/verify-access-key', [], { key: other });
      expectError(wrong, 401, 'unauthenticated');
    });
    await again({ PROFCLAW_ACCESS_KEY: ACCESS_KEY }, async (url) => {
      for (const cookie of cookies) expect(await isIn(url, cookie)).toBe(false);
    });
  });
});

describe('two servers with one database', () => {
  let postgres: PostgresServer;

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it('what locks one locks the other', async () => {
    const environment = { DATABASE_URL: await postgres.newDatabase(), PROFCLAW_SECRET_KEY: 'ab'.repeat(32) };
    const [first, second] = [start(environment), start(environment)];
    const urls = [await first.listening, await second.listening] as const;
    for (const url of urls) expect((await send(url, 'GET /api/tasks')).status).toBe(200);
    const cookie = cookieOf(await sendJson(urls[0], 'POST /api/auth/signup', [], ACCOUNT));
    expectError(await send(urls[0], 'GET /api/tasks'), 401, 'unauthenticated');
    // The other one looks once a second.
    await expect.poll(async () => (await send(urls[1], 'GET /api/tasks')).status).toBe(401);
    for (const url of urls) expect(await isIn(url, cookie)).toBe(true);
    expect((await send(urls[1], 'POST /api/auth/logout', [cookie])).status).toBe(200);
    for (const url of urls) expect(await isIn(url, cookie)).toBe(false);
    // What is said by one while the other may not have looked yet.
    const { body } = await sendJson(urls[1], 'POST /api/auth/signup', [], { ...ACCOUNT, email: 'second@example.com' });
    expect(body.code).toBe('forbidden');
    for (const program of [first, second]) await stop(program);
  });
});
