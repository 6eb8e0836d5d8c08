import type { Word } from '../simple-command.ts';
import { isCertain } from './options.ts';

const ALONE =
  /^-(?:daystart|depth|d|follow|mount|xdev|noleaf|empty|executable|readable|writable|nouser|nogroup|true|false|print|print0|prune|quit|ls|not|and|or|a|o|H|L|P|warn|nowarn|ignore_readdir_race|noignore_readdir_race|help|version|-help|-version|O[0-3])$/;
const WITH_VALUE =
  /^-(?:i?name|i?path|i?wholename|i?lname|i?regex|regextype|x?type|size|[acm](?:time|min)|newer(?:[aBcm][aBcmt])?|anewer|cnewer|user|group|uid|gid|perm|links|inum|samefile|fstype|maxdepth|mindepth|used|printf)$/;
const EXECUTES = /^-(?:exec|ok)(?:dir)?$/;

/** All that does more than to find: what it executes is a command of its own, with a rule of its own. */
export function findDangers(words: readonly Word[]): number[] {
  const dangers: number[] = [];
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    if (word.isDynamic) {
      if (!isCertain(word) || /^[(!),;+]/.test(word.text)) dangers.push(at);
    } else if (EXECUTES.test(word.text)) at = endOf(words, at + 1);
    else if (WITH_VALUE.test(word.text)) {
      at += 1;
      // A word, whatever is in it; not several.
      const value = words[at];
      if (value?.isDynamic && value.becomes !== 'one') dangers.push(at);
    } else if (word.text.startsWith('-') && !ALONE.test(word.text)) dangers.push(at);
  }
  return dangers;
}

function endOf(words: readonly Word[], from: number): number {
  for (let at = from; at < words.length; at += 1) {
    const word = words[at];
    if (word?.isDynamic) continue;
    if (word?.text === ';' || (word?.text === '+' && words[at - 1]?.text === '{}')) return at;
  }
  return words.length;
}
