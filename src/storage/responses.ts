import type { Insertable, Kysely, Selectable } from 'kysely';
import { isAmong } from './dialect.ts';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** A response's row. */
export type ResponseRow = Selectable<Schema['responses']>;

/** Notes a response that begins; nothing if a repeated request has done it before. */
export async function insertResponse(db: Kysely<Schema>, row: Insertable<Schema['responses']>): Promise<void> {
  await db
    .insertInto('responses')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** The owner's response of that id; undefined if there is none, or its conversation was deleted. */
export async function getResponse(
  db: Kysely<Schema>,
  owner: string,
  id: string,
): Promise<(ResponseRow & { conversationId: string }) | undefined> {
  if (!isStorable(id)) return undefined;
  return await db
    .selectFrom('responses')
    .innerJoin('conversations', 'conversations.number', 'responses.conversation')
    .selectAll('responses')
    .select('conversations.id as conversationId')
    .where('responses.owner', '=', owner)
    .where('responses.id', '=', id)
    // One that is being deleted is nobody's.
    .where('conversations.owner', '=', owner)
    .executeTakeFirst();
}

/** Notes the last call of a response's answer, by which it can be found. @param callId as the model has named it. */
export async function noteLastCall(db: Kysely<Schema>, owner: string, id: string, callId: string): Promise<void> {
  if (!isStorable(callId)) return;
  await db
    .updateTable('responses')
    .set({ last_call: callId })
    .where('owner', '=', owner)
    .where('id', '=', id)
    .execute();
}

/** The id of the owner's newest response whose answer ends with that call; models may give several the same name. */
export async function responseOfCall(db: Kysely<Schema>, owner: string, callId: string): Promise<string | undefined> {
  if (!isStorable(callId)) return undefined;
  const row = await db
    .selectFrom('responses')
    .select('id')
    .where('owner', '=', owner)
    .where('last_call', '=', callId)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** Forgets a response; what was said stays in its conversation. @returns whether others of that conversation are left. */
export async function deleteResponse(
  db: Kysely<Schema>,
  { owner, id, conversation }: Pick<ResponseRow, 'owner' | 'id' | 'conversation'>,
): Promise<boolean> {
  await db.deleteFrom('responses').where('owner', '=', owner).where('id', '=', id).execute();
  const left = await db
    .selectFrom('responses')
    .select('id')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .limit(1)
    .execute();
  return left.length > 0;
}

/** Forgets the responses whose answers, or runs, are removed. @param ids theirs, of whatever kind. */
export async function forgetResponses(db: Kysely<Schema>, owner: string, ids: readonly string[]): Promise<void> {
  const names = ids.map((id) => twinId(id, 'resp'));
  if (names.length === 0) return;
  await db
    .deleteFrom('responses')
    .where('owner', '=', owner)
    .where(isAmong(db, 'id', [...new Set(names)]))
    .execute();
}

/** The id that differs in its prefix alone: a response has that of its answer's message, or of its run. */
export function twinId(id: string, prefix: 'resp' | 'msg' | 'run'): string {
  return `${prefix}_${id.slice(id.indexOf('_') + 1)}`;
}
