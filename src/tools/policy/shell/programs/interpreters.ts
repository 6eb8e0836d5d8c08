import type { Word } from '../simple-command.ts';

/** Options before a program's own file that change nothing of what runs. */
const HARMLESS: ReadonlyMap<string, RegExp> = new Map([
  [
    'node',
    /^(?:--version|-v|--help|-h|--test|--check|--watch|--no-warnings|--trace-warnings|--experimental-strip-types|--enable-source-maps)$/,
  ],
  ['nodejs', /^(?:--version|-v|--help|-h|--test|--check|--watch)$/],
  ['python', /^(?:--version|-V|-VV|--help|-h|-u|-B|-E|-s|-I|-O|-OO)$/],
  ['pypy', /^(?:--version|-V|--help|-h|-u|-B|-E|-s|-I)$/],
  ['perl', /^(?:--version|-v|--help|-h|-w)$/],
  ['ruby', /^(?:--version|-v|--help|-h|-w)$/],
  ['php', /^(?:--version|-v|--help|-h|-i|-m)$/],
  ['lua', /^-v$/],
  ['luajit', /^-v$/],
  ['Rscript', /^--version$/],
  ['julia', /^(?:--version|-v|--help|-h)$/],
]);
const ONLY_SAYS = /^(?:--test|--version|-v|-V|-VV|--help|-h|-i|-m)$/;

/**
 * For what runs a file as code: the options before it by which something else runs, and a file that is not certain. What
 * follows the file is for the program in it. Without a file what they are given to read is code.
 * @returns undefined: it is none of these.
 */
export function interpreterDangers(name: string, words: readonly Word[]): number[] | undefined {
  const harmless = HARMLESS.get(name);
  if (harmless === undefined) return undefined;
  const dangers: number[] = [];
  let onlySays = false;
  let at = 1;
  for (let word = words[at]; word !== undefined && (word.isDynamic || /^[-@]/.test(word.text)); word = words[at]) {
    // It may turn into several words, and the rest is then anything.
    if (word.isDynamic) return [...words.keys()].slice(at);
    if (!harmless.test(word.text)) dangers.push(at);
    onlySays ||= ONLY_SAYS.test(word.text);
    at += 1;
  }
  // `node inspect` takes orders.
  if (/^(?:inspect|debug|repl)$/.test(words[at]?.text ?? '')) dangers.push(at);
  if (words[at] === undefined && !onlySays) dangers.push(words.length);
  return dangers;
}
