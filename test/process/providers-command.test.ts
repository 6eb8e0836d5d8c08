import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { spawn as spawnAtTerminal } from '@lydell/node-pty';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Json } from '../server.ts';
import { call, type FakeVendor, run, type Said, startFakeVendor } from './command.ts';
import { cleanUp, start, tempFolder, until } from './program.ts';

// Several whole programs start at once, on machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

const KEY = 'sk-secret-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const WRONG = 'sk-wrong-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ';

let vendor: FakeVendor;

beforeAll(async () => {
  vendor = await startFakeVendor(KEY, ['gpt-5.5', 'gpt-5.5-mini']);
});

afterAll(async () => {
  vendor.close();
  await cleanUp();
});

/** `profclaw providers …`, which must never say a key. */
function providersOf(home: string): (words: string[], input?: string) => Promise<Said> {
  return async (words, input) => {
    const environment = { PROFCLAW_HOME: home, OPENAI_BASE_URL: vendor.url };
    const said = await call(['providers', ...words], environment, input);
    expect(said.out + said.err).not.toMatch(/sk-(secret|wrong)/);
    return said;
  };
}

function auditOf(home: string): string[] {
  const db = new DatabaseSync(join(home, 'profclaw.db'), { readOnly: true });
  const rows = db.prepare('select actor, action, target, outcome, details from audit_log order by seq').all();
  db.close();
  expect(JSON.stringify(rows)).not.toMatch(/sk-(secret|wrong)/);
  return rows.map(({ actor, action, target, outcome }) => `${actor} ${action} ${target} ${outcome}`);
}

it('sets a provider up before the first start, asks it, makes it the default, and forgets it', async () => {
  const home = join(tempFolder(), 'home');
  const providers = providersOf(home);
  const refused = await providers(['set', 'openai', '--key-stdin'], WRONG);
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Nothing was changed') });
  expect(refused.err).toContain('Incorrect API key');
  expect(await providers(['set', 'openai', '--key-stdin', '--model', 'gpt-5.5-mini'], `${KEY}\n`)).toMatchObject({
    code: 0,
    out: 'openai is configured and answers\n',
  });
  const { out } = await providers(['list', '--json']);
  const list: Json[] = JSON.parse(out);
  expect(list.find(({ type }) => type === 'openai')).toMatchObject({
    ...{ state: 'configured', key: 'stored', defaultModel: 'gpt-5.5-mini', isDefault: true, baseUrl: vendor.url },
  });
  expect((await providers(['list'])).out).toMatch(/^openai \* +configured +stored +gpt-5\.5-mini/m);
  expect(await providers(['test', 'openai'])).toMatchObject({ code: 0, out: expect.stringMatching(/openai +yes/) });
  expect((await providers(['models', 'openai'])).out).toMatch(/^gpt-5\.5-mini /m);
  expect(await providers(['default', 'openai/gpt-5.5'])).toMatchObject({
    code: 0,
    out: 'the default is openai/gpt-5.5\n',
  });
  expect((await providers(['default'])).out).toBe('openai/gpt-5.5\n');
  expect(await providers(['set', 'openai', '--clear', 'model'])).toMatchObject({ code: 0 });
  const cleared: Json[] = JSON.parse((await providers(['list', '--json'])).out);
  expect(cleared.find(({ type }) => type === 'openai')).toMatchObject({ key: 'stored', defaultModel: 'gpt-5.5' });
  expect(await providers(['remove', 'openai'])).toMatchObject({ code: 0 });
  expect(await providers(['remove', 'openai'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('nothing is stored of openai'),
  });
  const now: Json[] = JSON.parse((await providers(['list', '--json'])).out);
  expect(now.find(({ type }) => type === 'openai')).toMatchObject({ state: 'not set', key: null });
  expect(auditOf(home)).toEqual([
    'command-line provider.configure openai begun',
    'command-line provider.configure openai failed',
    'command-line provider.configure openai begun',
    'command-line provider.default openai begun',
    'command-line provider.configure openai begun',
    'command-line provider.remove openai begun',
    'command-line provider.remove openai begun',
    'command-line provider.remove openai failed',
  ]);
});

it('refuses what is wrong, and a key that stands in the command', async () => {
  const home = join(tempFolder(), 'home');
  const providers = providersOf(home);
  const program = await run(['providers', 'set', 'openai', KEY], { PROFCLAW_HOME: home });
  expect(program).toMatchObject({ code: 2, out: '', err: expect.not.stringContaining(KEY) });
  const [inCommand, nobody, unknown, address, absent, unset, word] = await Promise.all([
    // What was typed is not said again either.
    providers(['set', 'openai', KEY]),
    providers(['set', 'openai']),
    providers(['set', 'opnai', '--model', 'x']),
    providers(['set', 'openai', '--base-url', 'http://name:password@host']),
    providers(['set', 'openai', '--key-file', '/no/such/file']),
    providers(['default', 'groq']),
    providers(['sett', 'openai']),
  ]);
  expect(inCommand).toMatchObject({ code: 2, err: expect.stringContaining('not given as an argument') });
  expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining('--key-stdin') });
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('there is no provider opnai') });
  expect(address).toMatchObject({
    code: 2,
    err: expect.stringContaining('--base-url must not hold a name or password'),
  });
  expect(absent).toMatchObject({ code: 1, err: expect.stringContaining('/no/such/file') });
  expect(unset).toMatchObject({ code: 1, err: expect.stringContaining('`profclaw providers set groq`') });
  expect(word).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean set?') });
});

it('is noticed by a running server', async () => {
  const program = start({ OPENAI_BASE_URL: vendor.url });
  const url = await program.listening;
  const file = join(tempFolder(), 'key');
  writeFileSync(file, `${KEY}\n`);
  expect(await providersOf(program.home)(['set', 'openai', '--key-file', file])).toMatchObject({ code: 0 });
  await until('the server to notice', async () => {
    const { providers } = (await (await fetch(`${url}/api/chat/providers`)).json()) as Json;
    return providers.find(({ type }: Json) => type === 'openai').configured === true;
  });
  expect(program.stderr()).not.toContain('sk-secret');
});

it('asks for the key at a terminal, without showing it', async () => {
  const home = join(tempFolder(), 'home');
  const root = join(import.meta.dirname, '../..');
  const words = ['src/main.ts', 'providers', 'set', 'openai'];
  const env = { PROFCLAW_HOME: home, OPENAI_BASE_URL: vendor.url, TERM: 'xterm' };
  const terminal = spawnAtTerminal(join(root, 'node_modules/.bin/node'), words, { cwd: root, env, cols: 80, rows: 24 });
  let screen = '';
  terminal.onData((text) => {
    screen += text;
  });
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  await until('the question', () => screen.includes('The key of openai'));
  terminal.write(`${KEY}\r`);
  expect(await ended).toBe(0);
  expect(screen).toContain('openai is configured and answers');
  expect(screen).not.toContain('sk-');
  expect(screen).not.toContain('secret');
});
