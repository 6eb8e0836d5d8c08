import { RowSum, type TableSum } from './checksum.ts';
import type { Column, Row, Shapes, TableName } from './tables.ts';

/** Reads one state of a database, whatever others write to it meanwhile. */
export interface Reader {
  /** The names of the migrations that were applied, in their order; empty: none of our tables are there. */
  migrations(): Promise<string[]>;
  /** The tables of `TABLES` that are there. */
  shapes(): Promise<Shapes>;
  count(table: TableName): Promise<number>;
  /** All rows in some order, in batches that are small enough to be held. Only one table is read at a time. */
  read(table: TableName, columns: readonly Column[]): AsyncIterable<readonly Row[]>;
  /** Of tables whose keys are counted: the last one that was given, of a row that may be gone. */
  lastNumbers(): Promise<Map<string, number>>;
}

/** Rows of a batch, at most. */
export const BATCH_ROWS = 500;
/** Characters of a batch after which it is handed on. */
export const BATCH_SIZE = 4_000_000;

/** Is told how far a table is. */
export type Progress = (table: TableName, step: 'copy' | 'check', done: number, total: number) => void;

/** Adds all rows of a table up. @param seen is told after each batch how many rows there were. */
export async function sumTable(
  reader: Reader,
  table: TableName,
  columns: readonly Column[],
  seen: (rows: number) => void = () => {},
): Promise<TableSum> {
  const sum = new RowSum(columns);
  for await (const rows of reader.read(table, columns)) {
    for (const row of rows) sum.add(row);
    seen(rows.length);
  }
  return sum.result();
}

/** About how many characters a row is. */
export function sizeOf(row: Row): number {
  let size = 0;
  for (const value of row) size += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
  return size;
}
