import type { HereDocument, Scan } from './scan.ts';
import type { Word } from './simple-command.ts';
import { skipBlanks } from './space.ts';
import { Unclear } from './unclear.ts';
import { readInDoubleQuotes, readWord, WordBuilder } from './word.ts';

const NUMBER = /[0-9]+(?=[<>])/y;
const OPERATOR = /<<<|<<-|<<|<&|<>|<|>>|>&|>\||>/y;
const DESCRIPTOR = /(?:[0-9]|-)(?![^\s;&|<>()])/y;
const DELIMITER =
  /[A-Za-z0-9_.!-]+(?![^\s;&|<>()])|'[A-Za-z0-9_.! -]+'(?![^\s;&|<>()])|"[A-Za-z0-9_.! -]+"(?![^\s;&|<>()])/y;
const IN_BODY = /[^\\$`\n]+/y;

/** What a redirection is about; undefined: there is none here. */
export type Redirection = { opensFile: boolean } | undefined;

/** Reads a redirection, if one begins here. */
export function readRedirection(scan: Scan): Redirection {
  const number = scan.take(NUMBER);
  if (number !== undefined && number.length > 1) throw new Unclear('it has a file descriptor of more than one digit');
  if (/[<>]/.test(scan.peek()) && scan.peek(1) === '(' && number === undefined) return undefined;
  const operator = scan.take(OPERATOR);
  if (operator === undefined) return undefined;
  if (operator === '<<' || operator === '<<-') {
    readDelimiter(scan, operator === '<<-');
    return { opensFile: false };
  }
  skipBlanks(scan);
  if (operator.endsWith('&')) {
    if (scan.take(DESCRIPTOR) !== undefined) return { opensFile: false };
    // bash ends the descriptor there and begins a word.
    if (operator === '<&' || /[-0-9]/.test(scan.peek())) throw new Unclear(`it has a ${operator} without a number`);
  }
  const { word } = readWord(scan);
  switch (operator) {
    case '<<<':
      return { opensFile: false };
    case '<':
      return { opensFile: mayConnect(word) };
    default:
      return { opensFile: !isNull(word) };
  }
}

/** What bash writes as `&>file`, and dash reads as `& >file`; undefined: there is none here. */
export function readCombinedRedirection(scan: Scan): Redirection {
  if (!scan.takes('&>>') && !scan.takes('&>')) return undefined;
  skipBlanks(scan);
  return { opensFile: !isNull(readWord(scan).word) };
}

function isNull({ text, isDynamic }: Word): boolean {
  return !isDynamic && text === '/dev/null';
}

/** bash makes connections of names. */
function mayConnect({ text, isDynamic }: Word): boolean {
  const names = ['/dev/tcp/', '/dev/udp/'];
  return names.some((name) => text.startsWith(name) || (isDynamic && name.startsWith(text)));
}

function readDelimiter(scan: Scan, stripsTabs: boolean): void {
  if (scan.substitutions > 0) throw new Unclear('a here-document is in a substitution');
  skipBlanks(scan);
  const given = scan.take(DELIMITER);
  if (given === undefined) throw new Unclear('the end of a here-document is not a plain name');
  const isQuoted = /^['"]/.test(given);
  scan.documents.push({ delimiter: isQuoted ? given.slice(1, -1) : given, isExpanded: !isQuoted, stripsTabs });
}

/** Passes a line end, and the here-documents that follow it. */
export function passLineEnd(scan: Scan): void {
  scan.at += 1;
  if (scan.documents.length === 0) return;
  if (scan.substitutions > 0) throw new Unclear('a line ends within a word before a here-document');
  const documents = scan.documents;
  scan.documents = [];
  for (const document of documents) readBody(scan, document);
}

function readBody(scan: Scan, { delimiter, isExpanded, stripsTabs }: HereDocument): void {
  for (;;) {
    if (scan.at >= scan.line.length) throw new Unclear('a here-document has no end');
    if (stripsTabs) scan.take(/\t*/y);
    const found = scan.line.indexOf('\n', scan.at);
    const end = found < 0 ? scan.line.length : found;
    const isEnd = scan.line.slice(scan.at, end) === delimiter;
    if (isExpanded && !isEnd) readBodyLine(scan, end);
    // The line end after the document ends the command before it, so it is left where a command follows.
    scan.at = Math.min(end + 1, scan.line.length);
    if (isEnd) return;
  }
}

/** A line of its own: shells do not agree on what an expansion over several lines is. */
function readBodyLine(scan: Scan, end: number): void {
  const builder = new WordBuilder();
  while (scan.at < end) {
    scan.take(IN_BODY);
    if (scan.at >= end) break;
    if (scan.peek() === '\\' && scan.at + 1 >= end) throw new Unclear('a line of a here-document goes on in the next');
    readInDoubleQuotes(scan, builder, false);
  }
  if (scan.at > end) throw new Unclear('an expansion in a here-document goes over several lines');
}
