import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import { withoutCredentials } from '../../src/tools/sandbox/git-config.ts';
import { findMasks } from '../../src/tools/sandbox/masks.ts';
import type { Grant } from '../../src/tools/tool.ts';
import { testFolder } from './rig.ts';

const KEY = 'hunter2';
const sandbox = await findSandbox();
const skipped = sandbox === undefined ? ' (skipped: bwrap is not installed, or does not work here)' : '';

type Masking = Pick<Grant, 'opensSecret' | 'hidesPath'>;

const NOTHING: Masking = { opensSecret: () => false, hidesPath: () => false };

function workspaceWith(files: Record<string, string>): string {
  const workspace = testFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
  return workspace;
}

async function outputOf(workspace: string, command: string, grant = NOTHING, isReadOnly = false): Promise<string> {
  const { signal } = new AbortController();
  const result = await sandbox!.run({ command, workspace, isReadOnly, grant, signal });
  return result.output;
}

describe.skipIf(sandbox === undefined)(`secrets of the workspace${skipped}`, () => {
  it('are empty for a command, and as they were afterwards', async () => {
    const files = { '.env': 'hunter2', 'a/b/id_rsa': 'hunter2', '.ssh/config': 'hunter2', 'c.txt': 'plain' };
    const workspace = workspaceWith(files);
    for (const isReadOnly of [true, false]) {
      expect(await outputOf(workspace, 'cat .env a/b/id_rsa .ssh/config c.txt', NOTHING, isReadOnly)).toBe('plain');
      expect(await outputOf(workspace, 'grep -rl hunter2 . || echo none', NOTHING, isReadOnly)).toBe('none\n');
    }
    await outputOf(
      workspace,
      'echo x > .env; rm -f .env; mv .env x; chmod 600 .env; ln -f c.txt .env; truncate -s 0 .env',
    );
    for (const [path, text] of Object.entries(files)) expect(readFileSync(join(workspace, path), 'utf8')).toBe(text);
  });

  it('cannot be uncovered', async () => {
    const workspace = workspaceWith({ '.env': 'hunter2', 'a/.env': 'hunter2' });
    const tries = [
      'umount .env',
      'umount -l .env',
      `umount ${workspace}/.env`,
      'mount --bind . /tmp && cat /tmp/.env',
      'unshare -Urm sh -c "umount .env; cat .env"',
      'unshare -Urm sh -c "mount --bind . /tmp; cat /tmp/.env"',
      'ln .env other; cat other',
      'cp -al a b; cat b/.env',
      'mv a moved; cat moved/.env; mv moved a',
      'cat /proc/1/root/$PWD/.env /proc/self/cwd/.env /proc/self/root$PWD/.env',
      'nsenter -t 1 -m cat .env',
      'mknod d b 8 0; cat d',
      `perl -e 'opendir(D, "."); open(F, "<", "/proc/self/fd/" . fileno(D) . "/.env"); print <F>'`,
    ];
    const output = await outputOf(workspace, tries.map((each) => `(${each}) 2>&1`).join('\n'));
    expect(output).not.toContain('hunter2');
    expect(readFileSync(join(workspace, 'a/.env'), 'utf8')).toBe('hunter2');
  });

  it('are found by every name, also links of both kinds', async () => {
    const workspace = workspaceWith({ '.env': 'hunter2', 'plain/real.txt': 'hunter3', 'folder/x': 'plain' });
    symlinkSync('.env', join(workspace, 'link'));
    linkSync(join(workspace, '.env'), join(workspace, 'hard'));
    symlinkSync('../plain/real.txt', join(workspace, 'folder/server.pem'));
    expect(await outputOf(workspace, 'cat link hard folder/server.pem plain/real.txt folder/x')).toBe('plain');
  });

  it('may be seen if that was granted, and only they', async () => {
    const workspace = workspaceWith({ '.env': 'one', 'b/.env': 'two' });
    const grant = { ...NOTHING, opensSecret: (path: string) => path === 'b/.env' };
    expect(await outputOf(workspace, 'cat .env b/.env', grant)).toBe('two');
  });

  it('are also what a rule denies', async () => {
    const workspace = workspaceWith({ 'a/b': 'hunter2', 'a/c/d': 'hunter2', e: 'plain', f: 'hunter2' });
    const grant = { ...NOTHING, hidesPath: (path: string) => path === 'a' || path === 'f' };
    expect(await outputOf(workspace, 'cat f e; ls -A a; touch a/x 2>/dev/null || echo none', grant)).toBe(
      'plainnone\n',
    );
    expect(await outputOf(workspace, 'ls -A', { ...NOTHING, hidesPath: () => true })).toBe('');
  });

  it('are not made where there were none', async () => {
    const workspace = workspaceWith({ a: '' });
    symlinkSync('nowhere', join(workspace, '.env'));
    symlinkSync('/etc/passwd', join(workspace, 'b.pem'));
    expect(await outputOf(workspace, 'ls -A')).toBe('.env\na\nb.pem\n');
  });

  it('are refused if they are too many', async () => {
    const names = Array.from({ length: 501 }, (_, index) => [`${index}.pem`, '']);
    const workspace = workspaceWith(Object.fromEntries(names));
    await expect(outputOf(workspace, 'true')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('501 files'),
    });
  });

  it.skipIf(sandbox === undefined)('do not come to light by what is above them', async () => {
    const workspace = workspaceWith({ 'a/b/.env': KEY, 'own/home/key': KEY, 'deny/deep/x': KEY, 'free/y': 'y' });
    mkdirSync(join(workspace, 'node_modules'));
    const grant = { ...NOTHING, hidesPath: (path: string) => path === 'deny/deep' };
    const run = async (command: string, isReadOnly = false): Promise<string> => {
      const hidden = [join(workspace, 'own/home')];
      const signal = new AbortController().signal;
      return (await sandbox?.run({ command, workspace, hidden, grant, isReadOnly, signal }))?.output ?? '';
    };
    const moves = ['a', 'a/b', 'own', 'own/home', 'deny', 'deny/deep', 'a/b/.env'].flatMap((name, index) => [
      `mv ${name} node_modules/m${index}`,
      `mv ${name} n${index}`,
      `mv -T free ${name}`,
      `rm -rf ${name}`,
    ]);
    await run(moves.join('; '));
    expect(await run('grep -rs . a own deny node_modules n* ; true')).not.toContain(KEY);
    const kept = ['a/b/.env', 'own/home/key', 'deny/deep/x'].map((path) => readFileSync(join(workspace, path), 'utf8'));
    expect(kept).toEqual([KEY, KEY, KEY]);
    // What is pinned is no more writable than the rest.
    expect(await run('touch a/b/new a/new own/new; true', true)).toMatch(/(Read-only file system[\s\S]*){3}/);
    expect(await run('touch a/b/new a/new own/new && echo done')).toBe('done\n');
  });

  it('are not looked for in node_modules', async () => {
    const workspace = workspaceWith({ 'node_modules/a/test.pem': 'x', 'a/b.pem': 'x' });
    expect(await findMasks(workspace, [], NOTHING)).toEqual([
      { path: 'a', kind: 'pinned' },
      { path: 'a/b.pem', kind: 'file' },
    ]);
  });
});

describe.skipIf(sandbox === undefined)(`sockets and pipes of the workspace${skipped}`, () => {
  it('lead to nobody', async () => {
    const workspace = testFolder();
    let heard = 0;
    const server = createServer(() => heard++);
    await new Promise<void>((resolve) => server.listen(join(workspace, 'socket'), resolve));
    onTestFinished(() => void server.close());
    execFileSync('sh', ['-c', `mkfifo ${join(workspace, 'fifo')}`]);
    const reader = openSync(join(workspace, 'fifo'), constants.O_RDWR | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(reader));
    const perl = `perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(Peer => "socket") ? "connected" : "refused"'`;
    expect(await outputOf(workspace, `${perl}; echo x > fifo`, NOTHING, true)).not.toContain('connected');
    expect(statSync(join(workspace, 'socket')).isSocket()).toBe(true);
    expect(() => readSync(reader, Buffer.alloc(1))).toThrow('EAGAIN');
    expect(heard).toBe(0);
  });
});

describe('the configuration of git', () => {
  it('is left as it is without credentials', () => {
    const config =
      '[remote "origin"]\n\turl = ssh://git@example.com/a\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n';
    expect(withoutCredentials(config)).toBeUndefined();
    expect(withoutCredentials('[remote "o"]\n\turl = git@github.com:a/b.git\n')).toBeUndefined();
  });

  it.each([
    ['[remote "o"]\n\turl = https://ada:hunter2@example.com/a\n', 'url = https://example.com/a'],
    ['[remote "o"]\n\turl = https://hunter2@example.com/a\n', 'url = https://example.com/a'],
    ['[remote "o"]\n\turl = ssh://git:hunter2@example.com/a\n', 'url = ssh://example.com/a'],
    ['[url "https://x:hunter2@example.com/"]\n\tinsteadOf = e:\n', 'insteadOf'],
    ['[http]\n\textraHeader = Authorization: hunter2\n\tproxy = a\n', '[http]'],
    ['[http "https://example.com"] extraheader = hunter2\n', ''],
    ['[http]\n\textraHeader = Authorization: \\\n  hunter2\n[core]\n', '[core]'],
    ['[sendemail]\n\tsmtpPass = hunter2\n[core]\n\tbare = false\n', 'bare = false'],
    ['[github]\n\ttoken = hunter2\n[credential]\n\thelper = "!echo hunter2"\n', '[credential]'],
  ])('is shown without them: %j', (config, rest) => {
    const clean = withoutCredentials(config);
    expect(clean).not.toContain('hunter2');
    expect(clean).toContain(rest);
  });

  it.skipIf(sandbox === undefined)('works without them', async () => {
    const workspace = testFolder();
    const git = (...args: string[]) => execFileSync('git', ['-C', workspace, ...args], { stdio: 'pipe' });
    git('init', '-q');
    git('remote', 'add', 'origin', 'https://ada:hunter2@example.com/a');
    const before = readFileSync(join(workspace, '.git/config'));
    const output = await outputOf(workspace, 'cat .git/config; git remote -v; git status --short; grep -r hunter2 .');
    expect(output).toContain('origin\thttps://example.com/a (fetch)');
    expect(output).not.toContain('hunter2');
    expect(readFileSync(join(workspace, '.git/config')).equals(before)).toBe(true);
    git('remote', 'set-url', 'origin', 'https://example.com/a');
    expect(await outputOf(workspace, 'git remote -v')).toContain('https://example.com/a (fetch)');
  });

  it.skipIf(sandbox === undefined)('and its hooks stay as they are: git runs them elsewhere too', async () => {
    const workspace = testFolder();
    execFileSync('git', ['-C', workspace, 'init', '-q']);
    const names = ['.git/config', '.git/hooks'];
    const state = () => [
      readFileSync(join(workspace, '.git/config'), 'utf8'),
      readdirSync(join(workspace, '.git/hooks')),
    ];
    const before = state();
    const tries = names.flatMap((name) => [
      `mv ${name} x`,
      `rm -rf ${name}`,
      `echo evil > ${name}`,
      `echo evil > ${name}/post-checkout`,
      `ln -sf /tmp ${name}/x`,
    ]);
    const all = ['git config core.fsmonitor ./evil', 'mv .git g', 'rm -rf .git', ...tries].join('; ');
    await outputOf(workspace, `${all}; git init -q; git add -A; true`);
    expect(state()).toEqual(before);
    const other = testFolder();
    execFileSync('git', ['-C', other, 'init', '-q']);
    const work =
      'echo a > a; git add a; git -c user.name=A -c user.email=a@example.com commit -qm a; git log --format=%s';
    expect(await outputOf(other, work)).toBe('a\n');
  });
});
