/** A piece of code and what it is (`keyword`); undefined: nothing, and outside of everything. */
export interface Span {
  text: string;
  kind: string | undefined;
}

/** Reads a piece of code that begins outside of everything. */
export type Highlight = (text: string, language: string) => Span[];

/** Some lines of code, read by themselves. */
export interface Segment {
  start: number;
  end: number;
  spans: readonly Span[];
}

/** Code that has been read up to some place. */
export interface Reading {
  /** What is certain: read no more, rendered no more. */
  done: readonly Segment[];
  /** What follows it may be read another way when there is more of it. */
  open: Segment | undefined;
  /** How many lines the next piece has. */
  lines: number;
  /** All that has been read. */
  text: string;
}

const LINES = 50;
const MOST_LINES = 400;
/** Lines may be long: a piece has this many characters at most. */
const MOST_CHARACTERS = 20_000;

export const NOTHING_READ: Reading = { done: [], open: undefined, lines: LINES, text: '' };

/** Code as it is, in pieces, for what no grammar is for. */
export const asItIs: Highlight = (text) => [{ text, kind: undefined }];

/**
 * Reads one more piece: so long code neither takes long at once nor is read twice when it grows.
 * @param end how far it may read.
 * @returns the same reading if there is nothing more.
 */
export function readOn(before: Reading, text: string, end: number, language: string, highlight: Highlight): Reading {
  const reading = text.startsWith(before.text) ? before : NOTHING_READ;
  const start = reading.done.at(-1)?.end ?? 0;
  if (start >= end || (reading.open?.end === end && reading.lines > countLines(text, start, end))) return reading;
  const cut = cutAfter(text, start, end, reading.lines);
  const piece = text.slice(start, cut);
  const segment = { start, end: cut, spans: highlight(piece, language) };
  const read = text.slice(0, cut);
  const isWhole = cut < end || countLines(text, start, cut) >= reading.lines;
  if (!isWhole) return { ...reading, open: segment, text: read };
  if (isOutside(segment) || reading.lines >= MOST_LINES || piece.length >= MOST_CHARACTERS)
    return { done: [...reading.done, segment], open: undefined, lines: LINES, text: read };
  return { ...reading, open: segment, lines: reading.lines * 2, text: read };
}

/** Is it certain that no string and no comment goes on behind it? */
function isOutside({ spans }: Segment): boolean {
  const last = spans.at(-1);
  return last !== undefined && last.kind === undefined && last.text.endsWith('\n');
}

function cutAfter(text: string, start: number, end: number, lines: number): number {
  let at = start;
  for (let line = 0; line < lines; line++) {
    const next = text.indexOf('\n', at) + 1;
    if (next === 0 || next > end) return Math.min(end, start + MOST_CHARACTERS);
    if (next - start > MOST_CHARACTERS) return at === start ? start + MOST_CHARACTERS : at;
    at = next;
  }
  return at;
}

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', start) + 1; at !== 0 && at <= end; at = text.indexOf('\n', at) + 1) count += 1;
  return count;
}
