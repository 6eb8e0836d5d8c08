import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gitDiffTool } from '../../src/tools/builtin/git-diff.ts';
import { gitLogTool } from '../../src/tools/builtin/git-log.ts';
import { gitStatusTool } from '../../src/tools/builtin/git-status.ts';
import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { ONLY_SANDBOX, testFolder, toolContext } from './rig.ts';

const gitDiff = gitDiffTool(ONLY_SANDBOX);
const gitLog = gitLogTool(ONLY_SANDBOX);
const gitStatus = gitStatusTool(ONLY_SANDBOX);

const hasSandbox = (await findSandbox()) !== undefined;
const hasGit = existsSync('/usr/bin/git') || existsSync('/usr/local/bin/git');
const isPossible = hasSandbox && hasGit;
const skipped = isPossible ? '' : ' (skipped: bwrap or git is not installed, or does not work here)';

const NO_SETTINGS = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };

function git(folder: string, ...args: string[]): string {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgSign=false'];
  const env = { PATH: process.env.PATH, ...NO_SETTINGS };
  return execFileSync('git', ['-C', folder, ...who, ...args], { env, encoding: 'utf8', stdio: 'pipe' });
}

function write(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A repository with a commit. */
function newRepository(files: Record<string, string> = { 'a.txt': 'one\ntwo\n', 'b/c.txt': 'three\n' }): string {
  const folder = testFolder();
  git(folder, 'init', '-q', '-b', 'main');
  write(folder, files);
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'First commit');
  return folder;
}

async function run(tool: Tool, workspace: string, given: Record<string, string | number | boolean | string[]> = {}) {
  return await tool.run(given, toolContext({ workspace, mode: 'sandbox' }));
}

describe('the arguments of git tools', () => {
  it.each([
    [gitDiff, { range: '--output=/tmp/x' }],
    [gitLog, { range: '-p' }],
    [gitDiff, { range: 'HEAD:.env' }],
    [gitDiff, { range: 'HEAD --output=x' }],
    [gitDiff, { range: 'a..b..c' }],
    [gitLog, { limit: 0 }],
    [gitLog, { paths: ['a\0b'] }],
    [gitStatus, { folder: '' }],
    [gitStatus, { command: 'push' }],
  ])('%#: something is wrong with %j', (tool, given) => {
    expect(tool.check(given)).toHaveLength(1);
  });

  it('are what rules look at', () => {
    expect(gitStatus.subjects({})).toEqual({ paths: ['.'] });
    expect(gitDiff.subjects({ folder: 'sub', paths: ['a', '/b'] })).toEqual({ paths: ['sub/a', '/b'] });
  });
});

describe('git tools without a sandbox', () => {
  it.each([gitStatusTool, gitDiffTool, gitLogTool])('%#: run nothing', async (make) => {
    const tool = make({ find: () => Promise.resolve(undefined), isUnsandboxedAllowed: false });
    const outcome = await tool.run({}, toolContext({ mode: 'full' }));
    expect(outcome).toEqual({ text: expect.stringContaining('apt-get install bubblewrap'), isError: true });
  });

  it.skipIf(!hasGit)('run in the open where the operator allows that, but not in the mode sandbox', async () => {
    const workspace = newRepository();
    const tool = gitStatusTool({ find: () => Promise.resolve(undefined), isUnsandboxedAllowed: true });
    const inFull = await tool.run({}, toolContext({ workspace, mode: 'full' }));
    expect(inFull).toEqual({ text: '## main\nnothing has changed\n', isError: false });
    const inSandbox = await tool.run({}, toolContext({ workspace, mode: 'sandbox' }));
    expect(inSandbox).toEqual({ text: expect.stringContaining('no working sandbox'), isError: true });
  });
});

describe.skipIf(!isPossible)(`git tools${skipped}`, () => {
  it('show a commit of nothing but secrets, without what is in it', async () => {
    const workspace = newRepository();
    write(workspace, { '.env': 'KEY=hunter2' });
    git(workspace, 'add', '-A', '-f');
    git(workspace, 'commit', '-q', '-m', 'Second commit');
    const { text } = await run(gitLog, workspace, { patch: true, limit: 1 });
    expect(text).toContain('Second commit');
    expect(text).not.toContain('First commit');
    expect(text).not.toContain('hunter2');
    expect(text).toContain('[not shown, since they may hold secrets or a rule denies them: .env]');
  });

  it('show what has changed', async () => {
    const workspace = newRepository();
    write(workspace, { 'a.txt': 'one\n2\n', 'new\nname': '', 'b/c.txt': 'staged\n' });
    git(workspace, 'add', 'b');
    const status = await run(gitStatus, workspace);
    expect(status).toEqual({ text: '## main\n M a.txt\nM  b/c.txt\n?? "new\\nname"\n', isError: false });
    expect((await run(gitStatus, workspace, { paths: ['b'] })).text).toBe('## main\nM  b/c.txt\n');
    const diff = await run(gitDiff, workspace);
    expect(diff.text).toMatch(/^diff --git a\/a.txt b\/a.txt\n.*@@ -1,2 \+1,2 @@\n one\n-two\n\+2\n$/s);
    expect((await run(gitDiff, workspace, { staged: true })).text).toContain('-three\n+staged\n');
    expect((await run(gitDiff, workspace, { range: 'HEAD', stat: true })).text).toContain('2 files changed');
    expect((await run(gitDiff, workspace, { paths: ['b'] })).text).toBe('There is no difference.');
  });

  it('show commits', async () => {
    const workspace = newRepository();
    write(workspace, { 'a.txt': 'one\n' });
    git(workspace, 'commit', '-q', '-am', 'Second commit\n\nWith a body.');
    const log = await run(gitLog, workspace);
    expect(log.text).toMatch(
      /^[0-9a-f]{7,} \S+ Ada \(HEAD -> main\): Second commit\n[0-9a-f]{7,} \S+ Ada: First commit\n$/,
    );
    expect((await run(gitLog, workspace, { limit: 1, messages: true })).text).toContain('    With a body.');
    expect((await run(gitLog, workspace, { patch: true, limit: 1 })).text).toContain('\n-two\n');
    expect((await run(gitLog, workspace, { range: 'HEAD~1..HEAD' })).text).not.toContain('First');
    expect((await run(gitLog, workspace, { paths: ['b'] })).text).not.toContain('Second');
    expect((await run(gitDiff, workspace, { range: 'HEAD~1..HEAD' })).text).toContain('-two');
    expect(await run(gitLog, workspace, { range: 'nowhere' })).toMatchObject({ isError: true });
  });

  it('say that there is no repository, and find one in a folder', async () => {
    const workspace = testFolder();
    const outcome = await run(gitStatus, workspace);
    expect(outcome).toEqual({
      text: expect.stringContaining('There is no git repository in the workspace'),
      isError: true,
    });
    mkdirSync(join(workspace, 'sub'));
    git(join(workspace, 'sub'), 'init', '-q', '-b', 'main');
    expect((await run(gitStatus, workspace, { folder: 'sub' })).text).toContain('## No commits yet on main');
    expect(await run(gitStatus, workspace, { folder: '..' })).toMatchObject({ isError: true });
  });

  it('change nothing, not even the index', async () => {
    const workspace = newRepository();
    // The index does not know how the file is now.
    write(workspace, { 'a.txt': 'one\ntwo\n' });
    const before = readFileSync(join(workspace, '.git/index'));
    for (const tool of [gitStatus, gitDiff, gitLog]) expect((await run(tool, workspace)).isError).toBe(false);
    expect(readFileSync(join(workspace, '.git/index')).equals(before)).toBe(true);
  });

  it('do not show secrets, wherever git has them', async () => {
    const workspace = newRepository({ 'a.txt': 'one\n', '.env': 'KEY=hunter2\n', 'sub/id_rsa': 'hunter2\n' });
    git(workspace, 'rm', '-q', '--cached', 'sub/id_rsa');
    git(workspace, 'mv', '.env', 'plain.txt');
    write(workspace, { 'a.txt': 'two\n' });
    git(workspace, 'add', 'a.txt');
    const texts = [
      await run(gitDiff, workspace, { range: 'HEAD' }),
      await run(gitDiff, workspace, { staged: true, paths: ['.env', 'a.txt'] }),
      await run(gitLog, workspace, { patch: true }),
    ].map(({ text }) => text);
    for (const text of texts) expect(text).toMatch(/\[not shown, since .*: .*\.env/);
    expect(texts[1]).toContain('+two');
    expect(texts[1]).not.toContain('hunter2');
    expect(texts[2]).not.toContain('hunter2');
    // It has another name now, which says nothing of it; but its past is not shown as that of the new name.
    expect(texts[0]).not.toContain('-KEY');
    const all = { opensSecret: () => true, hidesPath: () => false, hostRule: () => undefined, hasHosts: false };
    const granted = await gitLog.run({ patch: true }, toolContext({ workspace, mode: 'full', grant: all }));
    expect(granted.text).toContain('+KEY=hunter2');
  });

  it('do not take a secret that the sandbox hides for one that was changed', async () => {
    const workspace = newRepository({ '.env': 'KEY=hunter2\n', 'a.txt': '' });
    const { text } = await run(gitStatus, workspace);
    expect(text).not.toContain(' M .env');
    expect(text).toContain('[not shown');
  });
});

describe.skipIf(!hasGit)('a repository whose configuration names programs', () => {
  const hostile: [string, (folder: string, program: string) => void][] = [
    ['core.fsmonitor', (folder, program) => git(folder, 'config', 'core.fsmonitor', program)],
    [
      'core.hooksPath',
      (folder, program) => {
        mkdirSync(join(folder, 'hooks'));
        for (const name of ['post-index-change', 'reference-transaction', 'pre-commit']) {
          writeFileSync(join(folder, 'hooks', name), readFileSync(program), { mode: 0o755 });
        }
        git(folder, 'config', 'core.hooksPath', join(folder, 'hooks'));
      },
    ],
    ['core.pager', (folder, program) => git(folder, 'config', 'core.pager', program)],
    ['pager.log', (folder, program) => git(folder, 'config', 'pager.log', program)],
    ['diff.external', (folder, program) => git(folder, 'config', 'diff.external', program)],
    [
      'a driver of diff',
      (folder, program) => {
        writeFileSync(join(folder, '.gitattributes'), '*.txt diff=evil\n');
        git(folder, 'config', 'diff.evil.command', program);
      },
    ],
    [
      'textconv',
      (folder, program) => {
        writeFileSync(join(folder, '.gitattributes'), '*.txt diff=evil\n');
        git(folder, 'config', 'diff.evil.textconv', program);
      },
    ],
    [
      'a filter',
      (folder, program) => {
        writeFileSync(join(folder, '.gitattributes'), '*.txt filter=evil\n');
        git(folder, 'config', 'filter.evil.clean', program);
        git(folder, 'config', 'filter.evil.smudge', program);
        git(folder, 'config', 'filter.evil.required', 'true');
      },
    ],
    [
      'a filter process, in an included file',
      (folder, program) => {
        writeFileSync(join(folder, '.gitattributes'), '*.txt filter=lfs\n');
        writeFileSync(join(folder, 'more'), `[filter "lfs"]\n\tprocess = ${program}\n`);
        git(folder, 'config', 'include.path', '../more');
      },
    ],
    [
      'gpg.program',
      (folder, program) => {
        git(folder, 'config', 'gpg.program', program);
        git(folder, 'config', 'log.showSignature', 'true');
        const head = git(folder, 'cat-file', 'commit', 'HEAD');
        const signed = head.replace(
          '\n\n',
          '\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n',
        );
        writeFileSync(join(folder, '.git/signed'), signed);
        const id = git(folder, 'hash-object', '-t', 'commit', '-w', '.git/signed').trim();
        git(folder, 'update-ref', 'HEAD', id);
      },
    ],
    [
      'an alias',
      (folder, program) => {
        for (const name of ['status', 'diff', 'log']) git(folder, 'config', `alias.${name}`, `!${program}`);
      },
    ],
    [
      'a partial clone',
      (folder, program) => {
        git(folder, 'config', 'remote.origin.url', `ext::${program}`);
        git(folder, 'config', 'remote.origin.promisor', 'true');
        git(folder, 'config', 'extensions.partialClone', 'origin');
        git(folder, 'config', 'protocol.ext.allow', 'always');
        git(folder, 'config', 'core.repositoryFormatVersion', '1');
        const blob = git(folder, 'rev-parse', 'HEAD:a.txt').trim();
        chmodSync(join(folder, '.git/objects', blob.slice(0, 2)), 0o755);
        execFileSync('rm', ['-f', join(folder, '.git/objects', blob.slice(0, 2), blob.slice(2))]);
      },
    ],
    [
      'a submodule',
      (folder, program) => {
        git(folder, 'clone', '-q', folder, join(folder, 'sub'));
        git(join(folder, 'sub'), 'config', 'core.fsmonitor', program);
        git(folder, 'add', 'sub');
        git(folder, 'commit', '-q', '-m', 'A submodule');
        writeFileSync(join(folder, 'sub/a.txt'), 'changed');
        git(folder, 'config', 'status.submoduleSummary', 'true');
        git(folder, 'config', 'diff.submodule', 'log');
      },
    ],
  ];

  /** Git itself runs these only on a terminal, or never. */
  const HARMLESS_HERE = ['core.pager', 'pager.log', 'an alias'];

  it.each(hostile)('%s: runs none', async (name, prepare) => {
    const workspace = newRepository();
    const program = join(workspace, 'evil.sh');
    // Whatever runs it, it says so: in the output, since it can write nowhere, and where it can write.
    writeFileSync(program, `#!/bin/sh\necho RAN-EVIL >&2\necho RAN-EVIL\ntouch ${workspace}/ran\n`, { mode: 0o755 });
    prepare(workspace, program);
    writeFileSync(join(workspace, 'a.txt'), 'one\n2!\n');
    // Without a sandbox, where the program could write.
    const open = { find: () => Promise.resolve(undefined), isUnsandboxedAllowed: true };
    const tools = [gitStatusTool(open), gitDiffTool(open), gitLogTool(open)];
    for (const tool of tools) {
      const given = tool.name === 'git_log' ? { patch: true } : {};
      const { text } = await tool.run(given, toolContext({ workspace, mode: 'full' }));
      expect(text).not.toContain('RAN-EVIL');
    }
    expect(readdirSync(workspace)).not.toContain('ran');
    if (HARMLESS_HERE.includes(name)) return;
    // As git itself would have done.
    for (const args of [['status'], ['diff'], ['log', '-p']]) {
      try {
        git(workspace, ...args);
      } catch {
        // The program makes no sense of what it is asked.
      }
    }
    expect(readdirSync(workspace)).toContain('ran');
  });
});
