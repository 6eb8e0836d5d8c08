import type { Kysely, Selectable } from 'kysely';
import type { AccessSchema, AccountStatus, Role } from './access-schema.ts';
import { type Page, readPage } from './rows.ts';
import type { Schema } from './schema.ts';
import { isStorable, requireStorable } from './text.ts';

/** An API key as stored. Times are ISO-8601 UTC. */
export type KeyRow = Selectable<AccessSchema['api_keys']>;

/** A key with what its account may do now; the account's columns are null for a key that was made without one. */
export type FoundKey = Pick<
  KeyRow,
  'id' | 'owner' | 'account' | 'name' | 'scopes' | 'rate_limit' | 'expires_at' | 'last_used_at'
> & {
  role: Role | null;
  status: AccountStatus | null;
  account_limit: number | null;
  /** The key's id, and the account's, if they have a budget. */
  key_budget: string | null;
  account_budget: string | null;
};

/** Stores a key. Throws InvalidRequestError for text that cannot be stored. */
export async function insertKey(db: Kysely<Schema>, key: KeyRow): Promise<void> {
  requireStorable({ name: key.name });
  await db.insertInto('api_keys').values(key).execute();
}

/** The key of this hash, expired or not. */
export async function findKey(db: Kysely<Schema>, hash: string): Promise<FoundKey | undefined> {
  return await db
    .selectFrom('api_keys as k')
    .leftJoin('accounts as a', 'a.id', 'k.account')
    .leftJoin('budgets as b', 'b.subject', 'k.id')
    .leftJoin('budgets as c', 'c.subject', 'k.account')
    .select(['k.id', 'k.owner', 'k.account', 'k.name', 'k.scopes', 'k.rate_limit', 'k.expires_at', 'k.last_used_at'])
    .select(['a.role', 'a.status', 'a.rate_limit as account_limit'])
    .select(['b.subject as key_budget', 'c.subject as account_budget'])
    .where('k.hash', '=', hash)
    .executeTakeFirst();
}

/** A page of an owner's keys, newest first, and how many there are. */
export async function listKeys(
  db: Kysely<Schema>,
  owner: string,
  page: Page,
): Promise<{ rows: KeyRow[]; total: number }> {
  const query = db
    .selectFrom('api_keys')
    .selectAll()
    .where('owner', '=', owner)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc');
  return await readPage(query, page);
}

/** Notes when a key was last used. */
export async function touchKey(
  db: Kysely<Schema>,
  { id, owner }: Pick<KeyRow, 'id' | 'owner'>,
  at: string,
): Promise<void> {
  await db.updateTable('api_keys').set({ last_used_at: at }).where('id', '=', id).where('owner', '=', owner).execute();
}

/** Deletes a key of this owner; undefined if there is none. */
export async function deleteKey(db: Kysely<Schema>, owner: string, id: string): Promise<KeyRow | undefined> {
  if (!isStorable(id)) return undefined;
  return await db
    .deleteFrom('api_keys')
    .where('owner', '=', owner)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}
