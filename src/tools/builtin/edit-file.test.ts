import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder, toolContext } from '../../../test/tools/rig.ts';
import { countHandles, grantOf } from '../../../test/tools/workspace/rig.ts';
import type { JsonObject } from '../../core/json.ts';
import { editFile } from './edit-file.ts';

async function edit(content: string | Buffer, change: JsonObject) {
  const context = toolContext();
  writeFileSync(join(context.workspace, 'a.txt'), content);
  const outcome = await editFile.run({ path: 'a.txt', ...change }, context);
  return { ...outcome, content: readFileSync(join(context.workspace, 'a.txt')), names: readdirSync(context.workspace) };
}

describe('edit_file', () => {
  it.each([
    ['one place', 'a\nb\nc\n', { old: 'b', new: 'x' }, 'a\nx\nc\n', '-2: b\n+2: x'],
    ['more lines than before', 'a\nb\nc\n', { old: 'b\n', new: 'x\ny\n' }, 'a\nx\ny\nc\n', '-2: b\n+2: x\n+3: y'],
    ['lines taken out', 'a\nb\nc\n', { old: 'a\nb\n', new: '' }, 'c\n', '-1: a\n-2: b'],
    ['a line put in', 'a\nc\n', { old: 'a\n', new: 'a\nb\n' }, 'a\nb\nc\n', '+2: b'],
    ['two lines joined', 'a\nb\nc\n', { old: 'a\n', new: 'a' }, 'ab\nc\n', '-1: a\n-2: b\n+1: ab'],
    ['the first character', '\na\n', { old: '\na', new: 'b' }, 'b\n', '-1: \n-2: a\n+1: b'],
    [
      'all places',
      'x x\ny\nx\n',
      { old: 'x', new: 'zz', replaceAll: true },
      'zz zz\ny\nzz\n',
      '-1: x x\n+1: zz zz\n-3: x\n+3: zz',
    ],
    ['what then overlaps', 'aaaa', { old: 'aa', new: 'b', replaceAll: true }, 'bb', '-1: aaaa\n+1: bb'],
    ['lines that move', 'x\nx\ny\n', { old: 'x\n', new: 'z\nz\n', replaceAll: true }, 'z\nz\nz\nz\ny\n', undefined],
    ['CRLF as it is', 'a\r\nb\r\n', { old: 'a\r\n', new: 'c\r\n' }, 'c\r\nb\r\n', '-1: a\n+1: c'],
    ['what means something elsewhere', 'a.b\n', { old: '.', new: '$& $1 \\n' }, 'a$& $1 \\nb\n', undefined],
    ['no end of line', 'a', { old: 'a', new: 'b' }, 'b', '-1: a\n+1: b'],
    ['all of it', 'a\n', { old: 'a\n', new: '' }, '', '-1: a'],
  ])('replaces %s', async (_, before, change, after, diff) => {
    const { text, isError, content, names } = await edit(before, change);
    expect([content.toString(), isError, names]).toEqual([after, false, ['a.txt']]);
    if (diff !== undefined) expect(text).toBe(`"a.txt" is now:\n${diff}`);
  });

  it.each([
    ['a\nb', { old: 'c', new: 'd' }, 'The old text does not occur in "a.txt": it must be the same'],
    ['a\r\nb\r\n', { old: 'a\nb', new: 'd' }, 'the file has CRLF line ends (\\r\\n), and so must old and new'],
    ['a\nb\n', { old: 'a\r\nb', new: 'd' }, 'the file has LF line ends (\\n), and so must old and new'],
    ['a\nb\n', { old: '  a', new: 'd' }, 'it does without the white space around it'],
    ['a\nb\na\na a', { old: 'a', new: 'd' }, 'occurs 4 times in "a.txt", at lines 1, 3, 4: take more'],
    ['aaa', { old: 'aa', new: 'd' }, 'occurs 2 times in "a.txt", at line 1: take more'],
    ['a\n'.repeat(20), { old: 'a', new: 'd' }, 'at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …: take more'],
    ['a', { old: 'a', new: 'a' }, 'The arguments do not fit: new: It is the same as old'],
    ['a', { old: '', new: 'a' }, 'The arguments do not fit: old: '],
    [Buffer.from([0, 97]), { old: 'a', new: 'b' }, '"a.txt" is a binary file of 2 bytes'],
    [Buffer.from('caf\xe9 a', 'latin1'), { old: 'a', new: 'b' }, '"a.txt" is not UTF-8'],
    ['a'.repeat(2_000_001), { old: 'b', new: 'c' }, '"a.txt" has more than 2000000 bytes'],
  ])('of %.20j with %j changes nothing', async (before, change, message) => {
    const { text, isError, content, names } = await edit(before, change);
    expect([isError, text]).toEqual([true, expect.stringContaining(message)]);
    expect(content.equals(Buffer.from(before))).toBe(true);
    expect(names).toEqual(['a.txt']);
  });

  it('keeps a byte order mark, and the mode', async () => {
    const context = toolContext();
    const file = join(context.workspace, 'a.txt');
    writeFileSync(file, '\ufeffa\n');
    chmodSync(file, 0o751);
    expect(await editFile.run({ path: 'a.txt', old: 'a', new: 'b' }, context)).toMatchObject({ isError: false });
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['\ufeffb\n', 0o751]);
  });

  it('shows a bounded part of many changes', async () => {
    const { text } = await edit(`${'y'.repeat(500)}a\n`.repeat(100), { old: 'a', new: 'b', replaceAll: true });
    const lines = text.split('\n');
    expect([lines.length, lines[1], lines.at(-1)]).toEqual([82, `-1: ${'y'.repeat(300)}…`, '[… more changed lines …]']);
  });

  it.each([
    [{ path: 'none' }, 'Path "none" not found'],
    [{ path: 'folder' }, '"folder" is not a file'],
    [{ path: '.env' }, '".env" may hold a secret'],
    [{ path: 'link' }, '".env", where "link" leads, may hold a secret'],
    [{ path: 'ruled' }, 'A rule keeps "ruled" from this tool'],
  ])('of %j says %s', async (given, message) => {
    const grant = grantOf({ hidesPath: (path) => path === 'ruled' });
    const context = toolContext({ grant });
    mkdirSync(join(context.workspace, 'folder'));
    for (const name of ['.env', 'ruled']) writeFileSync(join(context.workspace, name), 'a');
    symlinkSync('.env', join(context.workspace, 'link'));
    const handles = countHandles();
    expect(await editFile.run({ old: 'a', new: 'b', ...given }, context)).toEqual({
      text: expect.stringContaining(message),
      isError: true,
    });
    expect(readFileSync(join(context.workspace, '.env'), 'utf8')).toBe('a');
    expect(countHandles()).toBe(handles);
  });

  it('loses none of many edits at once', async () => {
    const context = toolContext();
    writeFileSync(join(context.workspace, 'a.txt'), 'end\n');
    const one = (number: number) => editFile.run({ path: 'a.txt', old: 'end', new: `${number}\nend` }, context);
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, number) => one(number)));
    const done = outcomes.flatMap(({ isError }, number) => (isError ? [] : [String(number)]));
    const lines = readFileSync(join(context.workspace, 'a.txt'), 'utf8').split('\n').slice(0, -2);
    expect(lines.sort()).toEqual(done.sort());
    expect(done.length).toBeGreaterThan(0);
    for (const { text, isError } of outcomes) if (isError) expect(text).toContain('try again');
    expect(readdirSync(context.workspace)).toEqual(['a.txt']);
  });

  it('loses none of the edits of several processes', async () => {
    const workspace = testFolder();
    writeFileSync(join(workspace, 'list.txt'), 'end\n');
    const program = join(import.meta.dirname, '../../../test/tools/workspace/edit-process.ts');
    const names = ['a', 'b', 'c'];
    const codes = names.map(async (name) => {
      const child = spawn(process.execPath, [program, workspace, name, '15'], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      return (await once(child, 'exit'))[0];
    });
    expect(await Promise.all(codes)).toEqual([0, 0, 0]);
    const lines = readFileSync(join(workspace, 'list.txt'), 'utf8').trim().split('\n');
    const wanted = names.flatMap((name) => Array.from({ length: 15 }, (_, number) => `${name}-${number}`));
    expect(lines.sort()).toEqual([...wanted, 'end'].sort());
    expect(readdirSync(workspace)).toEqual(['list.txt']);
  });

  it('throws why it was aborted, and changes nothing', async () => {
    const context = toolContext({ signal: AbortSignal.abort(new Error('enough')) });
    writeFileSync(join(context.workspace, 'a.txt'), 'a');
    await expect(editFile.run({ path: 'a.txt', old: 'a', new: 'b' }, context)).rejects.toThrow('enough');
    expect(readFileSync(join(context.workspace, 'a.txt'), 'utf8')).toBe('a');
  });
});
