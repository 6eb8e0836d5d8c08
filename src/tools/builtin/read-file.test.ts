import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toolContext } from '../../../test/tools/rig.ts';
import type { JsonObject } from '../../core/json.ts';
import { readFile } from './read-file.ts';

const context = () => toolContext();

async function read(content: string | Buffer, more: JsonObject = {}) {
  const inside = context();
  writeFileSync(join(inside.workspace, 'a.txt'), content);
  return await readFile.run({ path: 'a.txt', ...more }, inside);
}

const done = (text: string) => ({ text, isError: false });
const failed = (text: string) => ({ text, isError: true });

describe('read_file', () => {
  it.each([
    ['a\nb\nc\n', {}, 'a\nb\nc\n'],
    ['no end of line', {}, 'no end of line'],
    ['a\r\n\tb é 😀\n', {}, 'a\r\n\tb é 😀\n'],
    ['', {}, '(an empty file)'],
    ['a\nb\nc\nd\n', { offset: 2, limit: 2 }, 'b\nc\n[the file has 8 bytes; read on from line 4]'],
    ['a\nb', { offset: 2 }, 'b'],
  ])('of %j with %j', async (content, more, text) => {
    expect(await read(content, more)).toEqual(done(text));
  });

  it('shows what fits, in whole lines, and says how to go on', async () => {
    const line = `${'x'.repeat(99)}\n`;
    const first = await read(line.repeat(281));
    expect(first).toEqual(done(`${line.repeat(280)}[the file has 28100 bytes; read on from line 281]`));
    expect(await read(line.repeat(281), { offset: 281 })).toEqual(done(line));
  });

  it('cuts a line that is longer than all that fits', async () => {
    expect(await read(`${'y'.repeat(60_000)}\nz\n`)).toEqual(
      done(
        `${'y'.repeat(28_000)}\n[line 1 is cut after 28000 characters; the file has 60003 bytes; read on from line 2]`,
      ),
    );
  });

  it('refuses a binary file, with its size', async () => {
    expect(await read(Buffer.from([137, 80, 78, 71, 0, 1]))).toEqual(failed('"a.txt" is a binary file of 6 bytes'));
  });

  it('says that not all is UTF-8', async () => {
    expect(await read(Buffer.from('caf\xe9\n', 'latin1'))).toEqual(
      done('caf\ufffd\n[\ufffd may stand for bytes that are not UTF-8]'),
    );
  });

  it('says that there are fewer lines', async () => {
    expect(await read('a\nb\n', { offset: 3 })).toEqual(failed('"a.txt" ends before line 3'));
  });

  it.each([
    [{ path: 'none' }, 'Path "none" not found'],
    [{ path: '../none' }, '"../none" is outside the workspace'],
    [{ path: 'link' }, '"link" is outside the workspace'],
    [{ path: 'folder' }, '"folder" is not a file'],
    [{ path: 'pipe' }, '"pipe" is not a file'],
    [{ path: '' }, 'The arguments do not fit: path: '],
    [{ path: 'a\0b' }, 'The arguments do not fit: path: A path has no NUL'],
    [{ path: 'a', offset: 0 }, 'The arguments do not fit: offset: '],
    [{ path: 'a', lines: 3 }, 'The arguments do not fit: '],
    [{}, 'The arguments do not fit: path: '],
  ])('of %j says %s', async (given, text) => {
    const inside = context();
    symlinkSync('/etc/passwd', join(inside.workspace, 'link'));
    mkdirSync(join(inside.workspace, 'folder'));
    // Nobody writes to it: whoever opens it to read waits.
    execFileSync('sh', ['-c', 'mkfifo pipe'], { cwd: inside.workspace });
    expect(await readFile.run(given, inside)).toEqual({ text: expect.stringContaining(text), isError: true });
  });

  it('throws why it was aborted', async () => {
    const inside = toolContext({ signal: AbortSignal.abort(new Error('enough')) });
    writeFileSync(join(inside.workspace, 'a.txt'), 'a');
    await expect(readFile.run({ path: 'a.txt' }, inside)).rejects.toThrow('enough');
  });
});
