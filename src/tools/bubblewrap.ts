import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { asNumber, asObject, tryParseJson } from '../core/json.ts';
import { SANDBOX_PATH } from './sandbox-arguments.ts';

/** How `bwrap` is called on this host. */
export interface Bubblewrap {
  /** A name or a path. */
  program: string;
  flags: readonly string[];
  /** Numbers of open files that it must not get. */
  hidden: readonly number[];
}

/** A sandbox that was started. */
export interface Started {
  /** Standard output and standard error of the command. */
  output: Readable;
  /** What `bwrap` has to complain of. */
  complaint: Readable;
  /** When nothing of it is left. Rejects if `bwrap` cannot be started. */
  ended: Promise<Ended>;
  /** Ends it at once, with all that runs in it. */
  kill(): void;
}

interface Ended {
  /** What the command returned; absent if it was not started or did not end by itself. */
  exitCode: number | undefined;
  /** What ended `bwrap` itself. */
  signal: NodeJS.Signals | null;
}

const STATUS_FILE = 3;
const MAX_STATUS_BYTES = 4096;
/** How long the kernel may take to clear away a sandbox that was killed. */
const MAX_SWEEP_MS = 1000;

/**
 * Says that it is there, and waits for a line: without it, the command would go on for ever if this process died while
 * `bwrap` starts, which only later asks to die with it. Both outputs in one pipe keep their order; a core dump would be
 * written into the workspace.
 */
const LAUNCH = 'echo >&2; read -r line || exit; ulimit -c 0; exec /bin/sh -c "$1" 2>&1 </dev/null';

/** Starts a command line in a sandbox. @throws what `spawn` does of a command that is too long. */
export function startSandbox(bwrap: Bubblewrap, command: string, surroundings: readonly string[]): Started {
  const args = [
    ...[...bwrap.flags, '--json-status-fd', String(STATUS_FILE), ...surroundings],
    ...['--', '/bin/sh', '-c', LAUNCH, 'sh', command],
  ];
  const nothing = openSync('/dev/null', 'r');
  const status = openStatus();
  try {
    const stdio = openFiles(bwrap.hidden, status, nothing);
    // The environment is seen inside, at /proc/1/environ; a process group of its own can be killed as one.
    const child = spawn(bwrap.program, args, { stdio, env: { PATH: SANDBOX_PATH }, cwd: '/', detached: true });
    const [stdin, output, complaint] = child.stdio as unknown as [Writable, Readable, Readable];
    complaint.once('data', () => stdin.end('\n'));
    // It may have ended already.
    stdin.on('error', () => undefined);
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL');
    };
    return { output, complaint, ended: untilGone(child, status), kill };
  } catch (error) {
    closeSync(status);
    throw error;
  } finally {
    closeSync(nothing);
  }
}

/**
 * A new file that has no name, for what `bwrap` says of its state. Into a pipe it could not write once this process is
 * dead, and would leave a process behind that waits for it for ever.
 */
function openStatus(): number {
  const path = join(tmpdir(), `profclaw-${randomUUID()}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

/** Which files it gets: none of those that this process was given, so that it cannot reach through them. */
function openFiles(hidden: readonly number[], status: number, nothing: number): StdioOptions {
  const files: StdioOptions = ['pipe', 'pipe', 'pipe'];
  files[STATUS_FILE] = status;
  for (let number = files.length; number <= Math.max(...hidden); number++)
    files[number] = hidden.includes(number) ? nothing : 'ignore';
  return files;
}

async function untilGone(child: ChildProcess, status: number): Promise<Ended> {
  try {
    const closed = once(child, 'close');
    // Who waits for the exit sees why nothing was started; nobody waits for this then.
    closed.catch(() => undefined);
    const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const { pid, exitCode } = readStatus(status);
    if (pid !== undefined) await sweep(pid);
    await closed;
    return { exitCode, signal };
  } finally {
    closeSync(status);
  }
}

/** What `bwrap` says of its state: a line at the beginning, and one at the end. */
function readStatus(file: number): { pid: number | undefined; exitCode: number | undefined } {
  const buffer = Buffer.alloc(MAX_STATUS_BYTES);
  // From the beginning: where `bwrap` has written to is where this process would read on.
  const length = readSync(file, buffer, 0, buffer.length, 0);
  const [first, last] = buffer
    .toString('utf8', 0, length)
    .split('\n')
    .map((line) => asObject(tryParseJson(line)));
  return { pid: asNumber(first?.['child-pid']), exitCode: asNumber(last?.['exit-code']) };
}

/**
 * Sees a sandbox out: with its first process the kernel takes all others. That one dies with `bwrap`, but for a moment of
 * its start in which it has left the process group and has not yet asked to.
 */
async function sweep(pid: number): Promise<void> {
  for (let waited = 0; waited < MAX_SWEEP_MS && (await isThere(pid)); waited += 5) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      return;
    }
    await sleep(5);
  }
}

/** Does that process still run, and is it one of `bwrap`? */
async function isThere(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /^\d+ \(bwrap\) [^ZX]/.test(stat);
}
