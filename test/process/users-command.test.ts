import { join } from 'node:path';
import { spawn as spawnAtTerminal } from '@lydell/node-pty';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Json } from '../server.ts';
import { call, run, type Said } from './command.ts';
import { cleanUp, start, tempFolder, until } from './program.ts';

// Several whole programs start at once, on machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

afterAll(cleanUp);

const PASSWORD = 'correct horse battery staple';

function post(url: string, path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Asked whether it is sure. @returns how it ended */
async function removeAtTerminal(home: string, email: string, answer: string): Promise<number> {
  const root = join(import.meta.dirname, '../..');
  const words = ['src/main.ts', 'users', 'remove', email];
  const env = { PROFCLAW_HOME: home, TERM: 'xterm' };
  const terminal = spawnAtTerminal(join(root, 'node_modules/.bin/node'), words, { cwd: root, env, cols: 80, rows: 24 });
  let screen = '';
  terminal.onData((text) => {
    screen += text;
  });
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  await until('the question', () => screen.includes('Type yes to go on'));
  terminal.write(answer);
  const code = await ended;
  expect(screen).toContain(code === 0 ? 'is deleted' : 'nothing was changed');
  return code;
}

it('lets people in, changes what they may do, and takes them out, beside a running server', async () => {
  const program = start();
  const url = await program.listening;
  const users = (...words: string[]): Promise<Said> => call(['users', ...words], { PROFCLAW_HOME: program.home });
  const logIn = async (email: string, password = PASSWORD): Promise<number> =>
    (await post(url, '/api/auth/login', { email, password })).status;

  expect(await users('invite')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('sign up on the page'),
  });
  const first = { email: 'ada@example.com', password: PASSWORD, name: 'Ada' };
  expect((await post(url, '/api/auth/signup', first)).status).toBe(201);

  const words = ['users', 'invite', '--email', 'Bob@Example.com', '--expires', '2'];
  const invited = await run(words, { PROFCLAW_HOME: program.home });
  expect(invited).toMatchObject({ code: 0, out: expect.stringMatching(/^[\w-]{43}\n$/) });
  const inviteCode = invited.out.trim();
  expect((await users('invites')).out).toMatch(/^invite_\w+ +member +bob@example\.com/m);
  const second = { email: 'bob@example.com', password: PASSWORD, name: 'Bob', inviteCode };
  expect((await post(url, '/api/auth/signup', second)).status).toBe(201);

  expect(await users('role', 'bob@example.com', 'admin')).toMatchObject({
    code: 0,
    out: 'bob@example.com is now admin\n',
  });
  const list: Json[] = JSON.parse((await users('list', '--json')).out);
  expect(list.map(({ email, role, status }) => `${email} ${role} ${status}`)).toEqual([
    'ada@example.com owner active',
    'bob@example.com admin active',
  ]);
  const table = await users('list');
  expect(table.out).toMatch(/^bob@example\.com +Bob +admin +active/m);
  expect(table.out + JSON.stringify(list)).not.toMatch(/argon|hash/i);

  expect((await users('disable', 'bob@example.com')).code).toBe(0);
  expect(await logIn('bob@example.com')).toBe(401);
  expect((await users('enable', 'bob@example.com')).code).toBe(0);
  expect(await logIn('bob@example.com')).toBe(200);
  const [, password] = /is (\S+)\n/.exec((await users('password', 'bob@example.com')).out) ?? [];
  expect(await logIn('bob@example.com')).toBe(401);
  expect(await logIn('bob@example.com', password)).toBe(200);

  // Nobody can be asked.
  expect(await users('remove', 'bob@example.com')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  expect(await logIn('bob@example.com', password)).toBe(200);
  for (const answer of ['no\r', '\u0003', 'yes\r'])
    expect(await removeAtTerminal(program.home, 'bob@example.com', answer)).toBe(answer === 'yes\r' ? 0 : 1);
  await until('the account to be out', async () => (await logIn('bob@example.com', password)) === 401);
  expect(await users('remove', 'ada@example.com', '--yes')).toMatchObject({
    code: 1,
    err: expect.stringContaining('owner’s account'),
  });
});

describe.concurrent('profclaw users', () => {
  it('refuses what is wrong', async () => {
    const home = join(tempFolder(), 'home');
    const users = (...words: string[]): Promise<Said> => call(['users', ...words], { PROFCLAW_HOME: home });
    const [role, expires, none] = await Promise.all([
      users('role', 'ada@example.com', 'emperor'),
      users('invite', '--expires', 'soon'),
      users('list'),
    ]);
    expect(role).toMatchObject({ code: 2, err: expect.stringContaining('member, admin') });
    expect(expires).toMatchObject({ code: 2, err: expect.stringContaining('whole number from 1 to 365') });
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining('there is no database') });
  });
});

describe.concurrent('profclaw', () => {
  it('groups the commands, says what to do first, and gives every command an example', async () => {
    const { code, out } = await call(['--help'], {});
    expect(code).toBe(0);
    const groups = ['First:', 'Server:', 'Talk:', 'Set up:', 'Look after:'];
    const places = groups.map((group) => out.indexOf(`${group}\n`));
    expect(places.every((place, at) => place >= 0 && place > (places[at - 1] ?? -1))).toBe(true);
    expect(out.split('\n').every((line) => line.length <= 100)).toBe(true);
  });

  it.each([
    'serve',
    'doctor',
    'runs',
    'providers',
    'users',
    'keys',
    'rules',
    'audit',
    'secret',
    'backup',
    'restore',
    'migrate',
  ])('shows by an example how it is used: %s', async (word) => {
    const { out } = await call([word, '--help'], {});
    expect(out).toMatch(/Examples?:\n {2}\$ /);
    const below = [...out.matchAll(/^ {2}([a-z]+)(?:[ |]|$)/gm)].map(([, name = '']) => name);
    for (const name of below.filter((one) => one !== 'help'))
      expect((await call([word, name, '--help'], {})).out).toMatch(/Examples?:\n {2}\$ /);
  });

  it('ends quietly when nobody reads on', async () => {
    const program = start({}, undefined, ['doctor', '--sim']);
    program.child.stdout?.once('data', () => program.child.stdout?.destroy());
    expect(await program.ended).toMatchObject({ code: 0, signal: null });
    expect(program.stderr()).toBe('');
    expect(program.stdout()).not.toContain('cohere-chat');
  });

  it('knows what was meant, and ends with 2', async () => {
    const [word, option, sub, none] = await Promise.all([
      run(['docter'], {}),
      call(['--verzion'], {}),
      call(['keys', 'creat'], {}),
      call(['xyzzyxyzzy'], {}),
    ]);
    expect(word).toMatchObject({ code: 2, out: '', err: expect.stringContaining('did you mean doctor?') });
    expect(option).toMatchObject({ code: 2, out: '', err: expect.stringContaining("unknown option '--verzion'") });
    expect(sub).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Did you mean create?') });
    expect(none).toMatchObject({ code: 2, out: '', err: expect.stringContaining("unknown command 'xyzzyxyzzy'") });
  });
});
