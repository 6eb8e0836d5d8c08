import type { Kysely, Selectable } from 'kysely';
import type { AccessSchema } from './access-schema.ts';
import { isPostgres } from './dialect.ts';
import { type Page, readPage, timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { requireStorable } from './text.ts';

/** An account as stored. */
export type AccountRow = Selectable<AccessSchema['accounts']>;

/** A new account; `owner` is what its rows are filed under. */
export type NewAccount = Pick<AccountRow, 'id' | 'owner' | 'email' | 'name' | 'role' | 'password_hash'>;

/** What can be changed. */
export type AccountChange = Partial<
  Pick<AccountRow, 'email' | 'name' | 'role' | 'status' | 'password_hash' | 'rate_limit' | 'last_login_at'>
>;

/** Stores an account; undefined if its email or its owner is taken. Throws InvalidRequestError for text that cannot be stored. */
export async function insertAccount(db: Kysely<Schema>, account: NewAccount): Promise<AccountRow | undefined> {
  requireStorable(account);
  const now = timestamp();
  return await db
    .insertInto('accounts')
    .values({ ...account, status: 'active', rate_limit: null, created_at: now, updated_at: now, last_login_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** Whether anybody has signed up. */
export async function hasAccounts(db: Kysely<Schema>): Promise<boolean> {
  return (await db.selectFrom('accounts').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** The account of this email, in lower case. */
export async function findAccount(db: Kysely<Schema>, email: string): Promise<AccountRow | undefined> {
  return await db.selectFrom('accounts').selectAll().where('email', '=', email).executeTakeFirst();
}

/** The account with this id, which may be deleted already. In a transaction nobody else changes it until the end of that. */
export async function getAccount(db: Kysely<Schema>, id: string): Promise<AccountRow | undefined> {
  const query = db.selectFrom('accounts').selectAll().where('id', '=', id);
  return await (db.isTransaction && isPostgres(db) ? query.forUpdate() : query).executeTakeFirst();
}

/**
 * Is the account active, and is this still its password? To be asked in a transaction that lets somebody in by it: until
 * the end of that, nobody changes either.
 */
export async function holdAccount(
  tx: Kysely<Schema>,
  { id, password_hash }: Pick<AccountRow, 'id' | 'password_hash'>,
): Promise<boolean> {
  const query = tx
    .selectFrom('accounts')
    .select('id')
    .where('id', '=', id)
    .where('password_hash', '=', password_hash)
    .where('status', '=', 'active');
  return (await (isPostgres(tx) ? query.forUpdate() : query).executeTakeFirst()) !== undefined;
}

/** A page of the accounts that are not deleted, oldest first, and how many there are. */
export async function listAccounts(db: Kysely<Schema>, page: Page): Promise<{ rows: AccountRow[]; total: number }> {
  const query = db
    .selectFrom('accounts')
    .selectAll()
    .where('status', '!=', 'deleted')
    .orderBy('created_at')
    .orderBy('id');
  return await readPage(query, page);
}

/**
 * Changes an account that is not deleted; undefined if there is none. Throws the database's error for a taken email, and
 * InvalidRequestError for text that cannot be stored.
 */
export async function updateAccount(
  db: Kysely<Schema>,
  id: string,
  change: AccountChange,
): Promise<AccountRow | undefined> {
  requireStorable(change);
  return await db
    .updateTable('accounts')
    .set({ ...change, updated_at: timestamp() })
    .where('id', '=', id)
    .where('status', '!=', 'deleted')
    .returningAll()
    .executeTakeFirst();
}
