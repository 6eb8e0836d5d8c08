import { realpath } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import { BoundedText } from './bounded-text.ts';
import { type Bubblewrap, startSandbox } from './bubblewrap.ts';
import { inheritedFiles } from './inherited-files.ts';
import { sandboxArguments } from './sandbox-arguments.ts';

/** A command line and its bounds. */
export interface SandboxCommand {
  /** For `/bin/sh -c`; up to 128 KiB. */
  command: string;
  /** Where it runs: a folder, absolute. All that it can write, besides a scratch space that nobody else sees. */
  workspace: string;
  /** Folders that it finds empty, absolute and without links. Those outside of the workspace it does not see anyway. */
  hidden?: readonly string[];
  /** May it only read the workspace? */
  isReadOnly: boolean;
  timeoutMs?: number;
  /** How many characters of its output are kept. */
  maxOutput?: number;
  signal: AbortSignal;
  /** Gets the whole output, piece by piece. */
  onOutput?(piece: string): void;
}

/** What a command came to. */
export interface SandboxResult {
  /** Of a command that was killed from within, 128 and the signal's number; absent if the sandbox was killed. */
  exitCode?: number;
  signal?: NodeJS.Signals;
  /** Standard output and standard error as they came. */
  output: string;
  /** Was something in the middle of the output left out? */
  isTruncated: boolean;
  /** Was it killed because its time was over? */
  hasTimedOut: boolean;
}

/** Runs commands apart from everything else. */
export interface Sandbox {
  /**
   * Runs a command until it ends, its time is over, or it is aborted. After that nothing of what it started is left, not
   * even what it put into the background.
   * @throws why the signal was aborted; AppError `invalid_request` for a workspace that will not do, and `internal` if
   *   the sandbox cannot be set up.
   */
  run(command: SandboxCommand): Promise<SandboxResult>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_MAX_OUTPUT = 100_000;
const PROBE_TIMEOUT_MS = 10_000;

/** Keeps commands from making sandboxes of their own. Not every `bwrap` and not every container can. */
const NO_NESTING = ['--unshare-user', '--disable-userns'];

/** Folders that would take the sandbox's own place. */
const NO_WORKSPACE = /^\/(?:(?:dev|etc|proc|sys)(?:\/.*)?)?$/;

let found: Promise<Sandbox | undefined> | undefined;

/** The sandbox of this host, or undefined if `bwrap` is not there or does not work. It is tried once. */
export function findSandbox(): Promise<Sandbox | undefined> {
  found ??= probeSandbox('bwrap');
  return found;
}

/** Tries a `bwrap`, which is a name or a path. */
export async function probeSandbox(program: string): Promise<Sandbox | undefined> {
  const hidden = await inheritedFiles();
  for (const flags of [NO_NESTING, []]) {
    const sandbox: Sandbox = { run: (command) => runIn({ program, flags, hidden }, command) };
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const probe = sandbox.run({ command: 'exit 42', workspace: '/usr', isReadOnly: true, signal });
    const result = await probe.catch(() => undefined);
    if (result?.exitCode === 42) return sandbox;
  }
  return undefined;
}

async function runIn(bwrap: Bubblewrap, options: SandboxCommand): Promise<SandboxResult> {
  const { command, workspace, hidden = [], isReadOnly, signal, onOutput } = options;
  const real = await checkWorkspace(workspace);
  const inside = hidden
    .filter((folder) => folder.startsWith(`${real}/`))
    .map((folder) => workspace + folder.slice(real.length));
  signal.throwIfAborted();
  const kept = new BoundedText(options.maxOutput ?? DEFAULT_MAX_OUTPUT);
  const complaints = new BoundedText(2000);
  const { output, complaint, ended, kill } = startSandbox(
    bwrap,
    command,
    sandboxArguments({ workspace, isReadOnly, hidden: inside }),
  );
  output.setEncoding('utf8').on('data', (piece: string) => {
    kept.add(piece);
    onOutput?.(piece);
  });
  complaint.setEncoding('utf8').on('data', (piece: string) => complaints.add(piece));
  let isTimeOver = false;
  const timer = setTimeout(() => {
    isTimeOver = true;
    kill();
  }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  signal.addEventListener('abort', kill, { once: true });
  try {
    const { exitCode, signal: deadly } = await ended;
    signal.throwIfAborted();
    const result = { output: kept.toString(), isTruncated: kept.isTruncated };
    if (exitCode !== undefined) return { ...result, exitCode, hasTimedOut: false };
    if (deadly !== null) return { ...result, signal: deadly, hasTimedOut: isTimeOver };
    throw new AppError('internal', `The sandbox cannot be set up: ${complaints.toString().trim()}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
  }
}

/** @returns the workspace without links. @throws AppError `invalid_request` */
async function checkWorkspace(workspace: string): Promise<string> {
  const real = await realpath(workspace).catch((error: Error) => {
    throw new AppError('invalid_request', `The workspace cannot be used: ${error.message}`, { cause: error });
  });
  if (NO_WORKSPACE.test(real))
    throw new AppError(
      'invalid_request',
      `Commands cannot be isolated with ${JSON.stringify(workspace)} as their workspace; choose a folder of its own`,
    );
  return real;
}
