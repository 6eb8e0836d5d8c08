import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { AppError } from '../../errors.ts';
import { SANDBOX_PATH } from './arguments.ts';
import { type Cgroup, cgroupFolders, makeCgroup } from './cgroup.ts';
import type { CgroupFolders } from './cgroup-folders.ts';
import { EndOfCommand } from './end-of-command.ts';
import { inheritedFiles } from './inherited-files.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { withOpenFiles } from './open-files.ts';
import { readOutput } from './output.ts';
import { usageOf } from './process-tree.ts';
import { resourceLimits } from './resource-limits.ts';
import { DEFAULT_MAX_OUTPUT, DEFAULT_TIMEOUT_MS } from './run.ts';
import type { Sandbox, SandboxCommand, SandboxResult } from './sandbox.ts';
import { watch } from './watch.ts';

/** By which the processes of one command are found again, whatever has become of their parents. */
const MARK = 'COMMAND_ID';
const MAX_SWEEPS = 50;

/**
 * Runs commands as plain programs, with nothing between them and the system but the rights of this process: they see
 * its files and its network. What is left: a short environment, an empty home, bounds, and the end of all processes that
 * can be found, by their group, their cgroup, their parents, and a mark in their environment. What has left all four
 * goes on.
 */
export const unsandboxed: Sandbox = withoutSandbox(cgroupFolders);

/** The same. @param cgroups where cgroups can be made. */
export function withoutSandbox(cgroups: () => CgroupFolders | undefined): Sandbox {
  return {
    run: async (command) => {
      command.signal.throwIfAborted();
      const home = await mkdtemp(join(tmpdir(), 'profclaw-home-'));
      const cgroup = makeCgroup(cgroups(), { ...DEFAULT_LIMITS, ...command.limits });
      try {
        return await runPlain(command, home, cgroup);
      } finally {
        await cgroup?.remove();
        await rm(home, { recursive: true, force: true });
      }
    },
  };
}

async function runPlain(options: SandboxCommand, home: string, cgroup: Cgroup | undefined): Promise<SandboxResult> {
  const { workspace, signal } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const argv = typeof options.command === 'string' ? ['/bin/sh', '-c', options.command] : options.command;
  const mark = randomUUID();
  const script = `read -r line || exit; ${resourceLimits(limits, cgroup !== undefined)}; exec "$@" 2>&1 </dev/null`;
  const env = { PATH: SANDBOX_PATH, HOME: home, LANG: 'C.UTF-8', TERM: 'dumb', ...options.environment, [MARK]: mark };
  const child = withOpenFiles([], await inheritedFiles(), (stdio) =>
    spawn('/bin/sh', ['-c', script, 'sh', ...argv], { stdio, env, cwd: workspace, detached: true }),
  );
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  // Before anybody waits for it.
  exited.catch(() => undefined);
  const kill = (): void => {
    killGroup(child);
    cgroup?.kill();
  };
  const end = new EndOfCommand(kill, options.timeoutMs ?? DEFAULT_TIMEOUT_MS, signal);
  const [stdin, stdout] = child.stdio as unknown as [Writable, Readable];
  stdin.on('error', () => undefined);
  const { kept } = readOutput(
    stdout,
    options.maxOutput ?? DEFAULT_MAX_OUTPUT,
    limits.output,
    options.onOutput?.bind(options),
    () => end.exceed('output'),
  );
  const over = new AbortController();
  try {
    if (child.pid !== undefined) {
      await cgroup?.add(child.pid);
      stdin.end('\n');
      const watched = { root: child.pid, workspace, limits, cgroup };
      void watch(watched, over.signal).then((limit) => limit && end.exceed(limit), kill);
    }
    const [code, deadly] = await exited.catch((error: Error) => {
      throw new AppError('invalid_request', `The command cannot be started: ${error.message}`, { cause: error });
    });
    await endAll(kill, mark);
    await closed(stdout);
    signal.throwIfAborted();
    const exceeded = end.exceeded ?? (code === 0 ? undefined : cgroup?.exceeded());
    return {
      ...{ output: kept.toString(), isTruncated: kept.isTruncated, hasTimedOut: end.hasTimedOut },
      ...(exceeded && { exceeded }),
      ...howEnded(code, deadly, end),
    };
  } finally {
    over.abort();
    end.settle();
    await endAll(kill, mark);
  }
}

function howEnded(code: number | null, deadly: NodeJS.Signals | null, end: EndOfCommand): Partial<SandboxResult> {
  if (deadly === null) return { exitCode: code ?? 1 };
  const isFromHere = end.hasTimedOut || end.exceeded !== undefined;
  return isFromHere ? { signal: deadly } : { exitCode: 128 + constants.signals[deadly] };
}

function killGroup({ pid }: ChildProcess): void {
  tryKill(pid === undefined ? 0 : -pid);
}

/** Ends group, descendants and whatever has the mark, until none is found. */
async function endAll(kill: () => void, mark: string): Promise<void> {
  for (let sweeps = 0; sweeps < MAX_SWEEPS; sweeps++) {
    kill();
    const marked = markedWith(mark);
    if (marked.length === 0) return;
    for (const pid of marked) for (const each of (await usageOf(pid, 1000)).pids) tryKill(each);
  }
}

function markedWith(mark: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`);
    } catch {
      return false;
    }
  });
}

function tryKill(pid: number): void {
  try {
    if (pid !== 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Somebody who got away may keep it open. */
async function closed(stream: Readable): Promise<void> {
  if (stream.closed) return;
  const timer = setTimeout(() => stream.destroy(), 500);
  await once(stream, 'close').catch(() => undefined);
  clearTimeout(timer);
}
