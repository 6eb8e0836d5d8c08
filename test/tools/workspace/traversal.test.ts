import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolvePath } from '../../../src/tools/workspace/resolve-path.ts';
import { besideOutside, contentsOf, countHandles, FILE_TOOLS, OUTSIDE } from './rig.ts';

const tools = Object.entries(FILE_TOOLS);

/** The same workspace for every case: all kinds of links. */
function withLinks() {
  const rig = besideOutside();
  const { at, outside } = rig;
  const links = {
    'file-out': join(outside, 'secret'),
    'file-out-relative': '../outside/secret',
    'folder-out': outside,
    'folder-out-relative': '../outside',
    'chain-1': 'chain-2',
    'chain-2': 'sub/chain-3',
    'sub/chain-3': '../folder-out/secret',
    'dangling-out': '../outside/new-file',
    'to-root': '/',
    'to-parent': '..',
    'to-proc': '/proc/self/environ',
    'to-fd': '/proc/self/fd',
    'to-proc-root': '/proc/self/root',
    'to-cwd': '/proc/self/cwd',
    around: '/proc/../etc/passwd',
    'round-1': 'round-2',
    'round-2': 'round-1',
    'in-file': 'sub/a.txt',
    'in-folder': 'sub',
    'in-absolute': at('sub/a.txt'),
    'in-chain': 'in-folder/in-up',
    'sub/in-up': '../in-file',
    'sub/in-absolute': at('sub/a.txt'),
    'in-beyond': '../work/sub/a.txt',
  };
  for (const [name, to] of Object.entries(links)) symlinkSync(to, at(name));
  linkSync(join(outside, 'secret'), at('hard'));
  execFileSync('sh', ['-c', 'mkfifo pipe'], { cwd: rig.context.workspace });
  return rig;
}

const OUT = [
  '..',
  '../outside/secret',
  'sub/../../outside/secret',
  'sub/../../../../../../etc/passwd',
  './.././outside/secret',
  '..//outside//secret',
  '/etc/passwd',
  '//etc/passwd',
  '/',
  '/proc/self/environ',
  '/proc/self/cwd/sub/a.txt',
  '/proc/1/root/etc/passwd',
  '/dev/fd/0',
  '~',
  '~/secret',
  '~root/.ssh/id_rsa',
  'file-out',
  'file-out-relative',
  'folder-out',
  'folder-out/secret',
  'folder-out/deep/../secret',
  'folder-out-relative/secret',
  'folder-out/new/file',
  'chain-1',
  'dangling-out',
  'to-root/etc/passwd',
  'to-parent/outside/secret',
  'to-proc',
  'to-fd/0',
  'to-proc-root/etc/passwd',
  'to-cwd/package.json',
  'around',
  // A link that leaves and comes back has left.
  'in-beyond',
];

describe('file tools', () => {
  it.each(tools)('%s goes nowhere outside', async (_, call) => {
    const { context, outside } = withLinks();
    const before = contentsOf(outside);
    const handles = countHandles();
    for (const path of OUT) {
      const { text, isError } = await call(path, context);
      expect([path, isError, text]).toEqual([path, true, expect.stringContaining('is outside the workspace')]);
      expect(text).not.toContain(OUTSIDE);
    }
    expect(contentsOf(outside)).toEqual(before);
    expect(countHandles()).toBe(handles);
  });

  it.each(tools)('%s takes what only looks like a way out as a name', async (_, call) => {
    const { context, outside } = withLinks();
    const before = contentsOf(outside);
    const names = [
      '%2e%2e/outside/secret',
      '%2e%2e%2foutside%2fsecret',
      '..%2f..%2foutside',
      '%252e%252e/secret',
      '..\\outside\\secret',
      '\u2025/outside',
      '\uff0e\uff0e/outside/secret',
      '\u2024\u2024/outside',
      '..\u2215outside\u2215secret',
      '.. /outside/secret',
      '.\u200b./outside/secret',
      '..\u0001',
      '$HOME',
      '`pwd`',
      'file:///etc/passwd',
    ];
    for (const path of names) {
      const { text } = await call(path, context);
      expect(text).not.toContain(OUTSIDE);
      expect(text).not.toContain('root:');
      expect(text).not.toContain('is outside the workspace');
    }
    expect(contentsOf(outside)).toEqual(before);
  });

  it.each(tools)('%s refuses what is not a path', async (_, call) => {
    const { context } = withLinks();
    for (const path of ['', 'a\0b', '../\0', 'sub/a.txt\0.png', 'a\ud800', 'x'.repeat(4097)]) {
      expect(await call(path, context)).toEqual({
        text: expect.stringContaining('The arguments do not fit: path: '),
        isError: true,
      });
    }
  });

  it.each(tools)('%s says that what cannot be reached cannot be', async (_, call) => {
    const { context } = withLinks();
    const handles = countHandles();
    for (const [path, reason] of [
      ['round-1', 'too many links'],
      ['round-1/x', 'too many links'],
      ['sub/a.txt/x', '"sub/a.txt" is not a folder'],
      ['sub/a.txt/..', '"sub/a.txt" is not a folder'],
      ['none/../sub', '"none" is not there'],
      ['x'.repeat(256), 'name too long'],
    ] as const) {
      const text = `${JSON.stringify(path)} cannot be reached: ${reason}`;
      expect(await call(path, context)).toEqual({ text, isError: true });
    }
    for (const path of ['d/'.repeat(102), `${'d/'.repeat(102)}/..`])
      expect(await call(path, context)).toMatchObject({ isError: true });
    expect(countHandles()).toBe(handles);
  });

  it.each([
    'in-file',
    'in-absolute',
    'sub/in-absolute',
    'in-chain',
    'in-folder/a.txt',
    'in-folder/../sub/a.txt',
    'sub/./../sub//a.txt',
  ])('follow a link that stays inside: %s', async (path) => {
    const { context, at } = withLinks();
    const handles = countHandles();
    expect(await FILE_TOOLS.read_file!(path, context)).toEqual({ text: 'inside\n', isError: false });
    expect(await FILE_TOOLS.read_file!(at(path), context)).toEqual({ text: 'inside\n', isError: false });
    expect(await FILE_TOOLS.grep!(path, context)).toEqual({ text: 'sub/a.txt:1: inside', isError: false });
    expect(await FILE_TOOLS.edit_file!(path, context)).toMatchObject({ isError: false });
    expect(readFileSync(at('sub/a.txt'), 'utf8')).toBe('editednseditedde\n');
    expect(await FILE_TOOLS.write_file!(path, context)).toMatchObject({ isError: false });
    expect(readFileSync(at('sub/a.txt'), 'utf8')).toBe('written\n');
    expect(await resolvePath(context, path)).toEqual({
      path: 'sub/a.txt',
      isSecret: false,
      isLinked: path.includes('in-'),
    });
    expect(countHandles()).toBe(handles);
  });

  it('list and search folders behind links, and follow none below', async () => {
    const { context } = withLinks();
    expect((await FILE_TOOLS.list_directory!('in-folder', context)).text).toContain('a.txt (7 bytes)');
    expect((await FILE_TOOLS.search_files!('in-folder', context)).text).toBe(
      'sub/a.txt\nsub/chain-3\nsub/in-absolute\nsub/in-up',
    );
    const all = await FILE_TOOLS.search_files!('.', context);
    expect(all.text.split('\n')).toContain('folder-out');
    expect(all.text).not.toContain('folder-out/');
    expect((await FILE_TOOLS.grep!('.', context)).text).toBe(
      'sub/a.txt:1: inside\n[1 file skipped with more than one name (hard links)]',
    );
  });

  it('neither read nor edit a file with another name, and replace it when they write', async () => {
    const { context, outside, at } = withLinks();
    for (const tool of ['read_file', 'edit_file', 'grep']) {
      const { text, isError } = await FILE_TOOLS[tool]!('hard', context);
      expect([isError, text]).toEqual([true, expect.stringContaining('has more than one name (hard links)')]);
    }
    expect(await FILE_TOOLS.write_file!('hard', context)).toMatchObject({ isError: false });
    expect(readFileSync(at('hard'), 'utf8')).toBe('written\n');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe(`${OUTSIDE}\n`);
  });

  it('do not wait for a pipe', async () => {
    const { context } = withLinks();
    for (const tool of ['read_file', 'edit_file', 'grep', 'write_file', 'list_directory'])
      expect(await FILE_TOOLS[tool]!('pipe', context)).toMatchObject({ isError: true });
  });

  it('touch nothing of /proc, /sys and devices where the root is the workspace', async () => {
    const { context } = besideOutside();
    const everything = { ...context, workspace: '/' };
    for (const path of ['/proc/self/environ', 'proc/self/environ', 'proc/self/root/etc/passwd', 'sys/kernel', 'proc'])
      expect(await FILE_TOOLS.read_file!(path, everything)).toEqual({
        text: `${JSON.stringify(path)} is a part of the system, not of the workspace`,
        isError: true,
      });
    expect(await FILE_TOOLS.read_file!('dev/zero', everything)).toEqual({
      text: '"dev/zero" is not a file',
      isError: true,
    });
    expect(await FILE_TOOLS.list_directory!('.', { ...context, workspace: '/proc/self' })).toEqual({
      text: 'The workspace is a part of the system, not of the workspace',
      isError: true,
    });
  });

  it.each(tools)('%s keeps out of what is the server’s own, also by another name', async (_, call) => {
    const { context, at } = withLinks();
    mkdirSync(at('home/inner'), { recursive: true });
    writeFileSync(at('home/inner/key'), `${OUTSIDE}\n`);
    symlinkSync('home', at('home-link'));
    symlinkSync('home/inner/key', at('key-link'));
    const place = { ...context, hidden: [at('home')] };
    const handles = countHandles();
    for (const path of ['home', 'home/inner/key', 'sub/../home/inner', 'home-link', 'key-link', 'home/new', at('home')])
      expect(await call(path, place)).toEqual({ text: `${JSON.stringify(path)} is the server’s own`, isError: true });
    // Its name may be seen, as that of a link to it, and nothing that is in it.
    expect((await call('.', place)).text).not.toMatch(/^home\/./m);
    expect(contentsOf(at('home'))).toEqual({ [at('home/inner/key')]: `${OUTSIDE}\n` });
    expect(countHandles()).toBe(handles);
  });

  it.each(tools)('%s keeps out of the server’s own folder where that was moved', async (_, call) => {
    const { context, at } = withLinks();
    mkdirSync(at('home'));
    writeFileSync(at('home/key'), OUTSIDE);
    // Its name is another one, as if it had been moved, or were mounted twice.
    const place = { ...context, hidden: [`${at('sub')}/../home`] };
    expect((await call('home/key', place)).text).toBe('"home/key" is the server’s own');
    expect((await call('.', place)).text).not.toContain('home/key');
  });
});
