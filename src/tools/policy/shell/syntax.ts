import { isHarmlessAssignment } from './assignment.ts';
import { passLineEnd, readCombinedRedirection, readRedirection } from './redirection.ts';
import { Scan } from './scan.ts';
import type { SimpleCommand, Word } from './simple-command.ts';
import { skipBlanks } from './space.ts';
import { Unclear } from './unclear.ts';
import { readWord } from './word.ts';

const RESERVED = /(?:\[\[|\]\]|[{}!]|[a-z]+)(?![^\s;&|<>()])/y;
const CLOSERS: ReadonlySet<string> = new Set(['then', 'elif', 'else', 'fi', 'do', 'done', '}']);
const NOT_READ: ReadonlySet<string> = new Set(['case', 'esac', 'function', 'select', 'coproc', 'in', '[[', ']]']);
const OPENERS: ReadonlySet<string> = new Set(['{', '!', 'if', 'while', 'until', 'for']);
const OPERATOR = /&&|\|\||;(?![;&])|\|(?!&)|&/y;
const NAME = /[a-z_][a-z0-9_]*(?![^\s;&|<>()])/y;

/** Reads all commands of a line: words as they are, wrappers not taken off. */
export function readSyntax(line: string): { commands: readonly SimpleCommand[]; problem: string | undefined } {
  const scan = new Scan(line, readSubstitution);
  try {
    const closer = readList(scan);
    if (closer !== '') throw new Unclear(`it has a ${closer} that closes nothing`);
    if (scan.documents.length > 0) throw new Unclear('a here-document has no end');
    return { commands: scan.commands, problem: undefined };
  } catch (error) {
    if (!(error instanceof Unclear)) throw error;
    return { commands: scan.commands, problem: error.message };
  }
}

function readSubstitution(scan: Scan): void {
  if (readList(scan) !== ')') throw new Unclear('a substitution is not closed');
  scan.at += 1;
}

/** Commands, up to what closes them, which is given and not passed; '': the end of the line. */
function readList(scan: Scan): string {
  for (;;) {
    skipLines(scan);
    const closer = peekCloser(scan);
    if (closer !== undefined) return closer;
    const isCompound = readCommand(scan);
    skipBlanks(scan);
    if (scan.peek() === '\n' || scan.take(OPERATOR) !== undefined) continue;
    const end = peekCloser(scan);
    if (end === undefined || (!isCompound && end !== '' && end !== ')'))
      throw new Unclear(`it has ${JSON.stringify(scan.peek())} where a command ends`);
    return end;
  }
}

function skipLines(scan: Scan): void {
  for (skipBlanks(scan); scan.peek() === '\n'; skipBlanks(scan)) passLineEnd(scan);
}

function peekCloser(scan: Scan): string | undefined {
  if (scan.peek() === '') return '';
  if (scan.peek() === ')') return ')';
  const word = peekReserved(scan);
  return word !== undefined && CLOSERS.has(word) ? word : undefined;
}

function peekReserved(scan: Scan): string | undefined {
  const start = scan.at;
  const word = scan.take(RESERVED);
  scan.at = start;
  return word;
}

/** One command. Was it a compound one? */
function readCommand(scan: Scan): boolean {
  while (peekReserved(scan) === '!') {
    scan.at += 1;
    skipBlanks(scan);
  }
  const word = scan.peek() === '(' ? '(' : peekReserved(scan);
  if (word !== undefined && NOT_READ.has(word)) throw new Unclear(`it has ${word}, which is not read`);
  if (word !== '(' && (word === undefined || !OPENERS.has(word))) {
    readSimple(scan);
    return false;
  }
  scan.at += word.length;
  if (word === '(' && scan.peek() === '(') throw new Unclear('it has ((');
  scan.within(() => readCompound(scan, word));
  readRedirections(scan);
  return true;
}

function readCompound(scan: Scan, opener: string): void {
  if (opener === '(') nextList(scan, [')']);
  else if (opener === '{') nextList(scan, ['}']);
  else if (opener === 'if') readIf(scan);
  else if (opener === 'for') readFor(scan);
  else {
    nextList(scan, ['do']);
    nextList(scan, ['done']);
  }
}

function readIf(scan: Scan): void {
  nextList(scan, ['then']);
  let closer = nextList(scan, ['elif', 'else', 'fi']);
  while (closer === 'elif') {
    nextList(scan, ['then']);
    closer = nextList(scan, ['elif', 'else', 'fi']);
  }
  if (closer === 'else') nextList(scan, ['fi']);
}

function readFor(scan: Scan): void {
  skipBlanks(scan);
  const name = scan.take(NAME);
  // Others are looked at by programs, or by the shell.
  if (name === undefined || name.endsWith('_proxy'))
    throw new Unclear('it has a for whose variable is not in lower case');
  skipLines(scan);
  if (peekReserved(scan) !== 'in') throw new Unclear('it has a for without in');
  scan.at += 2;
  for (skipBlanks(scan); scan.peek() !== ';' && scan.peek() !== '\n'; skipBlanks(scan)) readWord(scan);
  scan.takes(';');
  skipLines(scan);
  if (peekReserved(scan) !== 'do') throw new Unclear('it has a for without do');
  scan.at += 2;
  nextList(scan, ['done']);
}

/** Reads a list and what closes it. */
function nextList(scan: Scan, closers: readonly string[]): string {
  const closer = readList(scan);
  if (!closers.includes(closer)) throw new Unclear(`${closers.join(' or ')} is missing`);
  scan.at += closer.length;
  return closer;
}

/** Those of a compound command: what they open is noted as a command without words. */
function readRedirections(scan: Scan): void {
  for (;;) {
    skipBlanks(scan);
    const redirection = readRedirection(scan) ?? readCombinedRedirection(scan);
    if (redirection === undefined) return;
    if (redirection.opensFile) scan.add({ words: [], opensFile: true });
  }
}

function readSimple(scan: Scan): void {
  const words: Word[] = [];
  const assignments: Word[] = [];
  const start = scan.at;
  let opensFile = false;
  let mayHaveWords = true;
  for (;;) {
    skipBlanks(scan);
    const combined = readCombinedRedirection(scan);
    const redirection = combined ?? readRedirection(scan);
    if (redirection !== undefined) {
      opensFile ||= redirection.opensFile;
      // For dash the command has ended there.
      if (combined !== undefined) mayHaveWords = false;
      continue;
    }
    if (scan.peek() === '' || /[\n;&|()]/.test(scan.peek())) break;
    if (!mayHaveWords) throw new Unclear('words follow a &>');
    const isFirst = words.length === 0;
    if (isFirst && scan.at !== start) refuseReserved(scan);
    const { word, form } = readWord(scan);
    if (isFirst && form === 'assignment') assignments.push(word);
    else if (isFirst && form === 'append') throw new Unclear('it has a +=');
    else words.push(word);
  }
  if (scan.at === start) throw new Unclear(`it has ${JSON.stringify(scan.peek())} where a command begins`);
  const kept = words.length === 0 ? assignments : assignments.filter((one) => !isHarmlessAssignment(one));
  if (words.length === 0 && kept.length === 0 && !opensFile) return;
  scan.add({ words, ...(kept.length > 0 && { assignments: kept }), ...(opensFile && { opensFile }) });
}

/** After an assignment or a redirection shells do not agree on them. */
function refuseReserved(scan: Scan): void {
  const word = peekReserved(scan);
  if (word !== undefined && (CLOSERS.has(word) || OPENERS.has(word) || NOT_READ.has(word)))
    throw new Unclear(`it has ${word} where a program's name stands`);
}
