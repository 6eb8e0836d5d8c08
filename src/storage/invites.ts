import type { Kysely, Selectable } from 'kysely';
import type { AccessSchema } from './access-schema.ts';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** An invite as stored. Times are ISO-8601 UTC. */
export type InviteRow = Selectable<AccessSchema['invites']>;

/** Stores an invite. */
export async function insertInvite(db: Kysely<Schema>, invite: InviteRow): Promise<void> {
  await db.insertInto('invites').values(invite).execute();
}

/** All invites that are still good, newest first: admins share them. */
export async function listInvites(db: Kysely<Schema>): Promise<InviteRow[]> {
  return await db
    .selectFrom('invites')
    .selectAll()
    .where('expires_at', '>', timestamp())
    .orderBy('id', 'desc')
    .execute();
}

/**
 * Uses an invite up, so that of several who try at once one signs up; undefined if it is no good, or for another email.
 * It is as good as whoever made it: one who is out, or is no admin any more, lets nobody in.
 */
export async function takeInvite(db: Kysely<Schema>, hash: string, email: string): Promise<InviteRow | undefined> {
  return await db
    .deleteFrom('invites')
    .where('hash', '=', hash)
    .where('expires_at', '>', timestamp())
    .where((is) => is.or([is('email', 'is', null), is('email', '=', email)]))
    .where('owner', 'in', (from) =>
      from.selectFrom('accounts').select('owner').where('status', '=', 'active').where('role', '!=', 'member'),
    )
    .returningAll()
    .executeTakeFirst();
}

/** Withdraws an invite; false if there is none. */
export async function deleteInvite(db: Kysely<Schema>, id: string): Promise<boolean> {
  if (!isStorable(id)) return false;
  const { numDeletedRows } = await db.deleteFrom('invites').where('id', '=', id).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Removes invites that have expired. */
export async function removeExpiredInvites(db: Kysely<Schema>): Promise<void> {
  await db.deleteFrom('invites').where('expires_at', '<=', timestamp()).execute();
}
