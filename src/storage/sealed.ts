import { type Kysely, sql } from 'kysely';
import { AppError } from '../errors.ts';
import { isPostgres } from './dialect.ts';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { open, seal } from './secret-box.ts';
import { fingerprintOf } from './secret-key.ts';

/** Every table with a column `sealed`, and the column that says which row it is. */
const SEALED = { provider_settings: 'type', mcp_servers: 'name' } as const;

type SealedTable = keyof typeof SEALED;

/** A sealed text where it is stored. */
export interface SealedRow {
  table: SealedTable;
  id: string;
  sealed: string;
}

/** In `server_settings`: of the key that everything is sealed with; '' if no server has started with it yet. */
const FINGERPRINT = 'secret_key';

/** Binds a sealed text to its row, so that it cannot be moved to another one: the context of `seal` and `open`. */
export function sealContext(table: SealedTable, id: string): string {
  return `${table}/${id}`;
}

/**
 * Does `work` in a transaction in which everything is certainly sealed with this key, and stays so until its end:
 * what it reads can be opened, and what it writes nobody seals anew without it.
 * @throws AppError `conflict` if the key was rotated since this process has read it.
 */
export async function withSecretKey<T>(
  db: Kysely<Schema>,
  key: Buffer,
  work: (tx: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  return await db.transaction().execute(async (tx) => {
    const stored = await lockFingerprint(tx);
    if (stored !== '' && stored !== fingerprintOf(key)) {
      throw new AppError('conflict', 'The secret key was rotated; restart this server with the new one');
    }
    return await work(tx);
  });
}

/**
 * The fingerprint of the key in force, '' if there is none yet; nobody else changes it, or seals anything, until the
 * transaction ends.
 */
export async function lockFingerprint(tx: Kysely<Schema>): Promise<string> {
  await tx
    .insertInto('server_settings')
    .values({ key: FINGERPRINT, owner: 'local', value: '', updated_at: timestamp() })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  const row = tx.selectFrom('server_settings').select('value').where('key', '=', FINGERPRINT);
  // SQLite's transaction is itself a lock.
  return (await (isPostgres(tx) ? row.forUpdate() : row).executeTakeFirstOrThrow()).value;
}

/** Says with which key everything is sealed from now on. */
export async function putFingerprint(tx: Kysely<Schema>, key: Buffer): Promise<void> {
  await tx
    .updateTable('server_settings')
    .set({ value: fingerprintOf(key), updated_at: timestamp() })
    .where('key', '=', FINGERPRINT)
    .execute();
}

/** Writes it once more, and no other: what is committed is on the disk when a later commit is. */
export async function touchFingerprint(tx: Kysely<Schema>): Promise<void> {
  await tx.updateTable('server_settings').set({ updated_at: timestamp() }).where('key', '=', FINGERPRINT).execute();
}

/** The sealed texts that this key does not open. */
export async function findUnreadable(tx: Kysely<Schema>, key: Buffer): Promise<SealedRow[]> {
  return (await listSealed(tx)).filter(({ table, id, sealed }) => {
    try {
      open(sealed, key, sealContext(table, id));
      return false;
    } catch {
      return true;
    }
  });
}

/** Deletes rows with all that is sealed in them. */
export async function deleteSealed(tx: Kysely<Schema>, rows: readonly SealedRow[]): Promise<void> {
  for (const { table, id } of rows) {
    await sql`delete from ${sql.table(table)} where ${sql.ref(SEALED[table])} = ${id}`.execute(tx);
  }
}

/** Seals everything with another key. @returns how many texts. @throws Error if one cannot be opened. */
export async function resealAll(tx: Kysely<Schema>, from: Buffer, to: Buffer): Promise<number> {
  const rows = await listSealed(tx);
  for (const { table, id, sealed } of rows) {
    const context = sealContext(table, id);
    const again = seal(open(sealed, from, context), to, context);
    await sql`update ${sql.table(table)} set sealed = ${again} where ${sql.ref(SEALED[table])} = ${id}`.execute(tx);
  }
  await putFingerprint(tx, to);
  return rows.length;
}

async function listSealed(tx: Kysely<Schema>): Promise<SealedRow[]> {
  const all: SealedRow[] = [];
  for (const [table, id] of Object.entries(SEALED) as [SealedTable, string][]) {
    const { rows } = await sql<{ id: string; sealed: string }>`
      select ${sql.ref(id)} as id, sealed from ${sql.table(table)} order by 1`.execute(tx);
    for (const row of rows) all.push({ table, ...row });
  }
  return all;
}
