import type { TableSum } from './checksum.ts';
import { type Progress, type Reader, sumTable } from './reader.ts';
import { requireSameShapes, type Shapes, TABLES, type TableName } from './tables.ts';
import type { Target } from './target.ts';

/** What was moved of each table. */
export type TableSums = ReadonlyMap<TableName, TableSum>;

/**
 * Copies all tables into an empty database, reads both sides once more, each for itself, and compares them.
 * @returns rows and checksum of each table, which are those of both sides.
 * @throws Error that names the table in which they differ, or a row cannot be stored.
 */
export async function copyTables(source: Reader, target: Target, progress: Progress): Promise<TableSums> {
  const shapes = await source.shapes();
  requireSameShapes(shapes, await target.shapes());
  const tables = TABLES.filter((table) => shapes.has(table));
  for (const table of tables) await copyTable(source, target, table, shapes, progress);
  await target.setLastNumbers(await source.lastNumbers());
  const expected = await sumTables(source, shapes, progress);
  const found = await target.readAgain((reader) => sumTables(reader, shapes, progress));
  requireSameSums(expected, found, 'the copy is not the same as the source');
  return expected;
}

/** Adds all tables up. */
export async function sumTables(reader: Reader, shapes: Shapes, progress: Progress): Promise<TableSums> {
  const sums = new Map<TableName, TableSum>();
  for (const table of TABLES) {
    const columns = shapes.get(table);
    if (!columns) continue;
    const total = await reader.count(table);
    let done = 0;
    progress(table, 'check', 0, total);
    const sum = await sumTable(reader, table, columns, (rows) => {
      done += rows;
      progress(table, 'check', done, total);
    });
    sums.set(table, sum);
  }
  return sums;
}

/** @throws Error that begins with `message` and names the first table in which they differ. */
export function requireSameSums(expected: TableSums, found: TableSums, message: string): void {
  for (const table of new Set([...expected.keys(), ...found.keys()])) {
    const [here, there] = [expected.get(table), found.get(table)];
    if (here?.rows !== there?.rows)
      throw new Error(
        `${message}: the table ${table} has ${there?.rows ?? 'no'} rows in place of ${here?.rows ?? 'none'}`,
      );
    if (here?.checksum !== there?.checksum)
      throw new Error(`${message}: the table ${table} has other values, its checksum is ${there?.checksum}`);
  }
}

async function copyTable(
  source: Reader,
  target: Target,
  table: TableName,
  shapes: Shapes,
  progress: Progress,
): Promise<void> {
  const columns = shapes.get(table) ?? [];
  const total = await source.count(table);
  let done = 0;
  progress(table, 'copy', 0, total);
  for await (const rows of source.read(table, columns)) {
    try {
      await target.insert(table, columns, rows);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`rows ${done + 1} to ${done + rows.length} of ${table} cannot be stored: ${reason}`, {
        cause: error,
      });
    }
    done += rows.length;
    progress(table, 'copy', done, total);
  }
}
