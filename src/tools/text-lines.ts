/** Which lines, and how much of them. */
export interface LineRange {
  /** The first line, counted from 1. */
  offset: number;
  /** How many lines at most. */
  limit: number;
  /** How many UTF-16 units at most. */
  maxChars: number;
}

/** Lines of a text. */
export interface TextLines {
  /** Whole lines with their ends; '' if the text ends before the first of them. */
  shown: string;
  /** The line after them; absent if the text ends with them. */
  next?: number;
  /** The first line alone was too long, and only its beginning is there. */
  isCut: boolean;
}

/** Takes lines out of a text that comes in pieces, and reads no further than it must. */
export async function takeLines(pieces: AsyncIterable<string>, range: LineRange): Promise<TextLines> {
  const { offset, limit, maxChars } = range;
  let skipped = 1;
  let text = '';
  let whole = 0;
  for await (const piece of pieces) {
    let start = 0;
    for (; skipped < offset; skipped++) {
      start = piece.indexOf('\n', start) + 1;
      if (start === 0) break;
    }
    if (skipped < offset) continue;
    // Where the last of the lines ends, if that was seen before, is the end of what was taken.
    if (whole === limit && start < piece.length) return cut(text, range, true);
    const end = endOfLines(piece, start, limit - whole);
    text += piece.slice(start, end.index);
    whole += end.count;
    if (text.length > maxChars || end.index < piece.length) return cut(text, range, true);
  }
  return cut(text, range, false);
}

/** Where the `count`th line ends, or else the piece, and how many lines end until there. */
function endOfLines(piece: string, start: number, count: number): { index: number; count: number } {
  let index = start;
  for (let found = 0; found < count; found++) {
    const end = piece.indexOf('\n', index);
    if (end === -1) return { index: piece.length, count: found };
    index = end + 1;
  }
  return { index, count };
}

function cut(text: string, { offset, maxChars }: LineRange, hasMore: boolean): TextLines {
  if (text.length <= maxChars)
    return hasMore ? { shown: text, next: offset + countLines(text), isCut: false } : { shown: text, isCut: false };
  const shown = text.slice(0, text.lastIndexOf('\n', maxChars - 1) + 1);
  if (shown !== '') return { shown, next: offset + countLines(shown), isCut: false };
  // A character of two units must not be cut in two.
  return { shown: text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, ''), next: offset + 1, isCut: true };
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}
