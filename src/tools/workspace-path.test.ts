import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { existingPathInWorkspace, pathInWorkspace } from './workspace-path.ts';

let base: string;
let workspace: string;

beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'profclaw-paths-')));
  workspace = join(base, 'work');
  for (const folder of ['work/sub', 'work-beside', 'outside']) mkdirSync(join(base, folder), { recursive: true });
  for (const file of ['work/sub/a.txt', 'work/..dots', 'outside/secret', 'work-beside/x'])
    writeFileSync(join(base, file), '');
  const links = {
    'link-in': 'sub',
    'link-out': '../outside',
    'link-to-secret': join(base, 'outside/secret'),
    'link-to-root': '/',
    'link-nowhere': '../outside/not-yet',
    'link-to-link': 'link-out',
    'link-to-itself': 'link-to-itself',
  };
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(workspace, name));
  symlinkSync(workspace, join(base, 'other-name'));
});
afterAll(() => rmSync(base, { recursive: true }));

describe('pathInWorkspace', () => {
  it.each([
    ['.', ''],
    ['sub/a.txt', 'sub/a.txt'],
    ['sub/../sub//a.txt', 'sub/a.txt'],
    ['link-in/a.txt', 'sub/a.txt'],
    ['link-in/new', 'sub/new'],
    ['new/deep/down', 'new/deep/down'],
    ['..dots', '..dots'],
    ['link-out/../sub', 'sub'],
  ])('%s is %j', async (given, real) => {
    expect(await pathInWorkspace({ workspace, hidden: [] }, given)).toBe(join(workspace, real));
    expect(await pathInWorkspace({ workspace, hidden: [] }, join(workspace, given))).toBe(join(workspace, real));
  });

  it.each(['sub', 'sub/a.txt', 'link-in', 'link-in/new', 'sub/../sub/a.txt'])(
    '%s is refused where the folder is the server’s own',
    async (given) => {
      const place = { workspace, hidden: [join(workspace, 'sub')] };
      await expect(pathInWorkspace(place, given)).rejects.toThrow('is the server’s own');
      expect(await pathInWorkspace(place, '..dots')).toBe(join(workspace, '..dots'));
    },
  );

  it.each([
    '..',
    '../outside/secret',
    '../work-beside/x',
    'sub/../../outside/secret',
    '/etc/passwd',
    '/',
    'link-out',
    'link-out/secret',
    'link-out/new/deep',
    'link-to-secret',
    'link-to-root/etc/passwd',
    'link-to-link/secret',
    '../not/there',
  ])('%s is outside', async (given) => {
    await expect(pathInWorkspace({ workspace, hidden: [] }, given)).rejects.toMatchObject({
      code: 'invalid_request',
      message: `${JSON.stringify(given)} is outside the workspace`,
    });
  });

  it.each(['link-nowhere', 'link-nowhere/x', 'link-to-itself', 'sub/a.txt/x', 'x'.repeat(300)])(
    '%s cannot be reached',
    async (given) => {
      await expect(pathInWorkspace({ workspace, hidden: [] }, given)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringContaining(`${JSON.stringify(given)} cannot be reached: `),
      });
    },
  );

  it('takes a workspace that is a link, by both of its names', async () => {
    const other = join(base, 'other-name');
    for (const given of ['sub', join(other, 'sub'), join(workspace, 'sub')])
      expect(await pathInWorkspace({ workspace: other, hidden: [] }, given)).toBe(join(workspace, 'sub'));
  });

  it('takes the root as a workspace', async () => {
    expect(await pathInWorkspace({ workspace: '/', hidden: [] }, 'usr')).toBe(realpathSync('/usr'));
  });
});

describe('existingPathInWorkspace', () => {
  it('wants it to be there', async () => {
    expect(await existingPathInWorkspace({ workspace, hidden: [] }, 'sub/a.txt')).toBe(join(workspace, 'sub/a.txt'));
    await expect(existingPathInWorkspace({ workspace, hidden: [] }, 'sub/b.txt')).rejects.toMatchObject({
      code: 'not_found',
      message: 'Path "sub/b.txt" not found',
    });
    await expect(existingPathInWorkspace({ workspace, hidden: [] }, '../outside/b')).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
