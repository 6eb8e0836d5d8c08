import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { asNumber, asObject, tryParseJson } from '../../core/json.ts';
import { SANDBOX_PATH, SETTING_FILES, type Surroundings, sandboxArguments } from './arguments.ts';
import type { CgroupFolders } from './cgroup-folders.ts';
import { withOpenFiles } from './open-files.ts';

/** How `bwrap` is called on this host. */
export interface Bubblewrap {
  /** A name or a path. */
  program: string;
  flags: readonly string[];
  /** Numbers of open files that it must not get. */
  hidden: readonly number[];
  /** Can it bound the size of a tmpfs? Since 0.7. */
  hasSizes: boolean;
  /** Where cgroups can be made; undefined: nowhere. */
  cgroups: CgroupFolders | undefined;
}

/** What is run in a sandbox. */
export interface Launch {
  /** A program and its arguments. */
  argv: readonly string[];
  /** A line for /bin/sh that sets bounds. */
  resourceLimits: string;
  surroundings: Surroundings;
}

/** A sandbox that was started. */
export interface Started {
  /** The process that all others in it descend from, once it waits for `release`; undefined if it could not be set up. */
  ready: Promise<number | undefined>;
  /** Lets the command begin. */
  release(): void;
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
/** Others follow. */
const FIRST_MORE = 4;
const MAX_STATUS_BYTES = 4096;
/** How long the kernel may take to clear away a sandbox that was killed. */
const MAX_SWEEP_MS = 5000;

/**
 * Says that it is there, and waits for a line: without it, the command would go on for ever if this process died while
 * `bwrap` starts, which only later asks to die with it; and it must not begin before it is bounded. Both outputs in one
 * pipe keep their order.
 */
function launcher(resourceLimits: string): string {
  return `echo >&2; read -r line || exit; ${resourceLimits}; exec "$@" 2>&1 </dev/null`;
}

/** Starts a command in a sandbox. @throws what `spawn` does of a command that is too long. */
export function startSandbox(bwrap: Bubblewrap, { argv, resourceLimits, surroundings }: Launch): Started {
  const { path: empty, remove } = makeEmptyFile(surroundings.masks.some(({ kind }) => kind === 'file'));
  const status = openNameless();
  const more: number[] = [];
  try {
    const settings = new Map<string, number>();
    const copies: number[] = [];
    const open = (file: number): number => FIRST_MORE + more.push(file) - 1;
    for (const [path, file] of openSettings()) settings.set(path, open(file));
    for (const mask of surroundings.masks) if (mask.kind === 'copy') copies.push(open(openNameless(mask.text)));
    const args = [
      ...[...bwrap.flags, '--json-status-fd', String(STATUS_FILE)],
      ...sandboxArguments(surroundings, { settings, copies, empty }),
      ...['--', '/bin/sh', '-c', launcher(resourceLimits), 'sh', ...argv],
    ];
    // The environment is seen inside, at /proc/1/environ; a process group of its own can be killed as one.
    const rest = { env: { PATH: SANDBOX_PATH }, cwd: '/', detached: true };
    const child = withOpenFiles([status, ...more], bwrap.hidden, (stdio) =>
      spawn(bwrap.program, args, { ...rest, stdio }),
    );
    const [stdin, output, complaint] = child.stdio as unknown as [Writable, Readable, Readable];
    // It may have ended already.
    stdin.on('error', () => undefined);
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL');
    };
    return {
      // Once it is seen inside, it needs no name any more.
      ready: untilReady(child, complaint, status).finally(remove),
      release: () => void stdin.end('\n'),
      ...{ output, complaint, ended: untilGone(child, status), kill },
    };
  } catch (error) {
    closeSync(status);
    remove();
    throw error;
  } finally {
    for (const file of more) closeSync(file);
  }
}

/**
 * A new file that has no name. What `bwrap` says of its state goes into one: into a pipe it could not write once this
 * process is dead, and would leave a process behind that waits for it for ever.
 */
function openNameless(text?: string): number {
  const path = join(tmpdir(), `profclaw-${randomUUID()}`);
  const file = openSync(path, 'wx+', 0o600);
  try {
    if (text === undefined) return file;
    writeSync(file, text);
    // From here it is read from the beginning.
    const again = openSync(path, 'r');
    closeSync(file);
    return again;
  } finally {
    unlinkSync(path);
  }
}

/** The file that is put over others; it has a name until the sandbox has it. */
function makeEmptyFile(isNeeded: boolean): { path: string; remove(): void } {
  const path = join(tmpdir(), `profclaw-${randomUUID()}`);
  if (!isNeeded) return { path, remove: () => undefined };
  closeSync(openSync(path, 'wx', 0o444));
  return { path, remove: () => unlinkSync(path) };
}

/** Those that are there, and may be read. */
function openSettings(): [string, number][] {
  return SETTING_FILES.flatMap((path) => {
    try {
      return [[path, openSync(path, 'r')] as [string, number]];
    } catch {
      return [];
    }
  });
}

async function untilReady(child: ChildProcess, complaint: Readable, status: number): Promise<number | undefined> {
  const isReady = await new Promise<boolean>((resolve) => {
    complaint.once('data', () => resolve(true));
    child.once('exit', () => resolve(false)).once('error', () => resolve(false));
  });
  return isReady ? readStatus(status).pid : undefined;
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
