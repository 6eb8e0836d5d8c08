import { plainJson } from './plain-json.ts';
import { fitted, onOneLine, widthOf } from './style.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** A column: its heading, and what stands in it; null shows as `-`. */
export interface Column<Row> {
  heading: string;
  of: (row: Row) => string | number | null;
  /** Must not be cut: somebody will copy it. */
  isWhole?: boolean;
}

const GAP = '  ';
/** A cell is cut to no less than this. */
const LEAST = 8;

/**
 * Writes rows below their headings, aligned. On a terminal the widest columns are cut until a row fits into a line.
 * @param none what is said where there are no rows.
 */
export function writeTable<Row>(
  terminal: Pick<Terminal, 'output'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  none: string,
): void {
  if (rows.length === 0) {
    writeLine(terminal, none);
    return;
  }
  const cells = [columns.map(({ heading }) => heading), ...rows.map((row) => columns.map(({ of }) => cell(of(row))))];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => widthOf(line[at] ?? ''))));
  const { isTTY, columns: room = 80 } = terminal.output;
  const isWhole = columns.map((column) => column.isWhole === true);
  if (isTTY) narrow(widths, isWhole, room);
  for (const line of cells) {
    const padded = line.map((text, at) => filled(fitted(text, widths[at] ?? 0), widths[at] ?? 0));
    writeLine(terminal, padded.join(GAP).trimEnd());
  }
}

/** Writes a value as JSON, for programs. */
export function writeJson(terminal: Pick<Terminal, 'output'>, value: unknown): void {
  writeLine(terminal, plainJson(value, 2));
}

/** A time for people, to the minute, in UTC; null stays null. @param time ISO-8601 */
export function toMinute(time: string | null): string | null {
  return time === null ? null : time.slice(0, 16).replace('T', ' ');
}

/** What others have written must not act on the terminal, nor begin a line. */
function cell(value: string | number | null): string {
  return value === null ? '-' : onOneLine(String(value));
}

function narrow(widths: number[], isWhole: readonly boolean[], room: number): void {
  const total = (): number => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > room) {
    const widest = Math.max(...widths.filter((_, at) => !isWhole[at]));
    if (widest <= LEAST) return;
    widths[widths.findIndex((width, at) => width === widest && !isWhole[at])] = widest - 1;
  }
}

function filled(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
