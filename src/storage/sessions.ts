import type { Kysely, Selectable } from 'kysely';
import type { AccessSchema, AccountStatus, Role } from './access-schema.ts';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';

/** A session as stored. Times are ISO-8601 UTC. */
export type SessionRow = Selectable<AccessSchema['sessions']>;

/** A session with what its account may do now; the account's columns are null for the access key's. */
export type FoundSession = Pick<SessionRow, 'id' | 'owner' | 'account' | 'last_seen_at' | 'expires_at'> & {
  role: Role | null;
  status: AccountStatus | null;
  rate_limit: number | null;
  /** The account's id if it has a budget. */
  budget: string | null;
};

/** Stores a session. */
export async function insertSession(db: Kysely<Schema>, session: SessionRow): Promise<void> {
  await db.insertInto('sessions').values(session).execute();
}

/** The session of this hash, expired or not. */
export async function findSession(db: Kysely<Schema>, hash: string): Promise<FoundSession | undefined> {
  return await db
    .selectFrom('sessions as s')
    .leftJoin('accounts as a', 'a.id', 's.account')
    .leftJoin('budgets as b', 'b.subject', 's.account')
    .select(['s.id', 's.owner', 's.account', 's.last_seen_at', 's.expires_at', 'a.role', 'a.status', 'a.rate_limit'])
    .select('b.subject as budget')
    .where('s.hash', '=', hash)
    .executeTakeFirst();
}

/** Notes that a session was used. */
export async function touchSession(
  db: Kysely<Schema>,
  { id, owner }: Pick<SessionRow, 'id' | 'owner'>,
  { last_seen_at, expires_at }: Pick<SessionRow, 'last_seen_at' | 'expires_at'>,
): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ last_seen_at, expires_at })
    .where('id', '=', id)
    .where('owner', '=', owner)
    .execute();
}

/** An owner's sessions that have not expired, newest first. */
export async function listSessions(db: Kysely<Schema>, owner: string): Promise<SessionRow[]> {
  return await db
    .selectFrom('sessions')
    .selectAll()
    .where('owner', '=', owner)
    .where('expires_at', '>', timestamp())
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

/** Which sessions of an owner: one, all but one, those of an account, or the access key's (`account: null`). */
export interface SessionChoice {
  id?: string;
  except?: string;
  account?: string | null;
}

/** Deletes sessions; how many. */
export async function deleteSessions(
  db: Kysely<Schema>,
  owner: string,
  { id, except, account }: SessionChoice,
): Promise<number> {
  let deletion = db.deleteFrom('sessions').where('owner', '=', owner);
  if (id !== undefined) deletion = deletion.where('id', '=', id);
  if (except !== undefined) deletion = deletion.where('id', '!=', except);
  if (account === null) deletion = deletion.where('account', 'is', null);
  else if (account !== undefined) deletion = deletion.where('account', '=', account);
  const { numDeletedRows } = await deletion.executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Deletes the session of this hash, whoever's it is; undefined if there is none. */
export async function deleteSessionByHash(
  db: Kysely<Schema>,
  hash: string,
): Promise<Pick<SessionRow, 'id' | 'owner' | 'account'> | undefined> {
  return await db
    .deleteFrom('sessions')
    .where('hash', '=', hash)
    .returning(['id', 'owner', 'account'])
    .executeTakeFirst();
}

/** Removes sessions that have expired. */
export async function removeExpiredSessions(db: Kysely<Schema>): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<=', timestamp()).execute();
}
