import type { Kysely } from 'kysely';
import { type AuditHead, hasStrayAudit, readAudit, readAuditHead } from '../storage/audit.ts';
import { GENESIS, hashOf } from '../storage/audit-chain.ts';
import type { Schema } from '../storage/schema.ts';

const PAGE = 500;

/** The first row that is not as it was written; `reason` goes on after "row 17 is bad: ". */
interface BadRow {
  badSeq: number;
  reason: string;
}

/** The log is whole, or it is not. */
export type AuditVerdict = { rows: number; head: AuditHead } | BadRow;

/**
 * Walks the whole log, as it is at one moment; others may go on appending.
 * @param noted a head that an earlier walk gave and that was kept elsewhere: only by it is it seen when the log was
 * rewritten from a row on, or cut off, together with its head.
 */
export async function verifyAudit(db: Kysely<Schema>, noted?: AuditHead): Promise<AuditVerdict> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const last = await walk(tx, noted);
      return 'reason' in last ? last : await checkEnd(tx, last, noted);
    });
}

async function walk(tx: Kysely<Schema>, noted: AuditHead | undefined): Promise<AuditHead | BadRow> {
  let last: AuditHead = { seq: 0, hash: GENESIS };
  for (;;) {
    const rows = await readAudit(tx, last.seq, PAGE);
    for (const row of rows) {
      const seq = last.seq + 1;
      if (row.seq !== seq) return { badSeq: seq, reason: 'it is missing' };
      if (row.hash !== hashOf(last.hash, row)) return { badSeq: seq, reason: 'its content does not fit its hash' };
      if (seq === noted?.seq && row.hash !== noted.hash) {
        return { badSeq: seq, reason: 'its hash is not the noted one: it or a row before it was rewritten' };
      }
      last = { seq, hash: row.hash };
    }
    if (rows.length < PAGE) return last;
  }
}

/** @param last the last row of an unbroken chain. */
async function checkEnd(tx: Kysely<Schema>, last: AuditHead, noted: AuditHead | undefined): Promise<AuditVerdict> {
  const next = last.seq + 1;
  if (await hasStrayAudit(tx)) return { badSeq: next, reason: 'there is one with a number below 1 or beyond 2^53' };
  const head = await readAuditHead(tx);
  if (!head) return { badSeq: next, reason: 'the head of the log is missing, so rows may be too from here on' };
  if (head.seq < last.seq) {
    const badSeq = Math.max(Math.trunc(head.seq), 0) + 1;
    return { badSeq, reason: `the head of the log is at row ${head.seq}, before it` };
  }
  if (head.seq !== last.seq)
    return { badSeq: next, reason: `it is missing: the head of the log is at row ${head.seq}` };
  if (head.hash !== last.hash)
    return { badSeq: last.seq, reason: 'its hash is not the one that the head of the log has' };
  if (noted && noted.seq > last.seq)
    return { badSeq: next, reason: `it is missing: the noted head is at row ${noted.seq}` };
  return { rows: last.seq, head: last };
}
