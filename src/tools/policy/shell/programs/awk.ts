import type { Word } from '../simple-command.ts';
import { isCertain } from './options.ts';

/** What a program that only prints does not have: other programs, files, code of other files. */
const REACHES_OUT = /system|getline|[|>@]|\\\n|close|fflush/;
const VALUE = /^[A-Za-z_]\w*=/;

/** Options other than `-F` and `-v`, and programs that do more than print. */
export function awkDangers(words: readonly Word[]): number[] {
  const dangers: number[] = [];
  let at = 1;
  for (let word = words[at]; word !== undefined && (word.isDynamic || word.text.startsWith('-')); word = words[at]) {
    at += 1;
    if (word.isDynamic) {
      // It may be the program, or an option before it: the rest cannot be told.
      return [...words.keys()].slice(at - 1);
    }
    if (word.text === '--') break;
    if (word.text === '-F') {
      if (words[at]?.isDynamic && words[at]?.becomes !== 'one') dangers.push(at);
      at += 1;
    } else if (word.text === '-v') {
      const value = words[at];
      if (value?.isDynamic && !(value.becomes === 'one' && VALUE.test(value.text))) dangers.push(at);
      at += 1;
    } else if (!/^-(?:F.|v[A-Za-z_]\w*=)/s.test(word.text)) dangers.push(at - 1);
  }
  const program = words[at];
  if (program !== undefined && (program.isDynamic || reachesOut(program.text))) dangers.push(at);
  for (let rest = at + 1; rest < words.length; rest += 1) {
    const word = words[rest];
    if (word !== undefined && (!isCertain(word) || /^-|\/inet/.test(word.text))) dangers.push(rest);
  }
  return dangers;
}

/** Only a statement writes, and statements are in braces: a `>` before the first of these compares. */
function reachesOut(program: string): boolean {
  const brace = program.indexOf('{');
  const condition = brace < 0 ? program : program.slice(0, brace);
  const rest = program.slice(condition.length);
  return REACHES_OUT.test((condition.replaceAll('>', '') + rest).replaceAll('||', '').replaceAll('>=', ''));
}
