import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../../test/tools/rig.ts';
import { makeFolders } from './make-folders.ts';
import { withPath } from './walk.ts';

function makeIn(workspace: string, names: readonly string[]): Promise<string> {
  return withPath({ workspace, hidden: [] }, '.', async ({ folder }) => (await makeFolders(folder, names)).path);
}

describe('makeFolders', () => {
  it('makes what is not there, and takes what somebody else has just made', async () => {
    const workspace = testFolder();
    mkdirSync(join(workspace, 'a'));
    expect(await makeIn(workspace, ['a', 'b', 'c'])).toBe('a/b/c');
    expect(await makeIn(workspace, [])).toBe('.');
    expect(readdirSync(workspace, { recursive: true }).sort()).toEqual(['a', 'a/b', 'a/b/c']);
  });

  it.each(['link', 'file'])('goes through no %s that has just got the name', async (name) => {
    const workspace = testFolder();
    mkdirSync(join(workspace, 'other'));
    symlinkSync('other', join(workspace, 'link'));
    writeFileSync(join(workspace, 'file'), '');
    await expect(makeIn(workspace, [name, 'x'])).rejects.toMatchObject({
      code: 'conflict',
      message: `"${name}" has just been made something else; try again`,
    });
    expect(readdirSync(join(workspace, 'other'))).toEqual([]);
  });
});
