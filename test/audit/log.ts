import { type Kysely, sql } from 'kysely';
import { type AuditEntry, appendAudit } from '../../src/storage/audit.ts';
import { isPostgres } from '../../src/storage/dialect.ts';
import type { Schema } from '../../src/storage/schema.ts';

/** An entry with something in each field. */
export function entry(change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    owner: 'usr_anna',
    actor: 'usr_anna',
    credential: 'key_1',
    action: 'key.create',
    target: 'key_2',
    outcome: 'done',
    address: '192.0.2.7',
    requestId: 'req_1',
    details: { name: 'Änne' },
    ...change,
  };
}

/** Appends so many entries that all differ. */
export async function fill(db: Kysely<Schema>, rows: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (let i = 0; i < rows; i++) await appendAudit(tx, entry({ target: `key_${i}` }));
  });
}

/** What somebody does who means to change the log. */
export async function dropTriggers(db: Kysely<Schema>): Promise<void> {
  const statements = isPostgres(db)
    ? ['drop trigger audit_log_append_only on audit_log']
    : ['update', 'delete', 'replace'].map((change) => `drop trigger audit_log_no_${change}`);
  for (const statement of statements) await sql.raw(statement).execute(db);
}
