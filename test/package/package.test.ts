import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProgram } from './program.ts';

// The package as `npm pack` makes it, run by `npx` in an empty folder, with an empty home and no network.

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

let folder: string;
let archive: string;
let packed: { size: number; unpackedSize: number; files: { path: string }[] };
/** Where npx is run, as somebody who has Node 24 and nothing else. */
let stranger: { cwd: string; env: Record<string, string> };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'profclaw-package-'));
  const sources = join(folder, 'sources');
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs', 'deploy'])
    cpSync(join(ROOT, name), join(sources, name), { recursive: true });
  // Not the project's own `dist`, which other tests are served from.
  await run(process.execPath, ['scripts/build.ts', join(sources, 'dist')], { cwd: ROOT });
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts'], { cwd: sources });
  packed = one(JSON.parse(stdout));
  archive = join(sources, (packed as { filename?: string }).filename ?? '');
  const empty = join(folder, 'empty');
  mkdirSync(join(empty, 'home'), { recursive: true });
  stranger = {
    cwd: empty,
    env: {
      PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
      HOME: join(empty, 'home'),
      npm_config_offline: 'true',
      OLLAMA_BASE_URL: 'http://127.0.0.1:9',
    },
  };
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('has the program, the page, the licences of what is bundled and the documents, and needs no other package', () => {
  const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );
  expect([dependencies, optionalDependencies, peerDependencies]).toEqual([undefined, undefined, undefined]);
  const paths = packed.files.map(({ path }) => path);
  for (const path of ['dist/main.js', 'dist/licences.txt', 'dist/web/index.html', 'dist/web/licences.txt'])
    expect(paths).toContain(path);
  expect(paths).toContain('docs/configuration.md');
  expect(paths.filter((path) => /^(src|test|web|node_modules)\//.test(path))).toEqual([]);
  expect(packed.size).toBeLessThan(4_000_000);
});

it('is run by npx, and serves the page and answers', async () => {
  const { stdout } = await run('npx', ['--yes', '--package', archive, 'profclaw', '--version'], stranger);
  expect(stdout.trim()).toBe(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version);
  const program = startProgram('npx', ['--yes', '--package', archive, 'profclaw', 'serve'], {
    ...stranger,
    env: { ...stranger.env, PORT: '0' },
  });
  try {
    const url = await program.listening;
    const page = await (await fetch(url)).text();
    const script = /src="\.\/(assets\/[^"]+\.js)"/.exec(page)?.[1];
    expect((await fetch(`${url}/${script}`)).headers.get('content-type')).toContain('javascript');
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/chat/quick`, { method: 'POST', headers, body: '{"prompt": "Hello"}' });
    expect(await answer.json()).toMatchObject({ provider: 'demo' });
  } finally {
    await program.stop();
  }
});

/** npm of some versions gives a list, of others an object by name. */
function one<T>(answer: T[] | Record<string, T>): T {
  const [first] = Object.values(answer);
  if (first === undefined) throw new Error('npm has packed nothing');
  return first;
}
