import type { Reader } from './reader.ts';
import type { Column, Row, TableName } from './tables.ts';

/** An empty database that is being filled, and that nobody sees before it is whole. */
export interface Target {
  shapes: Reader['shapes'];
  insert(table: TableName, columns: readonly Column[], rows: readonly Row[]): Promise<void>;
  /** @param numbers as `lastNumbers` of a reader gives them. */
  setLastNumbers(numbers: ReadonlyMap<string, number>): Promise<void>;
  /** Reads what was written, from where it is written. Nothing may be inserted any more. */
  readAgain<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
}

/** How a database is to be filled. */
export interface Filling {
  /** Which migrations the source has had: the target gets the same, and the rest at its server's next start. */
  migrations: readonly string[];
  /** What is there already is put aside, under this name with the time; undefined: then it is refused. */
  replaced: string | undefined;
}
