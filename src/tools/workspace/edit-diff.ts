import type { Edit, EditedText } from './text-edit.ts';

const MAX_LINES = 80;
const MAX_LINE_CHARS = 300;

/** Whole lines of the text before, and what became of them. */
interface Region {
  start: number;
  end: number;
  after: string;
}

/** What an edit has changed: `-12: before` and `+12: after`, a line each, up to a bound. */
export function editDiff(before: string, edit: Edit, { places }: EditedText): string {
  const lines: string[] = [];
  let line = 1;
  let shift = 0;
  let counted = 0;
  for (const { start, end, after } of regionsOf(before, edit, places)) {
    line += countLines(before.slice(counted, start));
    counted = start;
    const removed = linesOf(before.slice(start, end));
    const added = linesOf(after);
    let same = 0;
    while (same < removed.length && same < added.length && removed[same] === added[same]) same++;
    let tail = 0;
    while (tail < Math.min(removed.length, added.length) - same && removed.at(-1 - tail) === added.at(-1 - tail))
      tail++;
    const number = (sign: string, from: number) => (text: string, index: number) =>
      `${sign}${from + same + index}: ${cut(text)}`;
    lines.push(
      ...removed.slice(same, removed.length - tail).map(number('-', line)),
      ...added.slice(same, added.length - tail).map(number('+', line + shift)),
    );
    shift += added.length - removed.length;
    if (lines.length > MAX_LINES) break;
  }
  const more = lines.length > MAX_LINES ? ['[… more changed lines …]'] : [];
  return [...lines.slice(0, MAX_LINES), ...more].join('\n');
}

/** The changed places as whole lines; those that share a line are one. */
function regionsOf(before: string, edit: Edit, places: readonly number[]): Region[] {
  const regions: Region[] = [];
  for (const place of places) {
    const last = regions.at(-1);
    const start = place === 0 ? 0 : before.lastIndexOf('\n', place - 1) + 1;
    const newline = before.indexOf('\n', place + edit.old.length);
    const end = newline === -1 ? before.length : newline + 1;
    const rest = before.slice(place + edit.old.length, end);
    if (last && place < last.end) {
      // What of the line was thought to stay is changed as well.
      const kept = last.after.slice(0, last.after.length - (last.end - place));
      regions[regions.length - 1] = { start: last.start, end, after: kept + edit.new + rest };
    } else regions.push({ start, end, after: before.slice(start, place) + edit.new + rest });
  }
  return regions;
}

/** With what ends them, so that a changed line end is seen as a change. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

function cut(line: string): string {
  const text = line.replace(/\r?\n$/, '');
  return text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)}…` : text;
}
