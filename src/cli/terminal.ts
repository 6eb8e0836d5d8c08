import type { Readable, Writable } from 'node:stream';
import type { Config } from '../config.ts';

/** What a command has of the world: it reads and writes only through this. */
export interface Terminal {
  /** The settings, read when they are asked for; secrets in them are hidden from then on. @throws ConfigError */
  config(): Config;
  input: Readable & { isTTY?: boolean };
  /** What was asked for. */
  output: Writable & { isTTY?: boolean; columns?: number };
  /** All that is said besides: questions, progress, warnings. */
  error: Writable & { isTTY?: boolean; columns?: number };
  /** What the program ends with, when it ends, if nothing is thrown. */
  exitCode(code: number): void;
  /** Ends the program now. */
  exit(code: number): never;
  /** Says what went wrong, and ends the program now. */
  fail(error: unknown): never;
}

/** Writes a line of what was asked for. */
export function writeLine({ output }: Pick<Terminal, 'output'>, line: string): void {
  output.write(`${line}\n`);
}
