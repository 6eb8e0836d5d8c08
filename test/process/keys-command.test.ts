import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import type { Json } from '../server.ts';
import { call, run, type Said } from './command.ts';
import { cleanUp, start, tempFolder, until } from './program.ts';

// Several whole programs start at once, on machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

afterAll(cleanUp);

async function statusWith(url: string, secret: string, path = '/api/chat/providers'): Promise<number> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${secret}` } });
  await response.body?.cancel();
  return response.status;
}

it('makes a key beside a running server, lists it without its secret, and revokes it', async () => {
  const program = start();
  const url = await program.listening;
  const keys = (...words: string[]): Promise<Said> => call(['keys', ...words], { PROFCLAW_HOME: program.home });
  expect((await keys('list')).out).toContain('There are no API keys');
  const environment = { PROFCLAW_HOME: program.home };
  const made = await run(
    ['keys', 'create', 'ci', '--scope', 'chat', 'tools', '--expires', '30', '--budget-usd', '5'],
    environment,
  );
  // Alone on standard output, so that it can be piped.
  expect(made.code).toBe(0);
  expect(made.out).toMatch(/^profclaw_[\w-]{43}\n$/);
  const secret = made.out.trim();
  expect(made.err).not.toContain(secret);
  expect(await statusWith(url, secret)).toBe(200);
  // It does no more than it is for.
  expect(await statusWith(url, secret, '/api/users')).toBe(403);

  const listed = await keys('list', '--json');
  const [key]: Json[] = JSON.parse(listed.out);
  expect(key).toMatchObject({ name: 'ci', scopes: ['chat', 'tools'], budget: { usd: 5, period: 'month' } });
  expect(key?.expiresAt).toMatch(/^\d{4}-/);
  const table = await keys('list');
  expect(table.out).toMatch(/^key_\w+ +ci +profclaw_\S{4} +chat tools +\d{4}-\d\d-\d\d +\S.* +\$5 a month$/m);
  expect(listed.out + table.out).not.toContain(secret);

  expect(await keys('revoke', key?.id)).toMatchObject({ code: 0, out: `${key?.id} is revoked\n` });
  await until('the key to be refused', async () => (await statusWith(url, secret)) === 401);
  const { entries } = (await (await fetch(`${url}/api/audit`)).json()) as Json;
  expect(entries.map(({ actor, action }: Json) => `${actor} ${action}`)).toEqual([
    'command-line key.revoke',
    'command-line key.create',
  ]);
  expect(program.stderr()).not.toContain(secret);
});

it('refuses what is wrong', async () => {
  const home = join(tempFolder(), 'home');
  const keys = (...words: string[]): Promise<Said> => call(['keys', ...words], { PROFCLAW_HOME: home });
  const wrong = await Promise.all([
    keys('create', 'x', '--scope', 'everything'),
    keys('create', 'x', '--expires', '0'),
    keys('create', 'x', '--budget-usd', '-1'),
    keys('create'),
  ]);
  for (const { code, out } of wrong) expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(wrong[0]?.err).toContain('Allowed choices are chat, tools');
  expect(await keys('list')).toMatchObject({ code: 1, err: expect.stringContaining('there is no database') });
  expect(await call(['keys', 'create', 'x'], { PROFCLAW_HOME: '/dev/null/home' })).toMatchObject({
    code: 1,
    err: expect.stringContaining('Cannot keep anything in the home folder /dev/null/home'),
  });
  expect(await keys('create', 'first')).toMatchObject({ code: 0, out: expect.stringMatching(/^profclaw_/) });
  expect(await keys('revoke', 'key_none')).toMatchObject({
    code: 1,
    err: expect.stringContaining('"key_none" not found'),
  });
  expect(await keys('create', 'y', '--user', 'nobody@example.com')).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is no account with the email nobody@example.com'),
  });
});
