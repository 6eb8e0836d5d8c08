import { type Kysely, sql } from 'kysely';
import { hide } from '../core/redactor.ts';
import { AppError } from '../errors.ts';
import { appendAudit, COMMAND_LINE } from './audit.ts';
import { isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';
import {
  deleteSealed,
  findUnreadable,
  lockFingerprint,
  putFingerprint,
  resealAll,
  type SealedRow,
  touchFingerprint,
} from './sealed.ts';
import {
  adoptNextKey,
  discardNextKey,
  fingerprintOf,
  loadSecretKey,
  readNextKey,
  textsOfKey,
  writeNextKey,
} from './secret-key.ts';

/** Where the secret key is, and what is sealed with it. */
export interface KeyPlace {
  db: Kysely<Schema>;
  home: string;
  /** The key, if the environment gives it: then no file counts. */
  fromEnvironment: string | undefined;
}

/** What becomes of rows that the key does not open. */
type Unreadable = (tx: Kysely<Schema>, rows: readonly SealedRow[]) => Promise<void>;

/**
 * The key that everything is sealed with, as `loadSecretKey` finds it. A rotation that was interrupted is brought to its
 * end first: the database says which of the two keys counts. @throws Error for a person if the key does not open what
 * is stored.
 */
export function openSecretKey(place: KeyPlace): Promise<Buffer> {
  return findKey(place, (_, rows) => Promise.reject(unreadable(place, rows)));
}

/** Deletes what the key does not open, so that the server starts with it. @returns what was deleted. */
export async function forgetUnreadable(place: KeyPlace): Promise<SealedRow[]> {
  const forgotten: SealedRow[] = [];
  await findKey(place, async (tx, rows) => {
    await deleteSealed(tx, rows);
    forgotten.push(...rows);
  });
  return forgotten;
}

/**
 * Makes a new key and seals everything with it. At every point there is a key on the disk that opens what is stored:
 * the new one is there before the first row, and takes the old one's place after the last.
 * @returns how many texts were sealed anew. @throws AppError `conflict` if another rotation came first.
 */
export async function rotateKeyFile({ db, home }: Pick<KeyPlace, 'db' | 'home'>): Promise<number> {
  const place = { db, home, fromEnvironment: undefined };
  const old = await openSecretKey(place);
  const count = await durably(db, async (tx) => {
    // Whoever has the lock is alone with the files, too.
    if ((await lockFingerprint(tx)) !== fingerprintOf(old)) {
      throw new AppError('conflict', 'Another process has just rotated the secret key; nothing was changed');
    }
    return await reseal(tx, old, writeNextKey(home));
  });
  await openSecretKey(place);
  return count;
}

/**
 * Seals everything that `place` has with another given key. Keeps neither.
 * @returns how many texts were sealed anew; undefined if it was done before.
 */
export async function rotateGivenKey(place: KeyPlace, next: Buffer): Promise<number | undefined> {
  return await durably(place.db, async (tx) => {
    if ((await lockFingerprint(tx)) === fingerprintOf(next)) return undefined;
    const old = loadSecretKey(place.home, place.fromEnvironment);
    const rows = await findUnreadable(tx, old);
    if (rows.length > 0) throw unreadable(place, rows);
    return await reseal(tx, old, next);
  });
}

/** Seals everything anew, and writes that down. */
async function reseal(tx: Kysely<Schema>, old: Buffer, next: Buffer): Promise<number> {
  const texts = await resealAll(tx, old, next);
  await appendAudit(tx, { ...COMMAND_LINE, action: 'secret.rotate', target: '', outcome: 'done', details: { texts } });
  return texts;
}

async function findKey(place: KeyPlace, treat: Unreadable): Promise<Buffer> {
  const { db, home, fromEnvironment } = place;
  // The commit after which the next key counts has to outlast a power cut before the other one is gone.
  if (fromEnvironment === undefined && readNextKey(home)) await durably(db, touchFingerprint);
  const key = await db.transaction().execute(async (tx) => {
    const stored = await lockFingerprint(tx);
    const next = fromEnvironment === undefined ? readNextKey(home) : undefined;
    const isNext = next !== undefined && fingerprintOf(next) === stored;
    const found = isNext ? next : loadSecretKey(home, fromEnvironment);
    const rows = await findUnreadable(tx, found);
    if (rows.length > 0) await treat(tx, rows);
    if (fingerprintOf(found) !== stored) await putFingerprint(tx, found);
    if (isNext) adoptNextKey(home);
    else if (fromEnvironment === undefined) discardNextKey(home);
    return found;
  });
  hide('secret key', textsOfKey(key));
  return key;
}

/** A transaction that is on the disk, with all that was committed before, when it has been committed. */
async function durably<T>(db: Kysely<Schema>, work: (tx: Kysely<Schema>) => Promise<T>): Promise<T> {
  if (!isPostgres(db)) await sql`pragma synchronous = full`.execute(db);
  try {
    return await db.transaction().execute(async (tx) => {
      if (isPostgres(tx)) await sql`set local synchronous_commit = on`.execute(tx);
      return await work(tx);
    });
  } finally {
    if (!isPostgres(db)) await sql`pragma synchronous = normal`.execute(db);
  }
}

const MOST_NAMED = 10;

function unreadable({ home, fromEnvironment }: KeyPlace, rows: readonly SealedRow[]): Error {
  const names = rows.slice(0, MOST_NAMED).map(({ table, id }) => `${table}/${id}`);
  if (rows.length > MOST_NAMED) names.push(`${rows.length - MOST_NAMED} more`);
  const where = fromEnvironment === undefined ? `${home}/secret.key` : 'PROFCLAW_SECRET_KEY';
  return new Error(
    `What is stored of ${names.join(', ')} cannot be opened with the secret key in ${where}: it was sealed with ` +
      'another one, or altered. Put the right key there (of a backup, or of the server that rotated it). If that is ' +
      'lost, `profclaw secret forget` deletes what cannot be opened; enter it again then.',
  );
}
