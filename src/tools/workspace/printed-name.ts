import type { ListedName } from './folder.ts';

/** What nobody sees, or what breaks lines. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** A name or path as one word of a line: quoted if it could be taken for something else. */
export function printedName(name: string): string {
  if (/^(?!\s)[^\p{Cc}\p{Cf}\u2028\u2029"]+(?<!\s)$/u.test(name)) return name;
  return JSON.stringify(name).replace(UNSEEN, (character) =>
    Array.from({ length: character.length }, (_, unit) => character.charCodeAt(unit))
      .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** The same for what a folder lists. */
export function printedEntry({ name, raw }: Pick<ListedName, 'name' | 'raw'>): string {
  if (name !== undefined) return printedName(name);
  // As bytes: what they mean is not known.
  const text = raw.replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${text}" [not UTF-8: no file tool can open it]`;
}
