import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Schema } from './schema.ts';

/** A row of the audit log as it is stored. */
export type AuditRow = Selectable<Schema['audit_log']>;

/** What the first row follows. */
export const GENESIS = '';

/**
 * The hash of a row that follows the one with `previousHash`: SHA-256 in hex of a JSON array of `previousHash` and all
 * the row's other columns in the table's order. JSON, because no two rows have the same: plain text put together could
 * move a character from one column to the next.
 */
export function hashOf(previousHash: string, row: Omit<AuditRow, 'hash'>): string {
  const fields = [
    previousHash,
    row.seq,
    row.at,
    row.owner,
    row.actor,
    row.credential,
    row.action,
    row.target,
    row.outcome,
    row.address,
    row.request_id,
    row.details,
  ];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}
