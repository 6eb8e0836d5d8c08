import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { writeJson, writeTable } from './table.ts';

/** What a table looks like. @param columns of the terminal; absent: there is none */
function tableOf(rows: readonly [id: string, name: string][], columns?: number): string {
  let text = '';
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  const stream = Object.assign(output, columns === undefined ? {} : { isTTY: true, columns });
  const headings = [
    { heading: 'ID', of: ([id]: (typeof rows)[number]) => id, isWhole: true },
    { heading: 'NAME', of: ([, name]: (typeof rows)[number]) => name || null },
  ];
  writeTable({ output: stream }, headings, rows, 'There are none.');
  return text;
}

it('aligns columns by what is seen, and leaves nothing at the end of lines', () => {
  expect(
    tableOf([
      ['key_1', 'a'],
      ['k', '日本'],
      ['ключ', ''],
    ]),
  ).toBe('ID     NAME\nkey_1  a\nk      日本\nключ   -\n');
});

it('cuts on a terminal what may be cut, until a line fits', () => {
  const [, line = ''] = tableOf([['key_01234567890123', 'a name that is rather long']], 36).split('\n');
  expect(line).toBe('key_01234567890123  a name that is …');
  expect(line).toHaveLength(36);
  // Where there is no terminal, a program reads it.
  expect(tableOf([['key_01234567890123', 'a name that is rather long']])).toContain('rather long');
});

it('lets no text act on the terminal, or make a line of its own', () => {
  const text = tableOf([['key_1', '\u001b[31mred\u001b[0m\nkey_2  forged\u202e']]);
  expect(text).toBe('ID     NAME\nkey_1  red key_2 forged<U+202E>\n');
});

it('says what is to be done where there is nothing', () => {
  expect(tableOf([])).toBe('There are none.\n');
});

it('writes JSON in which nothing acts on the terminal either, and which reads back the same', () => {
  const written: string[] = [];
  const output = new Writable({
    write: (chunk, _, done) => {
      written.push(String(chunk));
      done();
    },
  });
  writeJson({ output }, { name: 'a\u009b31m\u202e' });
  expect(written.join('')).toMatch(/^[\n -~]+$/);
  expect(JSON.parse(written.join(''))).toEqual({ name: 'a\u009b31m\u202e' });
});
