import { type Expansion, readBackquotes, readDollar, readSubstitution } from './expansion.ts';
import type { Scan } from './scan.ts';
import type { Word } from './simple-command.ts';
import { Unclear } from './unclear.ts';

/** A word, with what its place in the command depends on. */
export interface ReadWord {
  word: Word;
  /** Does it look like `NAME=value` to the shell, or `NAME+=value`? */
  form: 'assignment' | 'append' | 'other';
  /** Has it nothing quoted and nothing to be expanded? */
  isPlain: boolean;
}

const ORDINARY = /[^\s;&|<>()\\'"$`*?[{}~=:]+/y;
const IN_DOUBLE = /[^"\\$`]+/y;
const IN_SINGLE = /[^']*/y;
const ENDS = /[\s;&|<>()]/;
const RANKS = ['one', 'several', 'anything'] as const;

/** Reads the word that begins here. @throws Unclear if none does, or it is not certain what it is. */
export function readWord(scan: Scan): ReadWord {
  if (/[<>]/.test(scan.peek()) && scan.peek(1) === '(') return readProcess(scan);
  const builder = new WordBuilder();
  const start = scan.at;
  let afterBrace = -1;
  for (;;) {
    const next = scan.peek();
    if (next === '' || ENDS.test(next)) break;
    if (next === '{' && afterBrace < 0) {
      afterBrace = scan.at;
      builder.mark();
    }
    readPiece(scan, builder, next);
  }
  if (scan.at === start) throw new Unclear('a word is missing');
  if (scan.peek() === '(') throw new Unclear('it defines a function, or has a ( within a word');
  if (/[<>]/.test(scan.peek()) && (scan.peek(1) === '(' || scan.line[scan.at - 1] === '}'))
    throw new Unclear('it has a < or > within a word');
  // Quoted or not: only bash knows braces, and what it makes of them need not be known.
  if (afterBrace >= 0 && /,|\.\./.test(scan.line.slice(afterBrace, scan.at))) builder.expandFromMark();
  return builder.finish();
}

function readPiece(scan: Scan, builder: WordBuilder, next: string): void {
  switch (next) {
    case '\\': {
      const escaped = scan.peek(1);
      if (escaped === '' || escaped === '\n') throw new Unclear('a line goes on within a word');
      builder.quote(escaped);
      scan.at += 2;
      return;
    }
    case "'": {
      scan.at += 1;
      builder.quote(checkLines(scan, scan.take(IN_SINGLE) ?? ''));
      if (!scan.takes("'")) throw new Unclear('a quote is not closed');
      return;
    }
    case '"':
      scan.at += 1;
      builder.quote('');
      readDoubleQuoted(scan, builder);
      return;
    case '$':
      builder.expand(readDollar(scan, false));
      return;
    case '`':
      builder.expand(readBackquotes(scan, false));
      return;
    case '*':
    case '?':
    case '[':
      scan.at += 1;
      // `[` by itself is a program.
      if (next === '[' && builder.isEmpty && (scan.peek() === '' || ENDS.test(scan.peek()))) builder.add('[');
      else builder.expand('several');
      return;
    case '~':
      scan.at += 1;
      builder.tilde();
      return;
    default:
      builder.add(scan.take(ORDINARY) ?? next);
      if (/[{}=:]/.test(next)) scan.at += 1;
  }
}

/** With the quote that opens it read, up to and with the one that closes it. */
function readDoubleQuoted(scan: Scan, builder: WordBuilder): void {
  while (!scan.takes('"')) {
    const plain = scan.take(IN_DOUBLE);
    if (plain !== undefined) builder.quote(checkLines(scan, plain));
    else readInDoubleQuotes(scan, builder, true);
  }
}

/** A backslash or an expansion, as in double quotes. @param isQuoteSpecial not in a here-document. */
export function readInDoubleQuotes(scan: Scan, builder: WordBuilder, isQuoteSpecial: boolean): void {
  const next = scan.peek();
  if (next === '$') builder.expand(readDollar(scan, true));
  else if (next === '`') builder.expand(readBackquotes(scan, true));
  else if (next === '\\') {
    const escaped = scan.peek(1);
    scan.at += 2;
    if (escaped === '') throw new Unclear('a quote is not closed');
    if (escaped === '\n') checkLines(scan, escaped);
    else if (/[$`\\]/.test(escaped) || (escaped === '"' && isQuoteSpecial)) builder.quote(escaped);
    else builder.quote(`\\${escaped}`);
  } else throw new Unclear('a quote is not closed');
}

/** `<(…)`: bash puts the name of a file there; dash refuses it. */
function readProcess(scan: Scan): ReadWord {
  scan.at += 2;
  readSubstitution(scan);
  const next = scan.peek();
  if (next !== '' && (!ENDS.test(next) || (/[<>]/.test(next) && scan.peek(1) === '(')))
    throw new Unclear('something follows a <( ) without a blank');
  return { word: { text: '/', isDynamic: true, becomes: 'one' }, form: 'other', isPlain: false };
}

/** Shells do not agree on where a here-document begins whose line ends within quotes. */
function checkLines(scan: Scan, text: string): string {
  if (scan.documents.length > 0 && text.includes('\n'))
    throw new Unclear('a line ends within a word before a here-document');
  return text;
}

/** Puts a word together. */
export class WordBuilder {
  #text = '';
  #becomes: Word['becomes'];
  #form: ReadWord['form'] = 'other';
  #isPlain = true;
  #hasSign = false;
  #mark = 0;

  get isEmpty(): boolean {
    return this.#text === '' && this.#isPlain;
  }

  /** Text without quotes. */
  add(text: string): void {
    if (text === '=' && this.#isPlain && !this.#hasSign) {
      this.#hasSign = true;
      if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(this.#text)) this.#form = 'assignment';
      else if (/^[A-Za-z_][A-Za-z0-9_]*\+$/.test(this.#text)) this.#form = 'append';
    }
    this.#append(text);
  }

  /** Text in quotes. */
  quote(text: string): void {
    this.#isPlain = false;
    this.#append(text);
  }

  expand(expansion: Expansion): void {
    if (expansion === '$') this.#append(expansion);
    else this.#turn(expansion);
  }

  /** A `~` without quotes. */
  tilde(): void {
    // At the beginning a folder comes of it, or the word stays as it is: no option.
    const isFirst = this.isEmpty;
    const mayExpand = this.#text.endsWith('=') || this.#text.endsWith(':');
    if (!mayExpand) this.#append('~');
    if (isFirst || mayExpand) this.#turn('one');
  }

  /** Remembers that braces begin here. */
  mark(): void {
    this.#mark = this.#text.length;
  }

  /** From the mark on, braces make several words of it. */
  expandFromMark(): void {
    this.#text = this.#text.slice(0, this.#mark);
    this.#turn('several');
  }

  finish(): ReadWord {
    const isDynamic = this.#becomes !== undefined;
    const word = { text: this.#text, isDynamic, ...(this.#becomes && { becomes: this.#becomes }) };
    return { word, form: this.#form, isPlain: this.#isPlain };
  }

  #append(text: string): void {
    if (this.#becomes === undefined) this.#text += text;
  }

  #turn(becomes: (typeof RANKS)[number]): void {
    this.#isPlain = false;
    if (RANKS.indexOf(becomes) > RANKS.indexOf(this.#becomes ?? 'one')) this.#becomes = becomes;
    else this.#becomes ??= 'one';
  }
}
