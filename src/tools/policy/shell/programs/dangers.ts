import { baseName, type Word } from '../simple-command.ts';
import { awkDangers } from './awk.ts';
import { EXACT } from './exact.ts';
import { findDangers } from './find.ts';
import { gitDangers } from './git.ts';
import { interpreterDangers } from './interpreters.ts';
import { isDangerousOption } from './options.ts';
import { sedDangers } from './sed.ts';
import { subcommandDangers } from './subcommands.ts';
import { OPTIONS, operandDangers } from './table.ts';

/** The places of dangerous words; the number of words stands for there being no more of them. */
type Check = (words: readonly Word[]) => number[];

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['git', gitDangers],
  ['find', findDangers],
  ['gfind', findDangers],
  ['bfs', findDangers],
  ['sed', sedDangers],
  ['gsed', sedDangers],
  ['awk', awkDangers],
  ['gawk', awkDangers],
  ['mawk', awkDangers],
  ['nawk', awkDangers],
  ['original-awk', awkDangers],
]);

/**
 * The words by which a program that is known starts others, reads code, writes where its job is not, or changes where it
 * acts, and those that could turn into such. A wildcard does not stand for them.
 * @returns their places; the number of words: that there are no more.
 */
export function dangersOf(words: readonly Word[]): readonly number[] {
  const name = knownName(baseName(words[0]?.text ?? ''));
  if (EXACT.has(name)) return [...words.keys(), words.length];
  const check = CHECKS.get(name);
  if (check) return check(words);
  const found = interpreterDangers(name, words) ?? subcommandDangers(name, words);
  if (found) return found;
  const options = OPTIONS.get(name);
  if (options === undefined) return [];
  const dangerous = [...words.keys()].slice(1).filter((at) => isDangerous(words[at]));
  return [...dangerous, ...operandDangers(name, words)];

  function isDangerous(word: Word | undefined): boolean {
    return word !== undefined && options !== undefined && isDangerousOption(word, options);
  }
}

/** `python3.12` is python. */
function knownName(name: string): string {
  const bare = name.replace(/-?[\d.]+$/, '');
  return bare === '' || OPTIONS.has(name) || EXACT.has(name) ? name : bare;
}
