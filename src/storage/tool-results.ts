import type { Insertable, Kysely } from 'kysely';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** A tool's result that is kept as a whole beside its call. */
export interface ToolResult {
  id: string;
  /** Of the conversation that it was made in. */
  conversationId: string;
  text: string;
}

/**
 * Keeps the whole result of a call, which then refers to it. Must run in the transaction that stores the call's result;
 * done a second time it changes nothing.
 * @param result `text` must be storable: without NUL, and well-formed.
 */
export async function insertToolResult(
  tx: Kysely<Schema>,
  { position, ...result }: Omit<Insertable<Schema['tool_results']>, 'created_at'> & { position: number },
): Promise<void> {
  await tx
    .insertInto('tool_results')
    .values({ ...result, created_at: timestamp() })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  await tx
    .updateTable('tool_calls')
    .set({ result_id: result.id })
    .where('owner', '=', result.owner)
    .where('conversation', '=', result.conversation)
    .where('seq', '=', result.seq)
    .where('position', '=', position)
    .execute();
}

/** The owner's result of that id; undefined if there is none, or its conversation was deleted. */
export async function getToolResult(db: Kysely<Schema>, owner: string, id: string): Promise<ToolResult | undefined> {
  if (!isStorable(id)) return undefined;
  return await resultOf(db, owner, id).executeTakeFirst();
}

/**
 * The same for a conversation that has a call with this result: the one that it was made in, or a copy of that.
 * Undefined for all others.
 */
export async function getToolResultIn(
  db: Kysely<Schema>,
  owner: string,
  conversationId: string,
  id: string,
): Promise<ToolResult | undefined> {
  if (!isStorable(id)) return undefined;
  return await resultOf(db, owner, id)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('tool_calls')
          .innerJoin('conversations as own', 'own.number', 'tool_calls.conversation')
          .select('tool_calls.position')
          .where('tool_calls.owner', '=', owner)
          .where('tool_calls.result_id', '=', id)
          .where('own.owner', '=', owner)
          .where('own.id', '=', conversationId),
      ),
    )
    .executeTakeFirst();
}

function resultOf(db: Kysely<Schema>, owner: string, id: string) {
  return (
    db
      .selectFrom('tool_results')
      .innerJoin('conversations', 'conversations.number', 'tool_results.conversation')
      .select(['tool_results.id', 'conversations.id as conversationId', 'tool_results.text'])
      .where('tool_results.owner', '=', owner)
      .where('tool_results.id', '=', id)
      // One that is being deleted is nobody's.
      .where('conversations.owner', '=', owner)
  );
}
