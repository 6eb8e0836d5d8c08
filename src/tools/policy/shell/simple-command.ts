/** A word of a command, without its quotes. */
export interface Word {
  /** What is certain of it: all, if `isDynamic` is false, else what it begins with. */
  text: string;
  /** Is a part of it known only when the line runs: a variable, a substitution, a glob, the input of xargs? */
  isDynamic: boolean;
  /**
   * What a dynamic word turns into: `one` word; any number of words that all begin with `text` (`several`: `src/*.ts`);
   * or any number of which only the first does (`anything`: a variable without quotes).
   */
  becomes?: 'one' | 'several' | 'anything';
}

/** One program that a command line starts, with wrappers (`timeout`, `xargs`) taken off. */
export interface SimpleCommand {
  /** The program's name and its arguments; none if it only sets variables or opens files. */
  words: readonly Word[];
  /** `NAME=value` in its environment, or the shell's, other than what only changes language, time zone or colours. */
  assignments?: readonly Word[];
  /** Does the shell open a file for it to write to, or a connection? */
  opensFile?: boolean;
  /** The wrappers and shells that were taken off, as they stood there; the outermost first. */
  startedBy?: readonly SimpleCommand[];
}

/** What a line for /bin/sh starts. */
export interface CommandLine {
  /** All of them, also those in substitutions and behind wrappers, if there is no problem; else those that were found. */
  commands: readonly SimpleCommand[];
  /** Why it cannot be told what the line does: a part of a sentence. */
  problem?: string;
}

/** A word that is what it says. */
export function literal(text: string): Word {
  return { text, isDynamic: false };
}

/** What a program is called without the folder that it is in. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
