import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from 'kysely';
import { databaseNow } from './dialect.ts';
import { timestamp } from './rows.ts';
import type { ApprovalStatus } from './run-schema.ts';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** An approval's row. */
export type ApprovalRow = Selectable<Schema['approvals']>;

/** A question to a person. */
export type NewApproval = Omit<
  Insertable<Schema['approvals']>,
  'status' | 'created_at' | 'expires_at' | 'decided_by' | 'decided_at' | 'edited_arguments' | 'note'
>;

/** Stores a question that expires after `lifeMs`. */
export async function insertApproval(tx: Kysely<Schema>, approval: NewApproval, lifeMs: number): Promise<ApprovalRow> {
  return await tx
    .insertInto('approvals')
    .values({
      ...approval,
      status: 'pending',
      created_at: timestamp(),
      expires_at: sql<number>`${databaseNow(tx)} + ${sql.lit(lifeMs)}`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The owner's approval of that id, undefined if there is none. */
export async function getApproval(db: Kysely<Schema>, owner: string, id: string): Promise<ApprovalRow | undefined> {
  if (!isStorable(id)) return undefined;
  return await db
    .selectFrom('approvals')
    .selectAll()
    .where('owner', '=', owner)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** All approvals of a run, in the order in which they were asked. */
export async function approvalsOf(db: Kysely<Schema>, owner: string, run: string): Promise<ApprovalRow[]> {
  return await db
    .selectFrom('approvals')
    .selectAll()
    .where('owner', '=', owner)
    .where('run', '=', run)
    .orderBy('id')
    .execute();
}

/** The answer to a question, or its end without one. */
export async function writeApproval(
  tx: Kysely<Schema>,
  { owner, id }: Pick<ApprovalRow, 'owner' | 'id'>,
  change: Pick<Updateable<Schema['approvals']>, 'status' | 'decided_by' | 'edited_arguments' | 'note'>,
): Promise<ApprovalRow> {
  return await tx
    .updateTable('approvals')
    .set({ ...change, decided_at: timestamp() })
    .where('owner', '=', owner)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The owner's newest approvals; `before`: those made before the one of this id. */
export async function listApprovals(
  db: Kysely<Schema>,
  owner: string,
  filter: { status?: ApprovalStatus | undefined; conversationId?: string | undefined; before?: string | undefined },
  limit: number,
): Promise<ApprovalRow[]> {
  const { status, conversationId, before } = filter;
  if (![conversationId, before].every((text) => text === undefined || isStorable(text))) return [];
  let query = db.selectFrom('approvals').selectAll().where('owner', '=', owner);
  if (status !== undefined) query = query.where('status', '=', status);
  if (conversationId !== undefined) query = query.where('conversation_id', '=', conversationId);
  if (before !== undefined) query = query.where('id', '<', before);
  return await query.orderBy('id', 'desc').limit(limit).execute();
}

/** Questions of everybody that nobody has answered in time. */
export async function expiredApprovals(
  db: Kysely<Schema>,
  limit: number,
): Promise<Pick<ApprovalRow, 'owner' | 'id'>[]> {
  return await db
    .selectFrom('approvals')
    .select(['owner', 'id'])
    .where('status', '=', 'pending')
    .where('expires_at', '<', databaseNow(db))
    .orderBy('expires_at')
    .limit(limit)
    .execute();
}

/** Has nobody answered in time, by the database's clock? */
export async function hasExpired(db: Kysely<Schema>, { owner, id }: ApprovalRow): Promise<boolean> {
  const row = await db
    .selectFrom('approvals')
    .select('id')
    .where('owner', '=', owner)
    .where('id', '=', id)
    .where('expires_at', '<', databaseNow(db))
    .executeTakeFirst();
  return row !== undefined;
}
