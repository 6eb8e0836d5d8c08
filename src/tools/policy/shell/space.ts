import type { Scan } from './scan.ts';
import { Unclear } from './unclear.ts';

const BLANKS = /[ \t]+/y;
const COMMENT = /#[^\n]*/y;

/** Passes blanks, lines that go on, and a comment; it is certain that no word has begun. */
export function skipBlanks(scan: Scan): void {
  for (;;) {
    if (scan.take(BLANKS) !== undefined) continue;
    if (scan.peek() === '\\' && scan.peek(1) === '\n') {
      if (scan.documents.length > 0) throw new Unclear('a line goes on before a here-document');
      scan.at += 2;
      continue;
    }
    if (scan.peek() !== '#') return;
    if (scan.substitutions > 0) throw new Unclear('a comment is in a substitution');
    scan.take(COMMENT);
    return;
  }
}

/** Whether a line has only characters that every shell reads alike; why not. */
export function strangeCharacter(line: string): string | undefined {
  // Everything but the blanks that are meant to be: NBSP and others look like one, and bidi marks change what is seen.
  const found = /[^\P{C}\t\n]|[^\P{Z} ]/u.exec(line)?.[0];
  if (found === undefined) return undefined;
  return `it has the character U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
