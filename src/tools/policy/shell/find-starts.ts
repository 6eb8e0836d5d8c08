import type { Word } from './simple-command.ts';
import { Unclear } from './unclear.ts';

const EXECUTES: ReadonlySet<string> = new Set(['-exec', '-execdir', '-ok', '-okdir']);

/** The commands that `find` starts for what it finds. @throws Unclear if that cannot be told. */
export function findStarts(words: readonly Word[]): { words: readonly Word[] }[] {
  checkDynamic(words);
  const found = foundPath(words);
  const starts: { words: readonly Word[] }[] = [];
  for (let at = 1; at < words.length; at += 1) {
    const text = words[at]?.text ?? '';
    if (!EXECUTES.has(text)) continue;
    const end = endOf(words, at + 1, text);
    const command = words.slice(at + 1, end);
    if (command[0]?.text.includes('{}')) throw new Unclear('find starts what it finds');
    starts.push({ words: command.map((word) => filled(word, text.endsWith('dir') ? './' : found)) });
    at = end;
  }
  return starts;
}

/** Could a word that is not known yet be `-exec`, or end one? */
function checkDynamic(words: readonly Word[]): void {
  const isOpen = (word: Word): boolean => word.isDynamic && (word.text === '' || /^[-;+(!),]/.test(word.text));
  for (const word of words)
    if (word.isDynamic && (word.becomes === 'anything' || isOpen(word)) && !isSafeValue(word, words))
      throw new Unclear(
        'what find does is known only when it runs, since a variable or a glob without quotes can be an option',
      );
}

/** One word, without anything that could end a command. */
function isSafeValue(word: Word, words: readonly Word[]): boolean {
  return (
    word.becomes === 'one' &&
    !words.some(({ text, isDynamic }) => !isDynamic && /^[;+]$/.test(text)) &&
    words.filter((one) => one.isDynamic && one.text === '').length === 1
  );
}

/** `;`, or `+` after `{}`. */
function endOf(words: readonly Word[], from: number, name: string): number {
  for (let at = from; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined || word.isDynamic) continue;
    if (word.text === ';') return at;
    if (word.text === '+' && words[at - 1]?.text === '{}' && name.startsWith('-exec')) return at;
  }
  throw new Unclear(`${name} of find has no end`);
}

/** What the paths that are found certainly begin with. */
function foundPath(words: readonly Word[]): string {
  const starts: string[] = [];
  for (const { text, isDynamic } of words.slice(1)) {
    if (/^-[HLP]$/.test(text)) continue;
    if (/^-|^[(!]$/.test(text)) break;
    if (isDynamic && text === '') return '';
    starts.push(text.charAt(0));
  }
  if (words.some(({ text }) => /^-(?:files0-from|[DO]|-)/.test(text))) return '';
  const [first = '.'] = starts;
  return starts.every((one) => one === first) ? first : '';
}

function filled(word: Word, found: string): Word {
  const at = word.text.indexOf('{}');
  if (at < 0) return word;
  const text = at === 0 ? found : word.text.slice(0, at);
  return { text, isDynamic: true, becomes: at === 0 ? 'several' : 'one' };
}
