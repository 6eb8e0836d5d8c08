import type { Kysely } from 'kysely';
import { isPostgres } from './dialect.ts';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { requireStorable } from './text.ts';

/** A provider's settings as stored: `sealed` is opened with secret-box.ts. */
export interface StoredProviderSettings {
  type: string;
  owner: string;
  sealed: string;
}

/** The settings of every provider that has some, by type. */
export function listProviderSettings(db: Kysely<Schema>): Promise<StoredProviderSettings[]> {
  return db.selectFrom('provider_settings').select(['type', 'owner', 'sealed']).orderBy('type').execute();
}

/** Stores a provider's settings in place of those it had. `owner` is who set them last. */
export async function putProviderSettings(
  db: Kysely<Schema>,
  owner: string,
  type: string,
  sealed: string,
): Promise<void> {
  const change = { owner, sealed, updated_at: timestamp() };
  await db
    .insertInto('provider_settings')
    .values({ type, ...change })
    .onConflict((conflict) => conflict.column('type').doUpdateSet(change))
    .execute();
}

/** Forgets a provider's settings; false if it had none. */
export async function deleteProviderSettings(db: Kysely<Schema>, type: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('provider_settings')
    .where('type', '=', type)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** A setting of the whole server, undefined if it was never set. */
export async function getServerSetting(db: Kysely<Schema>, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('server_settings').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value;
}

/** As `getServerSetting`; until the end of the transaction nobody changes it. */
export async function holdServerSetting(tx: Kysely<Schema>, key: string): Promise<string | undefined> {
  const query = tx.selectFrom('server_settings').select('value').where('key', '=', key);
  return (await (isPostgres(tx) ? query.forShare() : query).executeTakeFirst())?.value;
}

/** Stores a setting of the whole server in place of the old one. Throws InvalidRequestError for text that cannot be stored. */
export async function putServerSetting(db: Kysely<Schema>, owner: string, key: string, value: string): Promise<void> {
  requireStorable({ [key]: value });
  const change = { owner, value, updated_at: timestamp() };
  await db
    .insertInto('server_settings')
    .values({ key, ...change })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(change))
    .execute();
}

/** Forgets a setting of the whole server; false if it was not set. */
export async function deleteServerSetting(db: Kysely<Schema>, key: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('server_settings').where('key', '=', key).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
