import type { Writable } from 'node:stream';
import { ConfigError } from '../config.ts';
import { readableText } from '../core/readable-text.ts';
import type { Terminal } from './terminal.ts';

/** What commands that talk to a server end with; docs/cli.md. */
export const EXIT = { done: 0, failed: 1, wrongUse: 2, needsApproval: 3, interrupted: 130 } as const;

/** Why a command ends early, in words for a person; the words may be somebody else's. */
export class CommandError extends Error {
  /** What the program ends with. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What the program ends with after an error that nobody has caught. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof ConfigError ? EXIT.wrongUse : EXIT.failed;
}

/** An error that ends the program as wrong use does. */
export function wrongUse(message: string): CommandError {
  return new CommandError(message, EXIT.wrongUse);
}

/**
 * Does what a command is for, and ends the program when all that it has said is out.
 * @param work what it ends with.
 */
export async function endWith(terminal: Terminal, work: () => Promise<number>): Promise<void> {
  // Whoever reads has gone: `profclaw chat … | head -1`.
  terminal.output.on('error', () => terminal.exit(EXIT.done));
  let code: number;
  try {
    code = await work();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    terminal.error.write(`profclaw: ${readableText(error.message)}\n`);
    code = error.exitCode;
  }
  await Promise.all([written(terminal.output), written(terminal.error)]);
  terminal.exit(code);
}

function written(stream: Writable): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
