import { graphemes, widthOf } from './style.ts';

/** A draft as rows of a terminal, and where the cursor is among them, both from 0. */
export interface Layout {
  rows: string[];
  row: number;
  column: number;
}

const TAB = '  ';

/**
 * Breaks a draft into rows. Lines after the first are indented as far as the label is wide.
 * @param columns of the terminal; the last one stays free, since terminals differ in what follows a full row.
 * @param height how many rows may be shown at most; those around the cursor are.
 */
export function layOut(
  { text, cursor }: { text: string; cursor: number },
  labelWidth: number,
  columns: number,
  height: number,
): Layout {
  const most = Math.max(columns - 1, labelWidth + 2);
  const rows = [''];
  let width = labelWidth;
  const place = { row: 0, column: labelWidth };
  const begin = (): void => {
    rows.push('');
    width = labelWidth;
  };
  for (const { segment, index } of graphemes(text)) {
    const shown = segment === '\t' ? TAB : segment;
    const wide = widthOf(shown);
    if (segment !== '\n' && width + wide > most) begin();
    if (index <= cursor) Object.assign(place, { row: rows.length - 1, column: width });
    if (segment === '\n') begin();
    else {
      rows[rows.length - 1] += shown;
      width += wide;
    }
  }
  if (cursor >= text.length) Object.assign(place, { row: rows.length - 1, column: width });
  const first = Math.max(0, Math.min(place.row - height + 1, rows.length - height));
  const shown = rows.slice(first, first + height);
  return { rows: shown, row: place.row - first, column: place.column };
}
