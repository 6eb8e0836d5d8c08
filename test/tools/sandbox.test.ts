import { execFile, type StdioOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findSandbox, probeSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import type { SandboxCommand, SandboxResult } from '../../src/tools/sandbox/sandbox.ts';
import { listenOn } from './listener.ts';
import { commandLines, countProcesses, endProcesses, testFolder } from './rig.ts';

const sandbox = await findSandbox();
const skipped = sandbox === undefined ? ' (skipped: bwrap is not installed, or does not work here)' : '';

const RUN_IN_SANDBOX = fileURLToPath(new URL('./run-in-sandbox.ts', import.meta.url));
const DIE_IN_START = fileURLToPath(new URL('./die-in-start.ts', import.meta.url));

/** A number that no other process has in its command line. */
const newWord = () => `${Math.ceil(Math.random() * 1e9) + 1e9}`;

const done: Omit<SandboxResult, 'output'> = { exitCode: 0, isTruncated: false, hasTimedOut: false };

async function run(command: string, more: Partial<SandboxCommand> = {}): Promise<SandboxResult> {
  const { signal } = new AbortController();
  const workspace = more.workspace ?? testFolder();
  return await sandbox!.run({ command, isReadOnly: false, signal, ...more, workspace });
}

/** The lines that a command writes. */
async function linesOf(command: string, more: Partial<SandboxCommand> = {}): Promise<string[]> {
  return (await run(command, more)).output.split('\n').filter((line) => line !== '');
}

async function succeeds(program: string, args: string[]): Promise<boolean> {
  return await promisify(execFile)(program, args).then(
    () => true,
    () => false,
  );
}

describe('findSandbox', () => {
  it('looks once', () => {
    expect(findSandbox()).toBe(findSandbox());
  });

  it('finds one wherever bwrap works', async () => {
    const flags = ['--unshare-all', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];
    expect(sandbox !== undefined).toBe(await succeeds('bwrap', [...flags, 'true']));
  });

  it.skipIf(sandbox === undefined)('finds one also with a bwrap that is older', async () => {
    const program = join(testFolder(), 'bwrap');
    const script = '#!/bin/sh\ncase " $* " in *" --size "*|*" --disable-userns "*) exit 1;; esac\nexec bwrap "$@"\n';
    writeFileSync(program, script, { mode: 0o755 });
    expect(await probeSandbox(program)).toBeDefined();
  });

  it.each(['/nowhere/bwrap', '/bin/true', '/bin/false'])('finds none with %s', async (program) => {
    expect(await probeSandbox(program)).toBeUndefined();
  });
});

describe.skipIf(sandbox === undefined)(`a command in the sandbox${skipped}`, () => {
  it('returns what it writes, in the order in which it comes, and its exit code', async () => {
    expect(await run('echo a; echo b >&2; echo c; exit 3')).toEqual({ ...done, output: 'a\nb\nc\n', exitCode: 3 });
    expect(await run('kill -KILL $$')).toEqual({ ...done, output: '', exitCode: 137 });
    expect(await run("printf '%s' \"it's \\$HOME\"")).toEqual({
      ...done,
      output: "it's $HOME",
    });
  });

  it('has no input', async () => {
    expect(await linesOf('readlink /proc/self/fd/0; read -r line || echo none')).toEqual(['/dev/null', 'none']);
  });

  it('puts characters together that come in two pieces', async () => {
    const pieces: string[] = [];
    const onOutput = (piece: string) => void pieces.push(piece);
    const command = "printf '\\342\\202'; sleep 0.1; printf '\\254'; sleep 0.1; printf '\\360\\237\\230'";
    expect(await run(command, { onOutput })).toEqual({ ...done, output: '€\ufffd' });
    expect(pieces.join('')).toBe('€\ufffd');
  });

  it('gives pieces while it still runs', async () => {
    const workspace = testFolder();
    // It ends only once somebody has seen its first line.
    const onOutput = (piece: string) => {
      if (piece.includes('ready')) writeFileSync(join(workspace, 'seen'), '');
    };
    const command = 'echo ready; until [ -e seen ]; do sleep 0.02; done; echo over';
    expect(await run(command, { workspace, onOutput })).toEqual({ ...done, output: 'ready\nover\n' });
  });

  it('keeps beginning and end of a long output', async () => {
    const { output, isTruncated } = await run('echo begin; seq 1 100000; echo end', { maxOutput: 1000 });
    expect(isTruncated).toBe(true);
    expect(output).toMatch(/^begin\n1\n2\n.*\n\[… 58\d{4} characters left out …\]\n.*\n100000\nend\n$/s);
    expect(output.length).toBeLessThan(1050);
    const whole = await run('head -c 2000000 /dev/zero | tr "\\0" x');
    expect([whole.output.length, whole.isTruncated]).toEqual([2_000_000, false]);
    expect(await run('head -c 2000001 /dev/zero | tr "\\0" x')).toMatchObject({ isTruncated: true });
  });

  it('works in the workspace, under its own path', async () => {
    const workspace = testFolder();
    writeFileSync(join(workspace, 'a.txt'), 'before\n');
    expect(await linesOf('pwd; cat a.txt; echo after > a.txt; mkdir -p b; touch b/c', { workspace })).toEqual([
      workspace,
      'before',
    ]);
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('after\n');
    expect(existsSync(join(workspace, 'b/c'))).toBe(true);
  });

  it('only reads a read-only workspace', async () => {
    const workspace = testFolder();
    writeFileSync(join(workspace, 'a.txt'), 'before\n');
    const command =
      'cat a.txt; echo after > a.txt; touch new; rm -f a.txt; chmod 777 a.txt; mount -o remount,rw,bind .';
    await run(`${command}; mount -o remount,rw,bind ${workspace}; touch new`, { workspace, isReadOnly: true });
    expect(await linesOf('cat a.txt; ls', { workspace, isReadOnly: true })).toEqual(['before', 'a.txt']);
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('before\n');
  });

  it('has scratch space of its own, which is gone afterwards', async () => {
    const name = `profclaw-${randomUUID()}`;
    expect(
      await linesOf(`cd ~ && echo 1 > ${name} && cat ${name}; cd /tmp && echo 2 > ${name} && cat ${name}`),
    ).toEqual(['1', '2']);
    expect(await linesOf(`cat ~/${name} /tmp/${name} 2>/dev/null`)).toEqual([]);
    expect([existsSync(`/tmp/${name}`), existsSync(`/home/sandbox/${name}`)]).toEqual([false, false]);
  });

  it.each(['/', '/usr', '/usr/bin', '/bin', '/etc', '/home', '/var', '/root', '/proc/sys/kernel'])(
    'writes nothing into %s',
    async (folder) => {
      const name = `profclaw-${randomUUID()}`;
      const tries = [`touch ${folder}/${name}`, `mkdir ${folder}/${name}`, `mount -o remount,rw,bind ${folder}`];
      expect(await linesOf(`(${tries.join('; ')}; ${tries[0]}) 2>/dev/null; cat /proc/self/mounts`)).not.toEqual([]);
      expect(await linesOf(`${tries.join(' || ')} || echo nothing`)).toContain('nothing');
      expect(existsSync(join(folder, name))).toBe(false);
    },
  );

  it('finds the server’s own folder in the workspace empty, also under another name of that', async () => {
    const workspace = testFolder();
    mkdirSync(join(workspace, 'own'));
    writeFileSync(join(workspace, 'own/secret.key'), 'secret');
    const link = join(testFolder(), 'link');
    symlinkSync(workspace, link);
    const hidden = [join(realpathSync(workspace), 'own')];
    for (const isReadOnly of [true, false]) {
      for (const place of [workspace, link]) {
        const more = { workspace: place, hidden, isReadOnly };
        expect(await linesOf('ls -A own; cat own/secret.key', more)).toEqual([expect.stringContaining('No such file')]);
      }
    }
    expect(await linesOf('cat own/secret.key', { workspace })).toEqual(['secret']);
  });

  it('reads nothing of others', async () => {
    const secret = randomUUID();
    const outside = testFolder();
    writeFileSync(join(outside, 'secret'), secret);
    const files = ['/etc/shadow', '/etc/gshadow', '/etc/ssh', '/etc/ssl/private', '/etc/sudoers', '/var/log'];
    for (const path of [
      ...files,
      outside,
      `${outside}/secret`,
      '/root',
      '/sys',
      '/run',
      '/mnt',
      '/opt',
      '/srv',
      '/boot',
    ])
      expect(await linesOf(`[ -e ${path} ] || echo absent`), path).toEqual(['absent']);
    expect(await linesOf('ls -A /home')).toEqual(['sandbox']);
    expect(await linesOf(`grep -rs ${secret} /tmp /home /dev/shm /etc`)).toEqual([]);
  });

  it('sees nothing of the environment of the server', async () => {
    const secret = randomUUID();
    process.env.PROFCLAW_TEST_SECRET = secret;
    onTestFinished(() => void delete process.env.PROFCLAW_TEST_SECRET);
    const lines = await linesOf("env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'");
    expect(lines.join('\n')).not.toContain(secret);
    expect(lines.join('\n')).not.toContain('PROFCLAW');
    const names = (await linesOf('env')).map((line) => line.split('=')[0] ?? '');
    // The shell adds its own.
    expect(names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)).sort()).toEqual([
      'HOME',
      'LANG',
      'PATH',
      'TERM',
    ]);
    expect(await linesOf('hostname')).toEqual(['sandbox']);
  });

  it('has no capabilities, cannot get any, and cannot turn switches of the kernel', async () => {
    expect(await linesOf("grep -h '^Cap' /proc/self/status | tr -d '\\t'")).toEqual(
      ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => `Cap${set}:0000000000000000`),
    );
    expect(await linesOf('grep NoNewPrivs /proc/self/status')).toEqual(['NoNewPrivs:\t1']);
    expect(await linesOf('find /proc/sys /proc/irq /proc/sysrq-trigger -type f -writable 2>/dev/null')).toEqual([]);
    const nested = 'unshare -Urpfm --mount-proc find /proc/sys -type f -writable 2>/dev/null';
    expect(await linesOf(nested)).toEqual([]);
    const flags = ['--ro-bind', '/', '/', '--proc', '/proc', '--unshare-user', '--disable-userns'];
    const isPossible = await succeeds('bwrap', [...flags, 'true']);
    // Not every bwrap and not every container can keep it from that.
    if (isPossible) expect(await linesOf('unshare -U echo nested 2>/dev/null || echo none')).toEqual(['none']);
  });

  it('sees no other processes, and cannot end them', async () => {
    const other = spawn('sleep', ['1000']);
    onTestFinished(() => void other.kill('SIGKILL'));
    const lines = await linesOf(`ls /proc | grep -c '^[0-9]'; kill -KILL ${other.pid} ${process.pid} || echo none`);
    expect(Number(lines[0])).toBeLessThan(8);
    expect(lines.at(-1)).toBe('none');
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  });

  it('has no network, not even that of this machine', async () => {
    const { port, path, heard } = await listenOn(testFolder());
    const connect = `exec 3<>/dev/tcp/127.0.0.1/${port} && echo connected`;
    // It would be heard.
    const { stdout } = await promisify(execFile)('bash', ['-c', connect]);
    expect(stdout).toBe('connected\n');
    await expect.poll(heard).toBe(1);
    expect(await linesOf(`bash -c '${connect}' 2>&1`)).toEqual(expect.not.arrayContaining(['connected']));
    expect(await linesOf('grep -c : /proc/net/dev; grep -o "^ *lo:" /proc/net/dev')).toEqual(['1', '    lo:']);
    expect(await linesOf(`[ -e ${path} ] || echo absent`)).toEqual(['absent']);
    expect(await linesOf('grep -c "@" /proc/net/unix || echo none')).toEqual(['0', 'none']);
    expect(heard()).toBe(1);
  });
});

describe.skipIf(sandbox === undefined)(`the end of a command in the sandbox${skipped}`, () => {
  /** Starts what is hard to get rid of, each with a word in its command line, and then says that it is ready. */
  const insistent = (word: string) =>
    [
      // Many, so that it takes a moment until the last of them is gone.
      `for each in $(seq 30); do sleep ${word} & done`,
      `setsid sleep ${word} </dev/null >/dev/null 2>&1 &`,
      `(setsid sh -c 'sleep ${word} & sleep ${word}' >/dev/null 2>&1 &)`,
      `sh -c 'trap "" TERM HUP INT; while :; do sleep 0.05; done' ${word} &`,
      `nohup sh -c 'trap "" TERM; nohup sleep ${word}' ${word} >/dev/null 2>&1 &`,
      // Ready once all of them are seen.
      `until [ "$(cat /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -cx ${word})" -ge 36 ]; do sleep 0.02; done`,
      'echo ready',
    ].join('\n');

  it('leaves nothing of what it put into the background', async () => {
    const word = newWord();
    expect(await run(insistent(word))).toEqual({ ...done, output: 'ready\n' });
    expect(countProcesses(word)).toBe(0);
  });

  it('takes all processes with it when it is aborted', async () => {
    const word = newWord();
    const controller = new AbortController();
    let seen = 0;
    const onOutput = () => {
      seen = countProcesses(word);
      controller.abort(new Error('enough'));
    };
    const command = `${insistent(word)}; trap '' TERM; while :; do sleep 1; done`;
    await expect(run(command, { signal: controller.signal, onOutput })).rejects.toThrow('enough');
    expect(seen).toBeGreaterThan(36);
    expect(countProcesses(word)).toBe(0);
  });

  it('takes all processes with it when its time is over, and keeps what they have written', async () => {
    const word = newWord();
    const command = `${insistent(word)}; sleep ${word}`;
    expect(await run(command, { timeoutMs: 4000 })).toEqual({
      output: 'ready\n',
      signal: 'SIGKILL',
      isTruncated: false,
      hasTimedOut: true,
    });
    expect(countProcesses(word)).toBe(0);
  });

  it('leaves nothing if it is aborted while it starts', async () => {
    const words = new Set<string>();
    for (let delay = 0; delay < 80; delay++) {
      const word = newWord();
      words.add(word);
      const controller = new AbortController();
      const running = run(`setsid sleep ${word} & sleep ${word}`, { signal: controller.signal });
      await sleep(delay / 4);
      controller.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
      expect(countProcesses(word)).toBe(0);
    }
    expect([...words].filter((word) => countProcesses(word) > 0)).toEqual([]);
  });

  it('does not begin if it was aborted before', async () => {
    const workspace = testFolder();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(run('touch begun', { workspace, signal })).rejects.toThrow('enough');
    expect(readdirSync(workspace)).toEqual([]);
  });

  it('comes with the death of the server', async () => {
    const word = newWord();
    const server = spawn(
      process.execPath,
      [join(import.meta.dirname, 'run-in-sandbox.ts'), `${insistent(word)}; sleep ${word}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    onTestFinished(() => void server.kill('SIGKILL'));
    await new Promise<void>((resolve) => server.stdout.once('data', () => resolve()));
    expect(countProcesses(word)).toBeGreaterThan(36);
    server.kill('SIGKILL');
    await expect.poll(() => countProcesses(word)).toBe(0);
  });
});

describe.skipIf(sandbox === undefined)(`the death of the server while a sandbox starts${skipped}`, () => {
  it('lets no command run on', async () => {
    const word = newWord();
    const isSleep = (line: string) => line.startsWith(`sleep\0${word}`);
    onTestFinished(() => endProcesses(word));
    for (let delay = 0; delay < 12; delay++) {
      const server = spawn(process.execPath, [DIE_IN_START, `sleep ${word}`, `${delay}`], { stdio: 'inherit' });
      await once(server, 'exit');
      expect(server.signalCode).toBe('SIGKILL');
    }
    // What has begun would go on; what was on the way to begin is given the time for it.
    await sleep(300);
    expect(commandLines(word).filter(isSleep)).toEqual([]);
  });
});

describe.skipIf(sandbox === undefined)(`what a sandbox refuses${skipped}`, () => {
  it.each(['/', '/etc', '/etc/ssl', '/proc', '/dev/shm', '/sys'])('%s as a workspace', async (workspace) => {
    await expect(run('true', { workspace })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(JSON.stringify(workspace)),
    });
  });

  it('a link to such a folder, and one that is not there', async () => {
    const folder = testFolder();
    symlinkSync('/', join(folder, 'link'));
    await expect(run('true', { workspace: join(folder, 'link') })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(run('true', { workspace: join(folder, 'none') })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(join(folder, 'none')),
    });
    writeFileSync(join(folder, 'file'), '');
    await expect(run('true', { workspace: join(folder, 'file') })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/^The sandbox cannot be set up: bwrap: /),
    });
  });

  it('the files that were left open to the server', async () => {
    const folder = testFolder();
    const secret = randomUUID();
    writeFileSync(join(folder, 'secret'), secret);
    const file = openSync(join(folder, 'secret'), 'r');
    const place = 40;
    const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
    for (let number = 3; number < place; number++) stdio[number] = 'ignore';
    stdio[place] = file;
    const server = spawn(process.execPath, [RUN_IN_SANDBOX, `cat /proc/[0-9]*/fd/${place} 2>/dev/null; echo read`], {
      stdio,
    });
    closeSync(file);
    expect(await text(server.stdout!)).toBe('read\n');
  });
});
