import { Scan } from './scan.ts';
import type { Word } from './simple-command.ts';
import { Unclear } from './unclear.ts';

/** What an expansion turns into; `$`: it is only that. */
export type Expansion = '$' | NonNullable<Word['becomes']>;

const LITERAL_DOLLAR = '$';
/** Without names: bash evaluates the values of variables as well, and runs what is in their subscripts. */
const ARITHMETIC = /\(\([\d +\-*/%<>=!&|^~?:,]*\)\)/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]/y;
/** Only what dash and bash read alike, and what evaluates nothing. */
const BRACED = /\{(?:#?[A-Za-z_][A-Za-z0-9_]*|[0-9]+)/y;
const OPERATOR = /:?[-+]|##?|%%?/y;
const PLAIN = /[A-Za-z0-9 _.,:/@%+=^~*?-]+/y;
const BACKQUOTED = /[^`\\]*/y;

/** Reads what begins with the `$` here, and finds the commands within. @param isQuoted within double quotes? */
export function readDollar(scan: Scan, isQuoted: boolean): Expansion {
  scan.at += 1;
  const from = scan.at;
  const becomes = isQuoted ? 'one' : 'anything';
  const next = scan.peek();
  if (next === '(') {
    if (scan.peek(1) === '(') {
      if (scan.take(ARITHMETIC) === undefined) throw new Unclear('it has arithmetic with more than numbers');
      return becomes;
    }
    scan.at += 1;
    readSubstitution(scan);
    return becomes;
  }
  if (next === '{') {
    readBraced(scan);
    // All arguments, as many words as they are, also within quotes.
    if (scan.line.slice(from, scan.at).includes('@')) throw new Unclear('it has a ${ that may stand for all arguments');
    return becomes;
  }
  const name = scan.take(NAME);
  if (name !== undefined) return name === '@' ? 'anything' : becomes;
  if (next === '[') throw new Unclear('it has $[');
  if (isQuoted) {
    if (next === '\\' && scan.peek(1) === '\n') throw new Unclear('a $ is followed by the end of a line');
    return LITERAL_DOLLAR;
  }
  if (next === "'" || next === '"') throw new Unclear(`it has $${next}`);
  if (next !== '' && !/[\s;&|)<>]/.test(next)) throw new Unclear('it has a $ that is no variable');
  return LITERAL_DOLLAR;
}

/** Reads commands up to the `)` here, with what is before it read. */
export function readSubstitution(scan: Scan): void {
  scan.within(() => {
    scan.substitutions += 1;
    scan.readSubstitution(scan);
    scan.substitutions -= 1;
  });
}

/** Reads what begins with the backquote here. */
export function readBackquotes(scan: Scan, isQuoted: boolean): Expansion {
  scan.at += 1;
  const body = scan.take(BACKQUOTED) ?? '';
  if (!scan.takes('`')) throw new Unclear('it has a backslash in backquotes, or one backquote too many');
  if (isQuoted && body.includes('"')) throw new Unclear('it has double quotes in backquotes in double quotes');
  if (scan.documents.length > 0 && body.includes('\n'))
    throw new Unclear('a line ends within a word before a here-document');
  scan.within(() => {
    const inner = new Scan(`${body}\n)`, scan.readSubstitution, scan);
    scan.readSubstitution(inner);
    if (inner.at !== inner.line.length) throw new Unclear('it has a ) too many in backquotes');
  });
  return isQuoted ? 'one' : 'anything';
}

/** `${name}` and `${name:-text}`, with what is in the text. */
function readBraced(scan: Scan): void {
  const name = scan.take(BRACED);
  if (name === undefined) throw new Unclear('it has a ${ that is not simply a variable');
  if (scan.takes('}')) return;
  if (name.startsWith('{#') || scan.take(OPERATOR) === undefined)
    throw new Unclear('it has a ${ with more than a default or a part to be cut off');
  scan.within(() => {
    while (!scan.takes('}')) {
      if (scan.take(PLAIN) !== undefined) continue;
      if (scan.peek() === '`') readBackquotes(scan, false);
      else if (scan.peek() !== '$') throw new Unclear('it has a ${ with something that cannot be read for certain');
      else if (readDollar(scan, false) === LITERAL_DOLLAR) throw new Unclear('it has a $ that is no variable');
    }
  });
}
