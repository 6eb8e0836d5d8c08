import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { resolvePath } from './resolve-path.ts';

let base: string;
let workspace: string;
const platform = process.platform;

beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'profclaw-paths-')));
  workspace = join(base, 'work');
  for (const folder of ['work/sub', 'work-beside', 'outside']) mkdirSync(join(base, folder), { recursive: true });
  for (const file of ['work/sub/a.txt', 'work/..dots', 'work/.env', 'outside/secret', 'work-beside/x'])
    writeFileSync(join(base, file), '');
  const links = {
    'link-in': 'sub',
    'link-to-env': '.env',
    'link-to-new': 'sub/.env.local',
    'link-out': '../outside',
    'link-by-other-name': join(base, 'other-name/sub'),
  };
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(workspace, name));
  symlinkSync(workspace, join(base, 'other-name'));
});
afterAll(() => rmSync(base, { recursive: true }));
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform });
});

describe('resolvePath', () => {
  it.each([
    ['.', '.', false, false],
    ['./', '.', false, false],
    ['sub/..', '.', false, false],
    ['sub', 'sub', false, false],
    ['sub/a.txt', 'sub/a.txt', false, false],
    ['sub/../sub//a.txt', 'sub/a.txt', false, false],
    ['link-in/a.txt', 'sub/a.txt', false, true],
    ['link-in/new', 'sub/new', false, true],
    ['link-in/../..dots', '..dots', false, true],
    ['new/deep/down', 'new/deep/down', false, false],
    ['..dots', '..dots', false, false],
    ['./~', '~', false, false],
    ['.env', '.env', true, false],
    ['link-to-env', '.env', true, true],
    ['link-to-new', 'sub/.env.local', true, true],
    ['new/.ssh/config', 'new/.ssh/config', true, false],
  ])('%s is %j', async (given, path, isSecret, isLinked) => {
    expect(await resolvePath({ workspace, hidden: [] }, given)).toEqual({ path, isSecret, isLinked });
    expect(await resolvePath({ workspace, hidden: [] }, `${workspace}/${given}`)).toEqual({ path, isSecret, isLinked });
  });

  it.each(['..', '../work-beside/x', 'link-out/new/deep', 'link-out/../sub', '../not/there', '/etc/passwd', '/'])(
    '%s is outside',
    async (given) => {
      await expect(resolvePath({ workspace, hidden: [] }, given)).rejects.toMatchObject({
        code: 'invalid_request',
        message: `${JSON.stringify(given)} is outside the workspace`,
      });
    },
  );

  it.each(['sub', 'sub/a.txt', 'link-in', 'link-in/new', 'sub/../sub/a.txt', 'sub/new/deep'])(
    '%s is refused where the folder is the server’s own',
    async (given) => {
      const place = { workspace, hidden: [join(workspace, 'sub')] };
      await expect(resolvePath(place, given)).rejects.toThrow('is the server’s own');
      expect(await resolvePath(place, '..dots')).toMatchObject({ path: '..dots' });
    },
  );

  it('refuses all where the workspace is within what is the server’s own', async () => {
    await expect(resolvePath({ workspace, hidden: [base] }, 'sub')).rejects.toThrow('is the server’s own');
  });

  it('takes a workspace that is a link, by both of its names', async () => {
    const other = join(base, 'other-name');
    for (const given of ['sub', join(other, 'sub'), join(workspace, 'sub')])
      expect(await resolvePath({ workspace: other, hidden: [] }, given)).toMatchObject({ path: 'sub' });
    expect(await resolvePath({ workspace: other, hidden: [] }, 'link-by-other-name')).toMatchObject({ path: 'sub' });
    await expect(resolvePath({ workspace, hidden: [] }, 'link-by-other-name')).rejects.toThrow('is outside');
  });

  it('takes the root as a workspace', async () => {
    expect(await resolvePath({ workspace: '/', hidden: [] }, '/usr/bin/env')).toMatchObject({ isSecret: false });
    await expect(resolvePath({ workspace: '/', hidden: [] }, '/proc/self/environ')).rejects.toThrow('of the system');
    await expect(resolvePath({ workspace: '/', hidden: [] }, '/..')).rejects.toThrow('is outside');
  });

  it('says that there is no workspace', async () => {
    const nowhere = join(base, 'nowhere');
    await expect(resolvePath({ workspace: nowhere, hidden: [] }, 'a')).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'The workspace cannot be opened: no such file or directory',
    });
    await expect(resolvePath({ workspace: join(workspace, '..dots'), hidden: [] }, 'a')).rejects.toThrow(
      'The workspace cannot be opened: not a directory',
    );
  });

  it('does nothing where it could not do it safely', async () => {
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    await expect(resolvePath({ workspace, hidden: [] }, 'sub')).rejects.toThrow('The file tools need Linux');
  });
});
