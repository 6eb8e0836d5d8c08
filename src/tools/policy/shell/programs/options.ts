import type { Word } from '../simple-command.ts';

/** Which of a program's options a wildcard may stand for. */
export interface Options {
  /** Are those that are listed the ones that it may not stand for, or the only ones that it may? */
  are: 'dangerous' | 'harmless';
  short?: string;
  /** Short ones that take the rest of their word for their value; also harmless, unless they are in `short` of dangerous ones. */
  valued?: string;
  /** Without their `--`. */
  long?: readonly string[];
  /** Harmless ones that look like abbreviations of dangerous ones. */
  known?: readonly string[];
}

/** Might a word be, or turn into, an option that only a pattern with that very word allows? */
export function isDangerousOption(word: Word, options: Options): boolean {
  if (word.isDynamic) return !isCertain(word) && !hasHarmlessName(word, options);
  const { text } = word;
  if (!text.startsWith('-') || text === '-' || text === '--') return false;
  return text.startsWith('--') ? isDangerousName(longName(text), options) : hasDangerousLetter(text, options);
}

/** Is it certain of a word that only partly known that it is no option? */
export function isCertain({ text, isDynamic, becomes }: Word): boolean {
  return !isDynamic || (becomes !== 'anything' && text !== '' && !text.startsWith('-'));
}

/** `--name="$x"` */
function hasHarmlessName({ text, becomes }: Word, options: Options): boolean {
  return becomes === 'one' && /^--[^=]+=/.test(text) && !isDangerousName(longName(text), options);
}

function longName(text: string): string {
  return text.slice(2).split('=', 1)[0] ?? '';
}

/** Long ones may be abbreviated. */
function isDangerousName(name: string, { are, long = [], known = [] }: Options): boolean {
  if (known.includes(name)) return false;
  return are === 'dangerous' ? long.some((one) => one.startsWith(name)) : !long.includes(name);
}

function hasDangerousLetter(text: string, { are, short = '', valued = '' }: Options): boolean {
  for (const letter of text.slice(1)) {
    if (are === 'dangerous' && short.includes(letter)) return true;
    if (valued.includes(letter)) return false;
    if (are === 'harmless' && !short.includes(letter)) return true;
  }
  return false;
}
