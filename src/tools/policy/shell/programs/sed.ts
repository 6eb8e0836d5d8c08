import type { Word } from '../simple-command.ts';
import { isCertain } from './options.ts';

const FLAGS = /^-[nErsuz]+$/;
const FLAGS_AND_SCRIPT = /^-[nErsuz]*e$/;
const IN_PLACE = /^(?:-[nErsuz]*i[.~\w]*|--in-place(?:=[.~\w]*)?)$/;
const LONG_FLAGS =
  /^--(?:quiet|silent|regexp-extended|separate|unbuffered|null-data|posix|debug|sandbox|version|help)$/;
const SPACE = /[\s;{}]*/y;
const NUMBER = /\d+(?:~\d+)?|\$|\+\d+|~\d+/y;
const BRACKETS = /\[\^?(?:\[:\w+:\]|[^[\]\\\n])+\]/y;
const COMMAND = /[pdPDgGhHnNqQxlzF=](?:[ \t]*\d+)?(?=[\s;}]|$)/y;
const SUBSTITUTE_FLAGS = /[gpiImM\d]*(?=[\s;}]|$)/y;

/** Options other than a few, and scripts that do more than print and change what is printed. */
export function sedDangers(words: readonly Word[]): number[] {
  const dangers: number[] = [];
  const operands: number[] = [];
  let hasScript = false;
  // Which word is the script depends on options that are not known.
  let isUncertain = false;
  const addScript = (at: number): void => {
    if (!isHarmless(words[at])) dangers.push(at);
    hasScript = true;
  };
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    const { text } = word;
    if (word.isDynamic ? isCertain(word) : !text.startsWith('-')) {
      // As some read it, what comes first is the script even if there is a -e after it.
      if (operands.length === 0 && !hasScript && !isHarmless(word)) dangers.push(at);
      operands.push(at);
    } else if (!word.isDynamic && (FLAGS_AND_SCRIPT.test(text) || text === '--expression')) addScript(++at);
    else if (text.startsWith('--expression=')) {
      hasScript = true;
      if (word.isDynamic || !isHarmlessScript(text.slice('--expression='.length))) dangers.push(at);
    } else if (word.isDynamic || !(FLAGS.test(text) || LONG_FLAGS.test(text) || text === '-' || text === '--')) {
      dangers.push(at);
      isUncertain ||= word.isDynamic || !IN_PLACE.test(text);
    }
  }
  return isUncertain ? [...dangers, ...operands] : dangers;
}

function isHarmless(word: Word | undefined): boolean {
  return word === undefined || (!word.isDynamic && isHarmlessScript(word.text));
}

/** Only addresses, `s` and `y` with harmless flags, and commands of one letter that touch no files. */
function isHarmlessScript(script: string): boolean {
  const at = { place: 0 };
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at.place;
    const found = pattern.exec(script);
    if (found) at.place += found[0].length;
    return found !== null;
  };
  for (;;) {
    take(SPACE);
    if (at.place >= script.length) return true;
    if (!takeAddress(script, at, take)) return false;
    take(/[ \t]*(?:![ \t]*)?/y);
    if (take(/\{/y)) continue;
    if (take(COMMAND)) continue;
    const isSubstitute = script.charAt(at.place) === 's';
    if (!isSubstitute && script.charAt(at.place) !== 'y') return false;
    at.place += 1;
    const mark = script.charAt(at.place);
    if (!/[!-~]/.test(mark) || mark === '\\') return false;
    if (!takePattern(script, at, mark) || !takeText(script, at, mark)) return false;
    if (!take(isSubstitute ? SUBSTITUTE_FLAGS : /(?=[\s;}]|$)/y)) return false;
  }
}

/** None, one, or two with a comma. */
function takeAddress(script: string, at: { place: number }, take: (pattern: RegExp) => boolean): boolean {
  for (let count = 0; count < 2; count += 1) {
    if (script.charAt(at.place) === '/') {
      if (!takePattern(script, at, '/')) return false;
      at.place += 1;
      take(/[IM]*/y);
    } else if (!take(NUMBER)) return count === 0;
    if (!take(/[ \t]*,[ \t]*/y)) return true;
  }
  return true;
}

/** A regular expression, from a mark up to the next one. */
function takePattern(script: string, at: { place: number }, mark: string): boolean {
  for (at.place += 1; at.place < script.length; at.place += 1) {
    const character = script.charAt(at.place);
    if (character === mark) return true;
    if (character === '\\') at.place += 1;
    if (character !== '[') continue;
    BRACKETS.lastIndex = at.place;
    const found = BRACKETS.exec(script)?.[0];
    // Whether the mark is one within brackets, programs do not agree.
    if (found === undefined || found.includes(mark)) return false;
    at.place += found.length - 1;
  }
  return false;
}

/** What is put there, from a mark past the next one. */
function takeText(script: string, at: { place: number }, mark: string): boolean {
  for (at.place += 1; at.place < script.length; at.place += 1) {
    const character = script.charAt(at.place);
    if (character === '\\') at.place += 1;
    else if (character === mark) {
      at.place += 1;
      return true;
    }
  }
  return false;
}
