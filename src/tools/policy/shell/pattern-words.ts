/** A word of a pattern: what lies between its stars, so one piece if it has none. */
export type PatternWord = readonly string[];

/** What is read of a pattern. */
export interface PatternWords {
  /** `NAME=value` before the program's name, as they stand there. */
  assignments: readonly string[];
  words: readonly PatternWord[];
}

const MAX_LENGTH = 4000;
const MAX_STARS = 20;
const OPERATORS = /[;&|<>()\n`$]/;

/**
 * Reads the words of a pattern as a shell does; a `*` without quotes is a wildcard.
 * @throws Error that says what is wrong with it.
 */
export function readPatternWords(pattern: string): PatternWords {
  const fail = (why: string): never => {
    throw new Error(`${JSON.stringify(pattern.slice(0, 200))} is not a pattern of a command: ${why}`);
  };
  if (pattern.length > MAX_LENGTH) fail(`it is longer than ${MAX_LENGTH} characters`);
  if (/[^\P{C}\t]|[^\P{Z} ]/u.test(pattern.replaceAll('\n', ''))) fail('it has a character that cannot be seen');
  const read = new PatternReader(pattern, fail).read();
  const isFirst = read.findIndex(({ isAssignment }) => !isAssignment);
  const count = isFirst < 0 ? read.length : isFirst;
  const assignments = read
    .slice(0, count)
    .map(({ pieces }) =>
      pieces.length > 1 ? fail('a variable has to have its value, without a *') : (pieces[0] ?? ''),
    );
  const words = read.slice(count).map(({ pieces }) => pieces);
  const [first] = words;
  if (first === undefined) return fail('it names no program');
  if (first.length > 1) fail("the program's name has to be written out, without a *");
  if (words.reduce((sum, word) => sum + word.length - 1, 0) > MAX_STARS) fail(`it has more than ${MAX_STARS} *`);
  return { assignments, words };
}

class PatternReader {
  readonly #text: string;
  readonly #fail: (why: string) => never;
  #at = 0;

  constructor(text: string, fail: (why: string) => never) {
    this.#text = text;
    this.#fail = fail;
  }

  read(): { pieces: PatternWord; isAssignment: boolean }[] {
    const words: { pieces: PatternWord; isAssignment: boolean }[] = [];
    for (;;) {
      while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
      if (this.#at >= this.#text.length) return words;
      words.push(this.#word());
    }
  }

  #word(): { pieces: PatternWord; isAssignment: boolean } {
    const start = this.#at;
    const pieces = [''];
    const add = (text: string): void => {
      pieces.push((pieces.pop() ?? '') + text);
    };
    for (; this.#at < this.#text.length; this.#at += 1) {
      const next = this.#text.charAt(this.#at);
      if (next === ' ' || next === '\t') break;
      if (next === '\\') add(this.#text.charAt(++this.#at) || this.#fail('it ends in a backslash'));
      else if (next === "'" || next === '"') add(this.#quoted(next));
      else if (next === '*') {
        // Several in a row are one.
        if (pieces.length === 1 || pieces.at(-1) !== '') pieces.push('');
      } else add(this.#plain(next, this.#at === start));
    }
    const raw = this.#text.slice(start, this.#at);
    if (/\{[^}]*(?:,|\.\.)/.test(raw.replaceAll(/'[^']*'|"[^"]*"|\\./g, '')))
      this.#fail('braces stand for several words; put them in quotes');
    return { pieces, isAssignment: /^[A-Za-z_]\w*=/.test(raw) };
  }

  #plain(next: string, isStart: boolean): string {
    if (OPERATORS.test(next))
      this.#fail(
        `${next === '\n' ? 'a line end' : next} is the shell's own; a pattern is about one command, and each command of a line is held against it. In quotes it is a character like others`,
      );
    if (next === '?' || (next === '[' && !/^(?:\[| |\t|$)/.test(this.#text.slice(this.#at + 1, this.#at + 2))))
      this.#fail(`${next} is no wildcard here; put it in quotes, or write *`);
    if (isStart && (next === '~' || next === '#'))
      this.#fail(`${next} is the shell's own where a word begins; put it in quotes`);
    return next;
  }

  #quoted(quote: string): string {
    let text = '';
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const next = this.#text.charAt(this.#at);
      if (next === quote) return text;
      if (quote === '"' && (next === '$' || next === '`'))
        this.#fail(`${next} in double quotes is the shell's own; use single quotes`);
      if (quote === '"' && next === '\\' && /["\\$`]/.test(this.#text.charAt(this.#at + 1)))
        text += this.#text.charAt(++this.#at);
      else text += next;
    }
    return this.#fail('a quote is not closed');
  }
}
