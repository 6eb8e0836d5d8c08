import type { CommandLine, SimpleCommand } from './simple-command.ts';
import { strangeCharacter } from './space.ts';
import { Starts } from './starts.ts';
import { readSyntax } from './syntax.ts';

export type { CommandLine, SimpleCommand, Word } from './simple-command.ts';

/** What `exec` takes at most, in UTF-16 code units. */
const MAX_LENGTH = 40_000;

/**
 * Reads a line for /bin/sh, which may be dash or bash: what they do not read alike, and what is not understood for
 * certain, is a problem. Pure, and linear in the line's length.
 */
export function readCommandLine(line: string): CommandLine {
  const starts = new Starts(read);
  const problem = read(line, (command) => starts.add(command)) ?? starts.problem;
  return problem === undefined ? { commands: starts.commands } : { commands: starts.commands, problem };
}

/** Gives every simple command of the line as it stands there. @returns why it cannot be read for certain. */
function read(line: string, add: (command: SimpleCommand) => void): string | undefined {
  if (line.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  const strange = strangeCharacter(line);
  if (strange !== undefined) return strange;
  const { commands, problem } = readSyntax(line);
  for (const command of commands) add(command);
  return problem;
}
