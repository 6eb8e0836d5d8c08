import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildClient } from '../../scripts/build-client.ts';
import { clientTypes } from '../../scripts/client-types.ts';
import { startTestServer, type TestServer } from '../server.ts';

// `profclaw/client` as it is published, in the folder of somebody who has nothing else.

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

const PROGRAM = `
import { createClient, RequestError, type components, type paths } from 'profclaw/client';

const client = createClient({ url: process.argv[2] ?? '' });
const { conversation } = await client.post('/api/chat/conversations', { body: { title: 'Typed' } });
const title: string = conversation.title;
const named: components['schemas']['Conversation'] = conversation;
const { conversations } = await client.get('/api/chat/conversations', { query: { limit: 5 } });
const count: number = conversations.length;
let text = '';
for await (const event of client.stream('/api/chat/completions', {
  model: 'demo',
  messages: [{ role: 'user', content: '/say Hello there' }],
})) {
  if ('content' in event) text += event.content;
}
const id = await client.runs.start(named.id, { model: 'demo', content: '/say Done.' });
for await (const event of client.runs.follow(id)) {
  if (event.type === 'tool:call') console.log(event.data.name.toUpperCase());
}
const { status } = await client.runs.result(id);
const code = await client
  .get('/api/chat/runs/{id}', { path: { id: 'run_none' } })
  .catch((error: unknown) => (error instanceof RequestError ? error.code : ''));
console.log(JSON.stringify({ title, count, text, status, code }));

// Never called: what must not compile.
export async function wrong(path: keyof paths): Promise<void> {
  // @ts-expect-error no such path
  await client.get('/api/chat/conversation');
  // @ts-expect-error no such method there
  await client.put('/api/chat/conversations', { body: {} });
  // @ts-expect-error any path at all
  await client.get(path);
  // @ts-expect-error no such field of the body
  await client.post('/api/chat/conversations', { body: { titel: 'Typed' } });
  // @ts-expect-error a field of another type
  await client.post('/api/tasks', { body: { title: 1, prompt: 'x' } });
  // @ts-expect-error no body
  await client.post('/api/tasks');
  // @ts-expect-error nothing in place of {id}
  await client.get('/api/chat/runs/{id}');
  // @ts-expect-error no such query
  await client.get('/api/chat/conversations', { query: { limits: 5 } });
  // @ts-expect-error no such field of the answer
  (await client.get('/api/chat/conversations')).runs;
  // @ts-expect-error no stream there
  client.stream('/api/chat/quick', { prompt: 'x' });
  // @ts-expect-error no such field of the message
  await client.runs.start('conv_1', { model: 'demo', contents: 'x' });
}
`;

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'profclaw-client-'));
  const installed = join(folder, 'node_modules/profclaw');
  await buildClient(join(installed, 'dist'));
  const exports = { './client': { types: './dist/client.d.ts', default: './dist/client.js' } };
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'profclaw', type: 'module', exports }));
  mkdirSync(join(folder, 'node_modules/@types'));
  for (const name of ['@types/node', 'undici-types'])
    cpSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  server = await startTestServer();
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What the compiler says of a program there, with or without the declarations of browsers. */
function check(program: string, lib: string, types: string): Promise<string> {
  writeFileSync(join(folder, 'program.ts'), program);
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--skipLibCheck', 'false', '--noEmit'];
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  return run(tsc, [...options, '--lib', lib, '--types', types, 'program.ts'], { cwd: folder }).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
}

describe('profclaw/client', () => {
  it('is typed by path and method, in Node and in browsers, and runs', { timeout: 30_000 }, async () => {
    expect(await check(PROGRAM, 'es2024,esnext.disposable', 'node')).toBe('');
    const { stdout } = await run(process.execPath, ['program.ts', server.url], { cwd: folder });
    const seen = { title: 'Typed', count: 1, text: 'Hello there', status: 'completed', code: 'not_found' };
    expect(JSON.parse(stdout)).toEqual(seen);
    const inBrowser = PROGRAM.replace("process.argv[2] ?? ''", "''");
    expect(await check(inBrowser, 'es2024,dom,dom.iterable,dom.asynciterable', '')).toBe('');
    const misspelt = "import { createClient } from 'profclaw/client';\ncreateClient({ url: '' }).get('/api/chat/run');";
    expect(await check(misspelt, 'es2024,dom', '')).toContain('program.ts(2,');
  });

  it('imports nothing and is small', () => {
    const [code, types] = ['client.js', 'client.d.ts'].map((name) => {
      const file = join(folder, 'node_modules/profclaw/dist', name);
      return { text: readFileSync(file, 'utf8'), size: statSync(file).size };
    });
    expect(code?.text).not.toMatch(/\bimport ?[{*"'(]|\bfrom ?["'`]|\brequire\(|\bprocess\b|\bBuffer\b/);
    expect(types?.text).not.toMatch(/^import\b|\bfrom '|import\(|\bzod\b/m);
    expect(code?.size).toBeLessThan(20_000);
    expect(types?.size).toBeLessThan(120_000);
  });

  it('has the types of the routes as they are: else run `node scripts/client-types.ts`', () => {
    expect(readFileSync(join(ROOT, 'src/client/api.ts'), 'utf8') === clientTypes()).toBe(true);
  });
});
