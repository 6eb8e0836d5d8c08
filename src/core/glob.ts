import { compileAutomaton, type Step } from './glob-automaton.ts';

const MAX_LENGTH = 1000;
/** How many patterns braces may stand for. */
const MAX_ALTERNATIVES = 64;
/** Stands for a part of the pattern that is literal, whatever it would mean otherwise. */
type Item = string | { quoted: string };

/**
 * Reads a glob of paths in a folder (`src/a.ts`; the folder itself is `.`): `*` and `?` within a name, `[abc]`, `[!a-z]`,
 * `{a,b}`, and `**` as a whole part for any folders, also none, so that `src/**` is `src` and all below it. A backslash
 * takes a character for what it is. Case counts. A name that begins with a dot is a name like all others: it must not
 * slip by a rule. Whatever the pattern, matching takes time in proportion to the path.
 * @throws Error that says what is wrong with it.
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  if (pattern.length > MAX_LENGTH) throw new Error(`A glob has at most ${MAX_LENGTH} characters`);
  const wrong = (what: string): Error => new Error(`${JSON.stringify(pattern)} is not a glob of paths: ${what}`);
  if (pattern === '') throw wrong('it is empty');
  if (pattern === '.') return (path) => path === '.';
  const alternatives = expand(itemsOf(pattern, wrong), wrong).map((items) => partsOf(items, wrong));
  const isMatch = compileAutomaton(alternatives.map((parts) => stepsOf(parts, wrong)));
  const matchesRoot = alternatives.some((parts) => parts.every(isAnyFolders));
  const starts = alternatives.map(startOf);
  const canMatch = (path: string): boolean => starts.some((start) => isWithin(path, start));
  return (path) => (path === '.' ? matchesRoot : canMatch(path) && isMatch(path));
}

/** Its characters, those after a backslash marked. */
function itemsOf(pattern: string, wrong: (what: string) => Error): Item[] {
  const items: Item[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character !== '\\') items.push(character);
    else {
      const quoted = characters[++at];
      if (quoted === undefined) throw wrong('nothing follows the last backslash');
      if (quoted === '/') throw wrong('a slash always parts names');
      items.push({ quoted });
    }
  }
  return items;
}

/** Without its braces: the patterns that they stand for. */
function expand(items: readonly Item[], wrong: (what: string) => Error): Item[][] {
  const start = items.indexOf('{');
  if (start < 0) {
    if (items.includes('}')) throw wrong('a } has no {');
    return [[...items]];
  }
  const commas: number[] = [];
  let depth = 0;
  let end = start;
  for (; end < items.length; end++) {
    if (items[end] === '{') depth++;
    else if (items[end] === '}' && --depth === 0) break;
    else if (items[end] === ',' && depth === 1) commas.push(end);
  }
  if (end === items.length) throw wrong('a { has no }');
  const cuts = [start, ...commas, end];
  if (cuts.length - 1 > MAX_ALTERNATIVES) throw wrong(`its braces stand for more than ${MAX_ALTERNATIVES} patterns`);
  const rests = expand(items.slice(end + 1), wrong);
  const heads = cuts
    .slice(1)
    .flatMap((cut, index) => expand(items.slice((cuts[index] ?? 0) + 1, cut), wrong))
    .map((inner) => [...items.slice(0, start), ...inner]);
  if (items.slice(0, start).includes('}')) throw wrong('a } has no {');
  if (heads.length * rests.length > MAX_ALTERNATIVES)
    throw wrong(`its braces stand for more than ${MAX_ALTERNATIVES} patterns`);
  return heads.flatMap((head) => rests.map((rest) => [...head, ...rest]));
}

/** Between its slashes. */
function partsOf(items: readonly Item[], wrong: (what: string) => Error): Item[][] {
  const parts: Item[][] = [[]];
  for (const item of items) {
    if (item === '/') parts.push([]);
    else parts.at(-1)?.push(item);
  }
  for (const [index, part] of parts.entries()) {
    if (part.length === 0 && index === 0) throw wrong('it must not begin with a slash: paths are relative');
    if (part.length === 0) throw wrong('a name is empty; all below a folder is src/**');
    const text = part.map((item) => (typeof item === 'string' ? item : item.quoted)).join('');
    if (text === '.' || text === '..') throw wrong(`a part of it is ${text}, which no path has`);
  }
  return parts;
}

/** The folder that all matches are in, or which they are; '': any. Most paths differ from most globs there. */
function startOf(parts: readonly (readonly Item[])[]): string {
  const isLiteral = (item: Item): boolean => typeof item !== 'string' || !'*?['.includes(item);
  const end = parts.findIndex((part) => !part.every(isLiteral));
  const names = parts.slice(0, end < 0 ? parts.length : end);
  return names.map((name) => name.map((item) => (typeof item === 'string' ? item : item.quoted)).join('')).join('/');
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder) && (folder === '' || path.length === folder.length || path[folder.length] === '/');
}

function isAnyFolders(part: readonly Item[]): boolean {
  return part.length === 2 && part[0] === '*' && part[1] === '*';
}

function stepsOf(parts: readonly (readonly Item[])[], wrong: (what: string) => Error): Step[] {
  const steps: Step[] = [];
  // Two in a row say no more than one.
  const kept = parts.filter((part, index) => !(isAnyFolders(part) && isAnyFolders(parts[index + 1] ?? [])));
  for (const [index, part] of kept.entries()) {
    const isLast = index === kept.length - 1;
    if (isAnyFolders(part)) steps.push({ kind: isLast ? (index === 0 ? 'all' : 'below') : 'folders' });
    else {
      steps.push(...nameSteps(part, wrong));
      // `below` has its own slash, since it is also there without one.
      if (!isLast && !(index === kept.length - 2 && isAnyFolders(kept.at(-1) ?? []))) steps.push(oneOf('/'));
    }
  }
  return steps;
}

function nameSteps(part: readonly Item[], wrong: (what: string) => Error): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < part.length; at++) {
    const item = part[at];
    if (item === '*') {
      if (part[at + 1] === '*') throw wrong('** stands alone between slashes, as in src/**/*.ts');
      steps.push({ kind: 'name' });
    } else if (item === '?') steps.push({ kind: 'one', test: (character) => character !== '/' });
    else if (item === '[') {
      const { test, end } = classAt(part, at, wrong);
      steps.push({ kind: 'one', test });
      at = end;
    } else if (item !== undefined) steps.push(oneOf(typeof item === 'string' ? item : item.quoted));
  }
  return steps;
}

function oneOf(literal: string): Step {
  return { kind: 'one', test: (character) => character === literal };
}

/** `[a-z]`, `[!a-z]`; a `]` at its beginning is one of it. */
function classAt(
  part: readonly Item[],
  start: number,
  wrong: (what: string) => Error,
): { test: (character: string) => boolean; end: number } {
  const isNegative = part[start + 1] === '!' || part[start + 1] === '^';
  const first = start + (isNegative ? 2 : 1);
  const end = part.indexOf(']', first + 1);
  if (end < 0) throw wrong('a [ has no ]');
  const inner = part.slice(first, end);
  const texts = inner.map((item) => (typeof item === 'string' ? item : item.quoted));
  const ranges: { from: number; to: number }[] = [];
  for (let at = 0; at < texts.length; at++) {
    const from = texts[at]?.codePointAt(0) ?? 0;
    const isRange = inner[at + 1] === '-' && at + 2 < texts.length;
    const to = isRange ? (texts[at + 2]?.codePointAt(0) ?? 0) : from;
    if (to < from) throw wrong(`the range ${texts.slice(at, at + 3).join('')} is the wrong way round`);
    ranges.push({ from, to });
    if (isRange) at += 2;
  }
  const isIn = (character: string): boolean => {
    const point = character.codePointAt(0) ?? 0;
    return ranges.some(({ from, to }) => from <= point && point <= to);
  };
  return { test: (character) => character !== '/' && isIn(character) !== isNegative, end };
}
