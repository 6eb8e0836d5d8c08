import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toolContext } from '../../../test/tools/rig.ts';
import { countHandles, grantOf } from '../../../test/tools/workspace/rig.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ToolContext } from '../tool.ts';
import { grep } from './grep.ts';

function withFiles(files: Record<string, string | Buffer>, given: Partial<ToolContext> = {}) {
  const context = toolContext(given);
  for (const [path, content] of Object.entries(files)) {
    const file = join(context.workspace, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return context;
}

async function lines(context: ToolContext, given: JsonObject) {
  const { text, isError } = await grep.run(given, context);
  expect([isError, isError ? text : '']).toEqual([false, '']);
  return text.split('\n');
}

describe('grep', () => {
  it('finds lines in all files, in order', async () => {
    const context = withFiles({ 'b.ts': 'x\nfoo 1\n', 'a/c.ts': 'foo\r\nbar\r\nfoo', 'a/b.md': 'Foo\n', 'a b': 'foo' });
    expect(await lines(context, { pattern: 'foo' })).toEqual([
      'a/c.ts:1: foo',
      'a/c.ts:3: foo',
      'a b:1: foo',
      'b.ts:2: foo 1',
    ]);
    expect(await lines(context, { pattern: '^foo$', path: 'a' })).toEqual(['a/c.ts:1: foo', 'a/c.ts:3: foo']);
    expect(await lines(context, { pattern: 'foo', path: 'b.ts' })).toEqual(['b.ts:2: foo 1']);
    expect(await lines(context, { pattern: 'FOO', ignoreCase: true, glob: '*.md' })).toEqual(['a/b.md:1: Foo']);
    expect(await lines(context, { pattern: 'foo', glob: '*.ts' })).toEqual([
      'a/c.ts:1: foo',
      'a/c.ts:3: foo',
      'b.ts:2: foo 1',
    ]);
    expect(await lines(context, { pattern: 'foo', glob: 'a/*.ts' })).toHaveLength(2);
    expect(await lines(context, { pattern: 'foo', glob: '*.ts', path: 'a' })).toHaveLength(2);
    expect(await lines(context, { pattern: 'none' })).toEqual(['(no line matches)']);
    expect(await lines(context, { pattern: '^$' })).toEqual(['(no line matches)']);
  });

  it('shows what is around, each line once', async () => {
    const context = withFiles({ a: '1\n2\nx3\n4\nx5\n6\n7\n8\nx9\n', b: 'x\n' });
    expect(await lines(context, { pattern: 'x', context: 1 })).toEqual([
      'a-2- 2',
      'a:3: x3',
      'a-4- 4',
      'a:5: x5',
      'a-6- 6',
      '--',
      'a-8- 8',
      'a:9: x9',
      '--',
      'b:1: x',
    ]);
    expect(await lines(context, { pattern: 'x[35]', context: 3, path: 'a' })).toEqual([
      'a-1- 1',
      'a-2- 2',
      'a:3: x3',
      'a-4- 4',
      'a:5: x5',
      'a-6- 6',
      'a-7- 7',
      'a-8- 8',
    ]);
  });

  it('never shows what may be a secret, nor what a rule hides, and follows no link', async () => {
    const grant = grantOf({ hidesPath: (path) => path === 'private', opensSecret: (path) => path === 'open.key' });
    const files = { '.env': 'key', 'a.pem': 'key', 'open.key': 'key', 'private/a': 'key', 'a.txt': 'key', one: 'key' };
    const context = withFiles(
      { ...files, binary: Buffer.from('key\0'), '.profclaw-0123456789abcdef.tmp': 'key' },
      { grant },
    );
    symlinkSync('.env', join(context.workspace, 'link'));
    symlinkSync('/etc', join(context.workspace, 'etc'));
    linkSync(join(context.workspace, 'one'), join(context.workspace, 'two'));
    expect(await lines(context, { pattern: 'key|root' })).toEqual([
      'a.txt:1: key',
      'open.key:1: key',
      '[3 files skipped that may hold secrets; 2 files skipped with more than one name (hard links)]',
    ]);
  });

  it('is bounded', async () => {
    const context = withFiles({ a: 'x\n'.repeat(60), b: 'x\n'.repeat(60), c: 'x\n' });
    const some = await lines(context, { pattern: 'x' });
    expect([some.length, some[99], some[100]]).toEqual([
      101,
      'b:40: x',
      '[stopped after 100 matching lines: there may be more]',
    ]);
    expect(await lines(context, { pattern: 'x', limit: 2, path: 'a' })).toEqual([
      'a:1: x',
      'a:2: x',
      '[stopped after 2 matching lines: there may be more]',
    ]);
    const wide = withFiles({ a: `${'y'.repeat(200)}\n`.repeat(400) });
    const all = (await lines(wide, { pattern: 'y', limit: 1000 })).join('\n');
    expect([all.length < 29_000, all.endsWith('matching lines: there may be more]')]).toEqual([true, true]);
    const large = withFiles({ a: 'x'.repeat(5_000_001) });
    expect(await lines(large, { pattern: 'x' })).toEqual([
      '(no line matches)',
      '[1 file skipped with more than 5000000 bytes]',
    ]);
  });

  it('cuts long lines around the match', async () => {
    const context = withFiles({ a: `${'a'.repeat(1000)}xyz${'b'.repeat(1000)}\n` });
    const shown = `…${'a'.repeat(100)}xyz${'b'.repeat(197)}…`;
    expect(await lines(context, { pattern: 'xyz' })).toEqual([`a:1: ${shown}`]);
    expect(await lines(context, { pattern: '^a' })).toEqual([`a:1: ${'a'.repeat(300)}…`]);
  });

  it('skips what may not be read, and says so', async () => {
    const context = withFiles({ a: 'x', b: 'x', 'c/d': 'x' });
    chmodSync(join(context.workspace, 'b'), 0);
    chmodSync(join(context.workspace, 'c'), 0);
    const all = await lines(context, { pattern: 'x' });
    chmodSync(join(context.workspace, 'c'), 0o700);
    // Root may read all.
    const isRoot = process.getuid?.() === 0;
    expect(all).toEqual(
      isRoot ? ['a:1: x', 'b:1: x', 'c/d:1: x'] : ['a:1: x', '[2 files or folders that cannot be read]'],
    );
  });

  // Each takes JavaScript's own expressions longer than anybody waits.
  it.each(['(a+)+$', '(a|a)*b', '(a*)*c', '(.*a){20}d', '^(([a-z])+.)+[A-Z]([a-z])+$', '(x+x+)+y'])(
    'is not held up by %s',
    async (pattern) => {
      const context = withFiles({ a: `${'a'.repeat(20_000)}!\n${'x'.repeat(20_000)}\n` });
      expect(await lines(context, { pattern })).toEqual(['(no line matches)']);
    },
  );

  it.each([
    [{ pattern: '(' }, '"(" cannot be searched for: missing closing )'],
    [{ pattern: '(?=a)' }, 'has no look-around and no back-references'],
    [{ pattern: '(a)\\1' }, 'invalid escape sequence'],
    [{ pattern: '((((a{10}){10}){10}){10}){10}' }, 'invalid repeat count'],
    [{ pattern: 'a'.repeat(1001) }, 'The expression has more than 1000 characters'],
    [{ pattern: 'a', glob: '../*' }, 'is not a glob of paths'],
    [{ pattern: 'a', path: '..' }, '".." is outside the workspace'],
    [{ pattern: 'a', path: 'none' }, 'Path "none" not found'],
    [{ pattern: 'a', path: '.env' }, '".env" may hold a secret, and this call was not allowed to touch it'],
    [{ pattern: 'a', path: 'link' }, '".env", where "link" leads, may hold a secret'],
    [{ pattern: 'a', path: 'ruled/a' }, 'A rule keeps "ruled/a" from this tool'],
    [{ pattern: 'a', limit: 0 }, 'The arguments do not fit: limit: '],
  ])('of %j says %s', async (given, text) => {
    const grant = grantOf({ hidesPath: (path) => path.startsWith('ruled') });
    const context = withFiles({ '.env': 'a', 'ruled/a': 'a' }, { grant });
    symlinkSync('.env', join(context.workspace, 'link'));
    const handles = countHandles();
    expect(await grep.run(given, context)).toEqual({ text: expect.stringContaining(text), isError: true });
    expect(countHandles()).toBe(handles);
  });

  it('throws why it was aborted, with all closed', async () => {
    const stopped = new AbortController();
    const grant = grantOf({
      hidesPath: (path) => {
        if (path === 'a/b') stopped.abort(new Error('enough'));
        return false;
      },
    });
    const context = withFiles({ 'a/b': 'x' }, { signal: stopped.signal, grant });
    const handles = countHandles();
    await expect(grep.run({ pattern: 'x' }, context)).rejects.toThrow('enough');
    expect(countHandles()).toBe(handles);
  });
});
