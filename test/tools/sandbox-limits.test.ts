import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findCgroupFolders } from '../../src/tools/sandbox/cgroup-folders.ts';
import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import type { Limits } from '../../src/tools/sandbox/limits.ts';
import { isBoundable, runBounded } from './bounded-process.ts';
import { countProcesses, testFolder } from './rig.ts';
import type { BoundedRun } from './run-bounded.ts';

type Place = BoundedRun['where'];

const hasSandbox = (await findSandbox()) !== undefined;
const hasPerl = existsSync('/usr/bin/perl');
const cgroups = findCgroupFolders();
const CGROUP_MODULE = new URL('../../src/tools/sandbox/cgroup.ts', import.meta.url).href;
const MIB = 1024 ** 2;

/** Small, so that what is tested is soon over. */
const LIMITS: Partial<Limits> = {
  memory: 200 * MIB,
  tasks: 100,
  fileSize: 20 * MIB,
  output: 8 * MIB,
  scratch: 20 * MIB,
};

const PLACES: Place[] = ['sandbox', 'sandbox without cgroups', 'no sandbox'];

const isPossible = (where: Place) =>
  isBoundable && (where === 'no sandbox' || hasSandbox) && (where !== 'sandbox' || cgroups !== undefined);

/** Runs them one after another in the same workspace. */
async function run(where: Place, lines: readonly string[], limits: Partial<Limits> = {}, workspace = testFolder()) {
  const rest = { workspace, isReadOnly: false, timeoutMs: 25_000, limits: { ...LIMITS, ...limits } };
  return await runBounded({ where, commands: lines.map((command) => ({ command, ...rest })) });
}

/** Each has a word by which its processes are found. */
const bombs = (word: string) => [
  `bash -c ':(){ :|:& };:; while :; do :; done' ${word}`,
  `for i in $(seq 300); do sh -c 'sleep 1000; :' ${word} & done; wait`,
  ...(hasPerl
    ? [`perl -e 'fork while 1' ${word}`, `perl -MPOSIX -e 'while (1) { fork; POSIX::setsid() }' ${word}`]
    : []),
];

describe.each(PLACES)('the limits of a command in: %s', (where) => {
  it.skipIf(!isPossible(where))('end fork bombs', async () => {
    const word = `w${randomUUID().slice(0, 8)}`;
    const lines = bombs(word);
    const results = await run(where, lines);
    // Or the bound around the server came first, and it gave up.
    const isOver = results.map(({ exceeded, exitCode = 0 }) => exceeded === 'tasks' || exitCode > 0);
    expect(isOver).toEqual(lines.map(() => true));
    expect(results.some(({ exceeded }) => exceeded === 'tasks')).toBe(true);
    expect(results.map(({ hasTimedOut }) => hasTimedOut)).toEqual(lines.map(() => false));
    expect(countProcesses(word)).toBe(0);
  });

  it.skipIf(!isPossible(where) || !hasPerl)('end what takes too much memory, also together', async () => {
    const one = `perl -e '$x = "a" x (300 * 1024 ** 2); sleep 1000'`;
    const several = `for i in 1 2 3 4 5; do perl -e '$x = "a" x (30 * 1024 ** 2); sleep 1000' & done; wait`;
    // What they share is that of one.
    const shared = `perl -e '$x = "a" x (60 * 1024 ** 2); for (1..6) { fork or do { sleep 1; exit } } 1 while wait > 0'`;
    const results = await run(where, [one, several, shared]);
    expect(results.map(({ exceeded, exitCode }) => [exceeded, exitCode === 0])).toEqual([
      ['memory', false],
      ['memory', false],
      [undefined, true],
    ]);
  });

  it.skipIf(!isPossible(where))('end an output without end, and keep little of it', async () => {
    const results = await run(where, ['yes', 'cat /dev/zero', 'cat /dev/zero >&2']);
    expect(results.map(({ exceeded }) => exceeded)).toEqual(['output', 'output', 'output']);
    for (const { memory } of results) expect(memory).toBeLessThan(400 * MIB);
  });

  it.skipIf(!isPossible(where))('bound files, and what is open', async () => {
    const workspace = testFolder();
    const results = await run(where, ['exec cat /dev/zero > big', 'ulimit -n; ulimit -c'], {}, workspace);
    expect(results[0]).toMatchObject({ exitCode: 128 + 25 });
    expect(statSync(join(workspace, 'big')).size).toBe(20 * MIB);
    expect(results[1]?.output).toBe('4096\n0\n');
  });
});

describe('the watch', () => {
  const where = 'sandbox without cgroups';

  it.skipIf(!isPossible(where))('ends what uses processors for too long, also by many that end', async () => {
    const short = 'x() { i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; }';
    const [result] = await run(where, [`${short}; while :; do (x) & (x); wait; done`], { cpuSeconds: 1 });
    expect(result).toMatchObject({ exceeded: 'cpuSeconds' });
  });

  it.skipIf(!isPossible(where))(
    'ends what fills the disk of the workspace with files that are not too large',
    async (test) => {
      const workspace = testFolder();
      const { status } = spawnSync('sh', ['-c', `mount -t tmpfs -o size=64m test ${workspace}`], { stdio: 'ignore' });
      if (status !== 0) return test.skip('a disk for the test needs root');
      onTestFinished(() => void spawnSync('sh', ['-c', `umount -l ${workspace}`]));
      const fill = 'for i in 1 2 3; do head -c 15000000 /dev/zero > $i; sleep 0.2; done; sleep 1000';
      const [result] = await run(where, [fill], { memory: 1024 * MIB }, workspace);
      expect(result).toMatchObject({ exceeded: 'freeDisk' });
    },
  );
});

describe.skipIf(!isPossible('sandbox without cgroups'))('scratch space', () => {
  it('is bounded, and nowhere else', async () => {
    const fill = 'for i in 1 2 3 4 5; do cat /dev/zero > $folder/$i; done 2>/dev/null; du -sm $folder | cut -f1';
    const folders = ['/tmp', '$HOME', '/dev/shm'];
    const lines = folders.map((folder) => `folder=${folder}; ${fill}`);
    const others = 'find / -xdev -type d -writable 2>/dev/null; touch /dev/x && echo written';
    const results = await run('sandbox without cgroups', [...lines, others], { memory: 1024 * MIB });
    const sizes = results.slice(0, 3).map(({ output }) => Number(output.trim().split('\n').at(-1)));
    // The folder itself may count.
    expect(sizes.map((size) => size - (size % 2))).toEqual([20, 20, 64]);
    expect(results[3]?.output).not.toContain('written');
  });
});

describe.skipIf(cgroups === undefined)('cgroups', () => {
  it('that a dead server left are taken away by the next, and those of others are not', () => {
    const folder = cgroups?.pids ?? '';
    const [before, dead, other] = [
      `profclaw-${process.pid}-1-1`,
      'profclaw-4000000-12345-1',
      `profclaw-x${process.pid}`,
    ];
    for (const name of [before, dead, other]) mkdirSync(join(folder, name));
    onTestFinished(() => {
      for (const name of [before, dead, other].filter((one) => existsSync(join(folder, one))))
        rmdirSync(join(folder, name));
    });
    const script = `(await import(${JSON.stringify(CGROUP_MODULE)})).cgroupFolders()`;
    spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    const left = readdirSync(folder);
    expect([before, dead, other].map((name) => left.includes(name))).toEqual([false, false, true]);
  });

  it('are gone when the command has ended', async () => {
    const named = () => [cgroups?.pids, cgroups?.memory].flatMap((at) => (at === undefined ? [] : readdirSync(at)));
    const sandbox = await findSandbox();
    const command = { workspace: testFolder(), isReadOnly: false, signal: new AbortController().signal };
    let during: string[] = [];
    const onOutput = () => {
      during = named().filter((name) => name.startsWith(`profclaw-${process.pid}-`));
    };
    await sandbox?.run({ command: 'echo here', ...command, onOutput });
    expect(during).toHaveLength(hasSandbox ? (cgroups?.version === 1 ? 2 : 1) : 0);
    expect(named().filter((name) => name.startsWith(`profclaw-${process.pid}-`))).toEqual([]);
  });
});
