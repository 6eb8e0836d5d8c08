import { isRunByShells } from './assignment.ts';
import { checkBuiltin } from './builtins.ts';
import { findStarts } from './find-starts.ts';
import { OPAQUE, SHELLS } from './opaque.ts';
import { baseName, type SimpleCommand, type Word } from './simple-command.ts';
import { Unclear } from './unclear.ts';
import { type Inner, unwrap } from './wrappers.ts';
import { xargsStarts } from './xargs-starts.ts';

/** More wrappers, or shells in shells, than anybody writes. */
const MAX_DEPTH = 12;
const MAX_COMMANDS = 1000;

/** Reads a line, giving its simple commands; the result says why it cannot be read. */
type ReadLine = (line: string, add: (command: SimpleCommand) => void) => string | undefined;

/** Collects what commands really start, with wrappers taken off. */
export class Starts {
  readonly commands: SimpleCommand[] = [];
  /** Why it cannot be told of one of them what it starts. */
  problem: string | undefined;
  readonly #read: ReadLine;
  #depth = 0;

  constructor(read: ReadLine) {
    this.#read = read;
  }

  /** Adds a command as it stands in a line. */
  add(command: SimpleCommand): void {
    this.#depth += 1;
    try {
      if (this.#depth > MAX_DEPTH) throw new Unclear('too many wrappers are in each other');
      this.#take(command);
    } catch (error) {
      if (!(error instanceof Unclear)) throw error;
      this.problem ??= error.message;
      // For rules that deny.
      this.#keep(command);
    }
    this.#depth -= 1;
  }

  #keep(command: SimpleCommand): void {
    if (this.commands.length >= MAX_COMMANDS) this.problem ??= 'it has too many commands';
    else this.commands.push(command);
  }

  #take(command: SimpleCommand): void {
    if (command.assignments?.some(isRunByShells))
      throw new Unclear('it sets a variable that makes shells run what it says');
    const [first] = command.words;
    if (first === undefined) {
      this.#keep(command);
      return;
    }
    if (first.isDynamic) throw new Unclear('the name of a program is known only when it runs');
    const name = commonName(baseName(first.text));
    const reason = OPAQUE.get(name);
    if (reason !== undefined) throw new Unclear(`${name} ${reason}`);
    checkBuiltin(name, command.words);
    const inner = innerOf(name, command.words);
    const stays = inner === undefined || inner.stays || !isBare(first.text);
    if (stays) this.#keep(command);
    for (const one of inner?.commands ?? []) this.add(within(command, one, stays));
    if (inner?.line === undefined) return;
    const problem = this.#read(inner.line, (one) => this.add(within(command, one, stays)));
    this.problem ??= problem;
  }
}

/** What is started has what its starter was given. @param stays is that a command of its own? */
function within(outer: SimpleCommand, inner: SimpleCommand, stays: boolean): SimpleCommand {
  const assignments = [...(outer.assignments ?? []), ...(inner.assignments ?? [])];
  const opensFile = outer.opensFile === true || inner.opensFile === true;
  const { startedBy: _, ...starter } = outer;
  const startedBy = stays ? outer.startedBy : [...(outer.startedBy ?? []), starter];
  return {
    words: inner.words,
    ...(assignments.length > 0 && { assignments }),
    ...(opensFile && { opensFile }),
    ...(startedBy && { startedBy }),
  };
}

/** `gtimeout`, `bash-5.2` and `bash-static` are what they are called after. */
function commonName(name: string): string {
  return name
    .replace(/^g(?=(?:find|xargs|env|nice|nohup|timeout|stdbuf|time|chroot)$)/, '')
    .replace(/(?<=sh|busybox)[.-]?(?:static|[\d.]+)$/, '');
}

/** A name with a folder may be another program than the one that is known by the name. */
function isBare(name: string): boolean {
  return !name.includes('/');
}

/** What a program starts that is known to start others; undefined: it is not. */
function innerOf(name: string, words: readonly Word[]): Inner | undefined {
  switch (name) {
    case 'find':
    case 'bfs':
      return { commands: findStarts(words), stays: true };
    case 'xargs':
      return { commands: xargsStarts(words), stays: true };
    case 'eval':
      return { commands: [], stays: false, line: evalLine(words) };
    default:
      return SHELLS.has(name) ? shellLine(name, words) : unwrap(name, words);
  }
}

function evalLine(words: readonly Word[]): string {
  const given = words.slice(1);
  if (given.some((word) => word.isDynamic))
    throw new Unclear('eval is given something that is known only when it runs');
  if (given[0]?.text.startsWith('-')) throw new Unclear('eval is given an option');
  return given.map(({ text }) => text).join(' ');
}

/** `sh -c 'line' name argument …`, or a script. */
function shellLine(name: string, words: readonly Word[]): Inner {
  let at = 1;
  let hasLine = false;
  for (; ; at += 1) {
    const word = words[at];
    if (word === undefined) {
      if (isVersion(words)) return { commands: [], stays: true };
      throw new Unclear(`${name} runs what it is given to read`);
    }
    if (word.isDynamic) throw new Unclear(`what ${name} runs is known only when it runs`);
    if (hasLine && !word.text.startsWith('-')) return { commands: [], stays: false, line: word.text };
    if (!/^[-+]/.test(word.text)) return { commands: [], stays: true };
    if (isVersion(words)) return { commands: [], stays: true };
    // Others read more files, wait for a person, or change how a line is read.
    if (!/^-[ceu]+$/.test(word.text)) throw new Unclear(`${name} has the option ${word.text}`);
    hasLine ||= word.text.includes('c');
  }
}

function isVersion(words: readonly Word[]): boolean {
  return words.length === 2 && words[1]?.text === '--version' && !words[1].isDynamic;
}
