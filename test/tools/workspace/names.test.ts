import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listDirectory } from '../../../src/tools/builtin/list-directory.ts';
import { toolContext } from '../rig.ts';
import { countHandles, FILE_TOOLS } from './rig.ts';

/** In a folder, by its bytes: 0xe9 alone is no UTF-8. */
function notUtf8(folder: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
}

it('file tools show names that are not UTF-8, and open nothing by what they look like', async () => {
  const context = toolContext();
  const { workspace } = context;
  writeFileSync(notUtf8(workspace, 'caf\xe9'), 'a');
  mkdirSync(notUtf8(workspace, 'd\xe9'));
  writeFileSync(join(workspace, 'real\ufffd'), 'b');
  symlinkSync(notUtf8('.', 'caf\xe9'), join(workspace, 'link'));
  const handles = countHandles();
  expect((await listDirectory.run({}, context)).text.split('\n')).toEqual([
    '"caf\\xe9" [not UTF-8: no file tool can open it]',
    '"d\\xe9" [not UTF-8: no file tool can open it]/',
    'link -> (unknown)',
    'real\ufffd (1 bytes)',
  ]);
  expect(await FILE_TOOLS.read_file!('real\ufffd', context)).toMatchObject({ text: 'b' });
  expect(await FILE_TOOLS.read_file!('caf\ufffd', context)).toMatchObject({ text: 'Path "caf\ufffd" not found' });
  expect((await FILE_TOOLS.search_files!('.', context)).text).toBe('link\nreal\ufffd');
  expect((await FILE_TOOLS.grep!('.', context)).text).toBe('real\ufffd:1: b');
  for (const call of Object.values(FILE_TOOLS)) expect(await call('link', context)).toMatchObject({ isError: true });
  expect(countHandles()).toBe(handles);
  expect(readdirSync(workspace)).toHaveLength(4);
});

it('file tools take names as long as the system does, and paths as deep as they say', async () => {
  const context = toolContext();
  // 255 bytes.
  for (const name of ['x'.repeat(255), '😀'.repeat(63).concat('abc')]) {
    expect(await FILE_TOOLS.write_file!(name, context)).toMatchObject({ isError: false });
    expect(await FILE_TOOLS.read_file!(name, context)).toEqual({ text: 'written\n', isError: false });
    expect(await FILE_TOOLS.edit_file!(name, context)).toMatchObject({ isError: false });
    expect(await FILE_TOOLS.write_file!(`${name}x`, context)).toMatchObject({
      isError: true,
      text: expect.stringContaining('name too long'),
    });
  }
  const deep = Array.from({ length: 99 }, (_, number) => `d${number}`).join('/');
  const handles = countHandles();
  expect(await FILE_TOOLS.write_file!(`${deep}/e/file`, context)).toMatchObject({ isError: false });
  expect(await FILE_TOOLS.read_file!(`${deep}/e/file`, context)).toEqual({ text: 'written\n', isError: false });
  expect(await FILE_TOOLS.read_file!(`${deep}/../d98/e/../e/file`, context)).toMatchObject({ isError: false });
  const tooDeep = `${deep}/e/f/file`;
  const refused = { text: `${JSON.stringify(tooDeep)} is deeper than 100 folders`, isError: true };
  expect(await FILE_TOOLS.write_file!(tooDeep, context)).toEqual(refused);
  mkdirSync(join(context.workspace, deep, 'e/f'));
  expect(await FILE_TOOLS.read_file!(tooDeep, context)).toEqual(refused);
  expect(countHandles()).toBe(handles);
});

it('names that could be taken for lines of their own are quoted', async () => {
  const context = toolContext();
  const names = ['a\nb (1 bytes)', 'c\u2028d', 'e\u202ef', 'g"h', ' i', '\u001b[31m'];
  for (const name of names) writeFileSync(join(context.workspace, name), 'x');
  for (const tool of ['list_directory', 'search_files', 'grep']) {
    const { text } = await FILE_TOOLS[tool]!('.', context);
    expect(text.split('\n')).toHaveLength(names.length);
    expect(text).not.toMatch(/[\u2028\u202e]/);
    for (const line of text.split('\n')) expect(line).toMatch(/^"/);
  }
});
