import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** Which part of a list: at most `limit` rows (≥ 1) after the first `offset` (≥ 0). */
export interface Page {
  limit: number;
  offset: number;
}

/** The rows of one page of an ordered query, and how many rows it has in all. */
export async function readPage<Table extends keyof Schema, Row>(
  query: SelectQueryBuilder<Schema, Table, Row>,
  { limit, offset }: Page,
): Promise<{ rows: Row[]; total: number }> {
  const rows = await query.limit(limit).offset(offset).execute();
  // A page that is not full is the last one, unless it lies beyond the end.
  if (rows.length < limit && (rows.length > 0 || offset === 0)) return { rows, total: offset + rows.length };
  const { total } = await query
    .clearSelect()
    .clearOrderBy()
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows, total };
}

/** Deletes one row of this owner; false if there is none. */
export async function deleteRow(
  db: Kysely<Schema>,
  table: 'tasks' | 'presets',
  owner: string,
  id: string,
): Promise<boolean> {
  if (!isStorable(id)) return false;
  const { numDeletedRows } = await db
    .deleteFrom(table)
    .where('owner', '=', owner)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/**
 * The row that kept another one with its id from being stored.
 * @throws Error if there is none of this owner: the id is somebody else's, or was free again a moment later.
 */
export function requireExisting<Row>(row: Row | undefined, id: string): Row {
  if (row === undefined) throw new Error(`the id ${id} is taken`);
  return row;
}

/** The time of a change, as every table stores it: ISO-8601 UTC with milliseconds. */
export function timestamp(): string {
  return new Date().toISOString();
}

/** Labels as the column keeps them; undefined stays undefined, for columns that do not change. */
export function labelsToText(labels: string[]): string;
export function labelsToText(labels: string[] | undefined): string | undefined;
export function labelsToText(labels: string[] | undefined): string | undefined {
  return labels === undefined ? undefined : JSON.stringify(labels);
}

/** Labels out of their column. */
export function labelsFromText(text: string): string[] {
  return JSON.parse(text);
}
