// A longer run is data, not a word; PostgreSQL's index takes no word of 2 KB or more.
const MAX_WORD_CHARS = 64;

const ASCII_WORD = /[a-z0-9]+/g;
const NOT_ASCII = /[\u0080-\uffff]/;
const MARK = /\p{M}+/gu;

/** Scripts that write no spaces between their words. */
const UNSPACED = ['Han', 'Hira', 'Kana', 'Thai', 'Laoo', 'Khmr', 'Mymr'].map((script) => `\\p{scx=${script}}`).join('');
const WORD = new RegExp(`[[\\p{L}\\p{N}]&&[${UNSPACED}]]|[[\\p{L}\\p{N}]--[${UNSPACED}]]+`, 'gv');

/**
 * The distinct words of the first `maxChars` UTF-16 units of a text, in the order of their first appearance, as a
 * search compares them: lower case, without accents (`é` is `e`) or variants of form (`ﬁ` is `fi`). A word is a run of
 * letters and digits, cut to 64 of them, so it never holds a NUL, a quote, a space or a lone surrogate. Of Chinese,
 * Japanese, Thai, Lao, Khmer and Burmese, which are written without spaces, every character is a word.
 * Any text is taken, and together the words are never longer than `maxChars`.
 */
export function wordsOf(text: string, maxChars: number): string[] {
  const beginning = text.slice(0, maxChars);
  const runs = NOT_ASCII.test(beginning)
    ? folded(beginning).slice(0, maxChars).match(WORD)
    : beginning.toLowerCase().match(ASCII_WORD);
  return [...new Set(runs?.map(cut))];
}

function folded(text: string): string {
  return (
    text
      // Twice: a normalisation sorts the marks it finds, which takes seconds for a long run of them.
      .replace(MARK, '')
      .normalize('NFKD')
      .replace(MARK, '')
      // Puts the syllables of Korean together again, which NFKD takes apart.
      .normalize('NFC')
      .toLowerCase()
      // A sigma is written ς at the end of a word; as the beginning of a longer one it must be found too.
      .replaceAll('ς', 'σ')
  );
}

function cut(word: string): string {
  if (word.length <= MAX_WORD_CHARS) return word;
  return [...word.slice(0, 2 * MAX_WORD_CHARS)].slice(0, MAX_WORD_CHARS).join('');
}
