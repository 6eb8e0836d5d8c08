import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toolContext } from '../../../test/tools/rig.ts';
import { listDirectory } from './list-directory.ts';

describe('list_directory', () => {
  it('lists kinds and sizes in order', async () => {
    const context = toolContext();
    const at = (name: string) => join(context.workspace, name);
    mkdirSync(at('b-folder/inner'), { recursive: true });
    writeFileSync(at('a.txt'), 'héllo');
    writeFileSync(at('Z'), '');
    writeFileSync(at('.hidden'), '1');
    writeFileSync(at('two words'), '12');
    writeFileSync(at('new\nline (9 bytes)'), '123');
    writeFileSync(at(' blank'), '');
    symlinkSync('../elsewhere', at('link'));
    execFileSync('sh', ['-c', 'mkfifo pipe'], { cwd: context.workspace });
    expect(await listDirectory.run({}, context)).toEqual({
      text: [
        '" blank" (0 bytes)',
        '.hidden (1 bytes)',
        'Z (0 bytes)',
        'a.txt (6 bytes)',
        'b-folder/',
        'link -> ../elsewhere',
        '"new\\nline (9 bytes)" (3 bytes)',
        'pipe (neither file nor folder)',
        'two words (2 bytes)',
      ].join('\n'),
      isError: false,
    });
    expect(await listDirectory.run({ path: 'b-folder' }, context)).toEqual({ text: 'inner/', isError: false });
    expect(await listDirectory.run({ path: at('b-folder/inner') }, context)).toEqual({
      text: '(an empty folder)',
      isError: false,
    });
  });

  it('is bounded', async () => {
    const context = toolContext();
    for (let number = 0; number < 1003; number++) writeFileSync(join(context.workspace, `f${number + 1000}`), '');
    const { text } = await listDirectory.run({}, context);
    const lines = text.split('\n');
    expect([lines.length, lines[999], lines[1000]]).toEqual([1001, 'f1999 (0 bytes)', '[… and 3 more entries …]']);
  });

  it('is bounded by what can be read at once', async () => {
    const context = toolContext();
    for (let number = 100; number < 230; number++)
      writeFileSync(join(context.workspace, `${number}${'x'.repeat(240)}`), '');
    const lines = (await listDirectory.run({}, context)).text.split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([108, '[… and 23 more entries …]']);
  });

  it.each([
    ['none', 'Path "none" not found'],
    ['file', '"file" is not a folder'],
    ['..', '".." is outside the workspace'],
    ['out', '"out" is outside the workspace'],
  ])('of %s says %s', async (path, text) => {
    const context = toolContext();
    writeFileSync(join(context.workspace, 'file'), '');
    symlinkSync('..', join(context.workspace, 'out'));
    expect(await listDirectory.run({ path }, context)).toEqual({ text, isError: true });
  });
});
