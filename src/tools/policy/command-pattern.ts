import { matchesPieces } from './pieces.ts';
import { mentionsWords } from './shell/mentions.ts';
import { type PatternWord, readPatternWords } from './shell/pattern-words.ts';
import { dangersOf } from './shell/programs/dangers.ts';
import type { SimpleCommand, Word } from './shell/simple-command.ts';

/** What a rule says of commands. */
export interface CommandPattern {
  /** As an allowing rule: is the command certainly what the pattern means, and nothing else? */
  covers(command: SimpleCommand): boolean;
  /** As a denying rule: could the command be what the pattern means? */
  mentions(command: SimpleCommand): boolean;
}

/**
 * Reads `git status *`: words as the shell reads them. A `*` in a word stands for any characters of that word; one that is
 * a word for any word, at the end for any number of words, also none. A wildcard never stands for what
 * `shell/programs/` knows as dangerous: that has to be in the pattern as it is.
 * @throws Error that says what is wrong with it.
 */
export function compileCommand(pattern: string): CommandPattern {
  const { assignments, words } = readPatternWords(pattern);
  const isOpen = words.length > 1 && isStar(words.at(-1));
  const fixed = isOpen ? words.slice(0, -1) : words;
  const isLiteral = words.every((word) => word.length === 1);
  const covers = (command: SimpleCommand): boolean =>
    command.opensFile !== true &&
    hasAssignments(command.assignments ?? [], assignments) &&
    coversWords(command.words, fixed, isOpen);
  return {
    // What is written out with its wrapper is meant with it.
    covers: (command) => covers(command) || (isLiteral && (command.startedBy?.some(covers) ?? false)),
    mentions: (command) => [command, ...(command.startedBy ?? [])].some((one) => mentionsWords(one.words, fixed)),
  };
}

function isStar(word: PatternWord | undefined): boolean {
  return word?.length === 2 && word.every((piece) => piece === '');
}

function hasAssignments(given: readonly Word[], expected: readonly string[]): boolean {
  return given.length === expected.length && given.every((one, at) => !one.isDynamic && one.text === expected[at]);
}

function coversWords(words: readonly Word[], fixed: readonly PatternWord[], isOpen: boolean): boolean {
  if (words.length === 0 || words.length < fixed.length || (!isOpen && words.length > fixed.length)) return false;
  if (!fixed.every((one, at) => matches(words[at], one))) return false;
  const isWild = (at: number): boolean => (at < fixed.length ? (fixed[at]?.length ?? 0) > 1 : isOpen);
  if (!isOpen && fixed.every((one) => one.length === 1)) return true;
  return !dangersOf(words).some(isWild);
}

/** A dynamic word has to be one word, or the words after it would not be where they seem to be. */
function matches(word: Word | undefined, pieces: PatternWord): boolean {
  if (word === undefined) return false;
  const [first = ''] = pieces;
  if (!word.isDynamic) return pieces.length === 1 ? word.text === first : matchesPieces(word.text, pieces);
  return word.becomes === 'one' && pieces.length === 2 && pieces[1] === '' && word.text.startsWith(first);
}
