import type { Kysely } from 'kysely';
import { isObject, tryParseJson } from '../core/json.ts';
import type { Schema } from '../storage/schema.ts';
import { deleteSessions } from '../storage/sessions.ts';
import { deleteServerSetting, getServerSetting, holdServerSetting, putServerSetting } from '../storage/settings.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import { LOCAL_OWNER } from './principal.ts';

const SETTING = 'access_key';

/** The access key as stored, and whether the environment or the owner has set it. */
interface StoredKey {
  hash: string;
  isFromEnvironment: boolean;
}

/** Is there an access key? */
export async function hasAccessKey(db: Kysely<Schema>): Promise<boolean> {
  return (await getServerSetting(db, SETTING)) !== undefined;
}

/** Is the access key the environment's, so that it cannot be changed here? */
export async function isAccessKeyFixed(db: Kysely<Schema>): Promise<boolean> {
  return (await readStored(db))?.isFromEnvironment ?? false;
}

/** Its hash if it is the access key; undefined if not. Takes as long if there is none. */
export async function matchAccessKey(db: Kysely<Schema>, key: string): Promise<string | undefined> {
  const hash = (await readStored(db))?.hash;
  return (await verifyPassword(key, hash)) ? hash : undefined;
}

/** Is this the access key's hash still? Until the end of the transaction it then stays so. */
export async function holdAccessKey(tx: Kysely<Schema>, hash: string): Promise<boolean> {
  return parse(await holdServerSetting(tx, SETTING))?.hash === hash;
}

/** Puts a new access key, or none, in place of the old one, whose sessions end. */
export async function replaceAccessKey(db: Kysely<Schema>, key: StoredKey | undefined): Promise<void> {
  if (key) await putServerSetting(db, LOCAL_OWNER, SETTING, JSON.stringify(key));
  else await deleteServerSetting(db, SETTING);
  await deleteSessions(db, LOCAL_OWNER, { account: null });
}

/** At the start: what the environment says is in force, and what it said before and does not any more is not. */
export async function applyEnvironmentKey(db: Kysely<Schema>, key: string | undefined): Promise<void> {
  const stored = await readStored(db);
  if (key === undefined) {
    if (stored?.isFromEnvironment) await db.transaction().execute((tx) => replaceAccessKey(tx, undefined));
    return;
  }
  if (stored?.isFromEnvironment && (await verifyPassword(key, stored.hash))) return;
  const hash = await hashPassword(key);
  await db.transaction().execute((tx) => replaceAccessKey(tx, { hash, isFromEnvironment: true }));
}

async function readStored(db: Kysely<Schema>): Promise<StoredKey | undefined> {
  return parse(await getServerSetting(db, SETTING));
}

function parse(text: string | undefined): StoredKey | undefined {
  const value = tryParseJson(text ?? '');
  if (!isObject(value) || typeof value.hash !== 'string') return undefined;
  return { hash: value.hash, isFromEnvironment: value.isFromEnvironment === true };
}
