import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { besideOutside, contentsOf, FILE_TOOLS, grantOf } from './rig.ts';

const KEY = 'the key is in here';
const OPENING = ['read_file', 'write_file', 'edit_file', 'grep'];

function withSecrets() {
  const rig = besideOutside();
  const { at } = rig;
  for (const folder of ['.ssh', 'private/deep']) mkdirSync(at(folder), { recursive: true });
  for (const file of ['.env', '.ssh/config', 'private/a', 'private/deep/b']) writeFileSync(at(file), `${KEY}\n`);
  const links = { 'env-link': '.env', 'ssh-link': '.ssh', 'sub/up': '../env-link', 'to-private': 'private/deep' };
  for (const [name, to] of Object.entries(links)) symlinkSync(to, at(name));
  return rig;
}

describe('file tools', () => {
  it.each(OPENING)('%s opens no secret that the call was not allowed, whatever leads there', async (tool) => {
    const { context, at } = withSecrets();
    const before = contentsOf(at('.'));
    for (const [path, real] of [
      ['.env', '.env'],
      ['sub/../.env', '.env'],
      ['env-link', '.env'],
      ['sub/up', '.env'],
      ['.ssh/config', '.ssh/config'],
      ['ssh-link/config', '.ssh/config'],
      [at('.env'), '.env'],
      ['new/.ENV', 'new/.ENV'],
    ] as const) {
      const { text, isError } = await FILE_TOOLS[tool]!(path, context);
      const name =
        path === real ? JSON.stringify(path) : `${JSON.stringify(real)}, where ${JSON.stringify(path)} leads,`;
      expect([isError, text]).toEqual([true, `${name} may hold a secret, and this call was not allowed to touch it`]);
    }
    expect(contentsOf(at('.'))).toEqual(before);
  });

  it.each(OPENING)('%s opens the secret that the call was allowed, and no other', async (tool) => {
    const { context } = withSecrets();
    const allowed = { ...context, grant: grantOf({ opensSecret: (path) => path === '.env' }) };
    for (const path of ['.env', 'env-link'])
      expect(await FILE_TOOLS[tool]!(path, allowed)).toMatchObject({ isError: false });
    expect(await FILE_TOOLS[tool]!('.ssh/config', allowed)).toMatchObject({ isError: true });
  });

  it.each(['write_file', 'edit_file'])('%s keeps out of git’s own folder, whatever was allowed', async (tool) => {
    const { context, at } = withSecrets();
    mkdirSync(at('.git/hooks'), { recursive: true });
    for (const file of ['.git/config', '.git/hooks/post-checkout']) writeFileSync(at(file), `${KEY}\n`);
    symlinkSync('.git/hooks', at('hooks'));
    const before = contentsOf(at('.'));
    const allowed = { ...context, grant: grantOf({ opensSecret: () => true }) };
    for (const path of [
      '.git/config',
      '.git/hooks/post-checkout',
      '.GIT/new',
      'sub/.git/config',
      'hooks/post-checkout',
    ])
      expect(await FILE_TOOLS[tool]!(path, allowed)).toMatchObject({
        isError: true,
        text: expect.stringContaining('git’s own'),
      });
    expect(contentsOf(at('.'))).toEqual(before);
  });

  it.each(['list_directory', 'search_files'])('%s names secrets, and nothing of what is in them', async (tool) => {
    const { context } = withSecrets();
    const { text } = await FILE_TOOLS[tool]!('.', context);
    expect(text).toContain('.env');
    expect(text).not.toContain(KEY);
    expect((await FILE_TOOLS[tool]!('ssh-link', context)).text).toContain('config');
  });

  it('grep shows nothing of what is in secrets, and says how many there are', async () => {
    const { context } = withSecrets();
    expect((await FILE_TOOLS.grep!('.', context)).text.split('\n')).toEqual([
      `private/a:1: ${KEY}`,
      `private/deep/b:1: ${KEY}`,
      'sub/a.txt:1: inside',
      '[2 files skipped that may hold secrets]',
    ]);
  });

  it.each(Object.keys(FILE_TOOLS))('%s keeps to what rules deny, whatever leads there', async (tool) => {
    const { context, at } = withSecrets();
    const before = contentsOf(at('.'));
    const isPrivate = (path: string) => path === 'private' || path.startsWith('private/');
    const ruled = { ...context, grant: grantOf({ hidesPath: isPrivate, opensSecret: () => true }) };
    for (const path of [
      'private',
      'private/a',
      'sub/../private/deep/b',
      'to-private/b',
      'to-private',
      'private/new/c',
    ]) {
      const { text, isError } = await FILE_TOOLS[tool]!(path, ruled);
      expect([isError, text]).toEqual([true, expect.stringMatching(/^A rule keeps "private.* from this tool$/)]);
    }
    expect(contentsOf(at('.'))).toEqual(before);
    for (const path of ['.', 'sub/..']) {
      const { text } = await FILE_TOOLS[tool]!(path, ruled);
      expect(text).not.toMatch(/^private/m);
    }
  });
});
