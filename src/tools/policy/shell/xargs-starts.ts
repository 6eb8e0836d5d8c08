import type { Word } from './simple-command.ts';
import { Unclear } from './unclear.ts';

const FLAGS = '0rtx';
const VALUED = 'adEILnPs';
const LONG = /^--(?:null|no-run-if-empty|verbose|exit|(?:delimiter|max-args|max-procs|max-chars|arg-file)=.*)$/s;

/** What `xargs` starts, with the words of its input where it puts them. @throws Unclear if that cannot be told. */
export function xargsStarts(words: readonly Word[]): { words: readonly Word[] }[] {
  let at = 1;
  let place: string | undefined;
  let hasCount = false;
  for (let word = words[at]; word !== undefined; word = words[at]) {
    if (word.isDynamic) throw new Unclear('what xargs starts is known only when it runs');
    if (!word.text.startsWith('-')) break;
    at += 1;
    if (word.text === '--') break;
    hasCount ||= /^--max-args/.test(word.text);
    if (LONG.test(word.text)) continue;
    const { letter, value } = shortOption(word.text);
    if (letter === undefined) continue;
    const given = value === '' ? words[at++] : { text: value, isDynamic: false };
    if (given === undefined || given.isDynamic) throw new Unclear('an option of xargs is known only when it runs');
    hasCount ||= letter === 'n' || letter === 'L';
    if (letter !== 'I') continue;
    if (given.text === '' || place !== undefined) throw new Unclear('it is not clear what xargs replaces');
    place = given.text;
  }
  const command = words.slice(at);
  if (command.length === 0) return [];
  if (place === undefined) return [{ words: [...command, { text: '', isDynamic: true, becomes: 'anything' }] }];
  // The later of the two makes xargs forget the other.
  if (hasCount) throw new Unclear('xargs is told both to replace and to count');
  const mark = place;
  return [{ words: command.map((word) => filled(word, mark)) }];
}

/** The last of a word's options, if it has a value; its value in the same word. */
function shortOption(word: string): { letter: string | undefined; value: string } {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    if (VALUED.includes(letter)) return { letter, value: word.slice(at + 1) };
    if (!FLAGS.includes(letter)) throw new Unclear(`xargs has the option ${word}, which is not known`);
  }
  if (word.length === 1) throw new Unclear('xargs has the option -, which is not known');
  return { letter: undefined, value: '' };
}

function filled(word: Word, mark: string): Word {
  const at = word.text.indexOf(mark);
  if (at < 0) return word;
  return { text: word.text.slice(0, at), isDynamic: true, becomes: word.becomes ?? 'one' };
}
