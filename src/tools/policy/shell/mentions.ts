import type { PatternWord } from './pattern-words.ts';
import { baseName, type Word } from './simple-command.ts';

const ALIAS = /^(?:-c|--config-env=)?alias\./i;

/**
 * Could a command be what a pattern means, for a rule that denies? Generous: the program in any folder, options in any
 * order and form, others before and between the words of the pattern, any words after them.
 * @param pattern without the star at its end.
 */
export function mentionsWords(words: readonly Word[], pattern: readonly PatternWord[]): boolean {
  const [program, ...given] = words;
  const [[name = ''] = [], ...wanted] = pattern;
  if (program === undefined) return false;
  if (!program.isDynamic && baseName(program.text) !== baseName(name)) return false;
  // `git -c alias.x=push x`
  if (baseName(name) === 'git' && given.some(({ text }) => ALIAS.test(text))) return true;
  const options = wanted.filter(([first = '']) => first.startsWith('-') && first !== '-');
  if (!options.every((one) => hasOption(given, one))) return false;
  return hasOperands(
    given,
    wanted.filter((one) => !options.includes(one)),
  );
}

function hasOption(given: readonly Word[], wanted: PatternWord): boolean {
  return given.some((word) => word.isDynamic || isOption(word.text, wanted)) || isCluster(given, wanted);
}

/** Itself, abbreviated, with a value, or a long one that begins with its letter. */
function isOption(text: string, wanted: PatternWord): boolean {
  const [first = ''] = wanted;
  if (!text.startsWith('-')) return false;
  if (wanted.length > 1) return text.startsWith(first);
  if (!first.startsWith('--')) return text === first;
  const name = text.split('=', 1)[0] ?? '';
  return text === first || (first.startsWith(name) && name.length > 2) || name === (first.split('=', 1)[0] ?? '');
}

/** `-rf` as `-r -f`, `-fr`, `-Rf` or `--recursive --force`; `--force` as `-f`. */
function isCluster(given: readonly Word[], [wanted = '']: PatternWord): boolean {
  const isLong = wanted.startsWith('--');
  const letters = (isLong ? wanted.charAt(2) : wanted.slice(1)).toLowerCase();
  const has = (letter: string): boolean =>
    given.some(({ text }) => {
      if (text.startsWith('--')) return !isLong && text.charAt(2).toLowerCase() === letter;
      return text.startsWith('-') && text.toLowerCase().includes(letter);
    });
  return letters !== '' && [...letters].every(has);
}

/** In their order, with options and their values anywhere between. */
function hasOperands(given: readonly Word[], wanted: readonly PatternWord[]): boolean {
  // How much of what is wanted may have been found; each word takes every one of these further.
  let found = new Set([0]);
  let isAfterOption = false;
  for (const word of given) {
    const isOption = word.text.startsWith('-') || (word.isDynamic && word.text === '');
    const next = new Set<number>();
    for (const count of found) {
      const one = wanted[count];
      if (one === undefined) return true;
      // It may be all that is wanted, and more.
      if (word.isDynamic && word.becomes !== 'one' && mayBegin(word, one)) return true;
      if (isOption || isAfterOption) next.add(count);
      if (word.isDynamic ? mayBegin(word, one) : fits(word.text, one)) next.add(count + 1);
    }
    found = next;
    isAfterOption = isOption;
  }
  return found.has(wanted.length);
}

/** Could a word of which only the beginning is known be the one that is wanted? */
function mayBegin({ text }: Word, [first = '', ...more]: PatternWord): boolean {
  return first.startsWith(text) || (more.length > 0 && text.startsWith(first));
}

function fits(text: string, pieces: PatternWord): boolean {
  if (pieces.length === 1) return text === pieces[0];
  let at = 0;
  for (const piece of pieces) {
    const place = text.indexOf(piece, at);
    if (place < 0) return false;
    at = place + piece.length;
  }
  return true;
}
