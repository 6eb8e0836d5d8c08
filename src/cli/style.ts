import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { readableText } from '../core/readable-text.ts';

/** How texts look on one stream: as they are, unless it is a terminal that shows colours and nobody has set NO_COLOR. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  accent(text: string): string;
}

export function styleOf(stream: Writable): Style {
  const as =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      text === '' ? '' : styleText(format, text, { stream });
  return {
    bold: as('bold'),
    dim: as('dim'),
    good: as('green'),
    bad: as('red'),
    warn: as('yellow'),
    accent: as('cyan'),
  };
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** East Asian wide and full-width characters, and emoji that are shown as pictures. */
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

/** What a reader takes for one character, each with its index. */
export function graphemes(text: string): Intl.SegmentData[] {
  return [...GRAPHEMES.segment(text)];
}

/** How many columns a text takes on a terminal, as far as that can be known. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += ZERO.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text, or as much of its beginning as fits into so many columns, with an ellipsis. */
export function fitted(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let out = '';
  let width = 1;
  for (const { segment } of GRAPHEMES.segment(text)) {
    width += widthOf(segment);
    if (width > columns) break;
    out += segment;
  }
  return `${out}…`;
}

/** The same text with line ends between its words, so that no line is wider than so many columns if words allow it. */
export function wrapped(text: string, columns: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** A text from elsewhere on one line, with nothing in it that acts on a terminal. */
export function onOneLine(text: string): string {
  return readableText(text).replace(/\s+/g, ' ').trim();
}
