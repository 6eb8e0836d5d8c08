import type { Grant } from '../tool.ts';
import type { ExceededLimit, Limits } from './limits.ts';

/** A command and its bounds. */
export interface SandboxCommand {
  /** A line for `/bin/sh -c`, or a program and its arguments; up to 128 KiB. */
  command: string | readonly string[];
  /** Where it runs: a folder, absolute. All that it can write, besides a scratch space that nobody else sees. */
  workspace: string;
  /** Folders that it finds empty, absolute and without links. Those outside of the workspace it does not see anyway. */
  hidden?: readonly string[];
  /** May it only read the workspace? */
  isReadOnly: boolean;
  /** Which secrets it may see, and what rules keep from it; absent: all of the workspace. */
  grant?: Pick<Grant, 'opensSecret' | 'hidesPath'>;
  /** Which hosts it may reach; absent: it has no network. */
  hostRule?: Grant['hostRule'] | undefined;
  timeoutMs?: number;
  limits?: Partial<Limits>;
  /** How many characters of its output are kept. */
  maxOutput?: number;
  environment?: Readonly<Record<string, string>>;
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
  /** The limit that it was killed for. */
  exceeded?: ExceededLimit;
  /** What the network refused, a sentence each, up to ten. */
  refusals?: readonly string[];
}

/** Runs commands apart from everything else. */
export interface Sandbox {
  /**
   * Runs a command until it ends, its time is over, it goes beyond a limit, or it is aborted. After that nothing of what
   * it started is left, not even what it put into the background.
   * @throws why the signal was aborted; AppError `invalid_request` for a workspace that will not do, and `internal` if
   *   the sandbox cannot be set up.
   */
  run(command: SandboxCommand): Promise<SandboxResult>;
}
