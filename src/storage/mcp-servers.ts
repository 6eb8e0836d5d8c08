import type { Kysely } from 'kysely';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';

/** A server of tools as stored: `sealed` is opened with secret-box.ts. */
export interface StoredMcpServer {
  name: string;
  /** Who set it last. */
  owner: string;
  sealed: string;
}

/** Every stored server, by name. */
export function listMcpServers(db: Kysely<Schema>): Promise<StoredMcpServer[]> {
  return db.selectFrom('mcp_servers').select(['name', 'owner', 'sealed']).orderBy('name').execute();
}

/** Stores a new server; false if there is one of this name. */
export async function insertMcpServer(db: Kysely<Schema>, server: StoredMcpServer): Promise<boolean> {
  const now = timestamp();
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('mcp_servers')
    .values({ ...server, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows > 0n;
}

/** Stores a server in place of what it was; false if there is none of this name. */
export async function updateMcpServer(db: Kysely<Schema>, { name, owner, sealed }: StoredMcpServer): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('mcp_servers')
    .set({ owner, sealed, updated_at: timestamp() })
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Forgets a server; false if there was none. */
export async function deleteMcpServer(db: Kysely<Schema>, name: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('mcp_servers').where('name', '=', name).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
