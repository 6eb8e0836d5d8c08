import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toolContext } from '../../../test/tools/rig.ts';
import { writeFile } from './write-file.ts';

describe('write_file', () => {
  it('makes a file and the folders above it, and says how long it is', async () => {
    const context = toolContext();
    expect(await writeFile.run({ path: 'new/deep/a.txt', content: 'é😀\n' }, context)).toEqual({
      text: '7 bytes written to "new/deep/a.txt"',
      isError: false,
    });
    expect(readFileSync(join(context.workspace, 'new/deep/a.txt'), 'utf8')).toBe('é😀\n');
    expect(readdirSync(join(context.workspace, 'new/deep'))).toEqual(['a.txt']);
  });

  it('replaces a file, which may be executed as before, and through a link the file that it leads to', async () => {
    const context = toolContext();
    const file = join(context.workspace, 'run.sh');
    writeFileSync(file, 'long before', { mode: 0o750 });
    symlinkSync('run.sh', join(context.workspace, 'link'));
    await writeFile.run({ path: 'link', content: '' }, context);
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['', 0o750]);
    expect(readdirSync(context.workspace).sort()).toEqual(['link', 'run.sh']);
  });

  it('replaces whole files: whoever has the old one open reads all of it', async () => {
    const context = toolContext();
    const file = join(context.workspace, 'a.txt');
    writeFileSync(file, 'before');
    const opened = openSync(file, 'r');
    onTestFinished(() => closeSync(opened));
    await writeFile.run({ path: 'a.txt', content: 'after' }, context);
    expect([readFileSync(opened, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['before', 'after']);
  });

  it('writes to a file beside, and takes the place of what a try before has left there', async () => {
    const context = toolContext();
    const seen = new Set<string>();
    const watcher = watch(context.workspace, (_, name) => void seen.add(String(name)));
    onTestFinished(() => watcher.close());
    const isTemporary = (name: string) => /^\.profclaw-[0-9a-f]{16}\.tmp$/.test(name);
    await writeFile.run({ path: 'a.txt', content: 'x' }, context);
    await expect.poll(() => [...seen].filter(isTemporary)).toHaveLength(1);
    const temporary = [...seen].find(isTemporary);
    mkdirSync(join(context.workspace, 'folder'));
    writeFileSync(join(context.workspace, temporary!), 'half of it');
    await writeFile.run({ path: 'a.txt', content: 'whole' }, context);
    expect(readdirSync(context.workspace).sort()).toEqual(['a.txt', 'folder']);
    expect(readFileSync(join(context.workspace, 'a.txt'), 'utf8')).toBe('whole');
  });

  it.each([
    ['../a.txt', '"../a.txt" is outside the workspace'],
    ['out/a.txt', '"out/a.txt" is outside the workspace'],
    ['nowhere', '"nowhere" is outside the workspace'],
    ['folder', '"folder" is there and is not a file'],
    ['file/a.txt', '"file/a.txt" cannot be reached: '],
  ])('of %s says %s, and writes nothing', async (path, text) => {
    const context = toolContext();
    mkdirSync(join(context.workspace, 'folder'));
    writeFileSync(join(context.workspace, 'file'), '');
    symlinkSync('..', join(context.workspace, 'out'));
    symlinkSync('../nowhere-at-all', join(context.workspace, 'nowhere'));
    const outcome = await writeFile.run({ path, content: 'x' }, context);
    expect(outcome).toEqual({ text: expect.stringContaining(text), isError: true });
    expect(readdirSync(context.workspace).sort()).toEqual(['file', 'folder', 'nowhere', 'out']);
  });

  it('writes nothing once it was aborted', async () => {
    const context = toolContext({ signal: AbortSignal.abort(new Error('enough')) });
    await expect(writeFile.run({ path: 'a/b', content: 'x' }, context)).rejects.toThrow('enough');
    expect(readdirSync(context.workspace)).toEqual([]);
  });
});
