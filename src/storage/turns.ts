import { type Kysely, sql } from 'kysely';
import { type ConversationRow, lockConversation } from './conversations.ts';
import { databaseNow, isAmong } from './dialect.ts';
import { allMessages, type MessageRow } from './messages.ts';
import type { Schema } from './schema.ts';

/** The turn that a process holds of a conversation. */
export interface HeldTurn {
  owner: string;
  conversation: number;
  id: string;
}

/** What became of taking a turn. */
export type Taking<T> = { conversation: ConversationRow; value: T } | 'busy' | 'missing';

/** What is done as a turn begins; gives its value and the seq of the first message that is this turn's. */
export type FirstWork<T> = (
  tx: Kysely<Schema>,
  row: ConversationRow,
  turn: HeldTurn,
) => Promise<{ value: T; firstSeq: number }>;

/** A turn begins with no more messages than a request may have. */
export const MAX_GIVEN = 2000;

/** Thrown out of a transaction to take it back. */
class Busy extends Error {}

/**
 * Takes the turn of the owner's conversation and does `first` in the same transaction. One process has it at a time;
 * `busy` if another one has, `missing` if there is no such conversation.
 * @param turn `leaseMs`: for how long it is held without a renewal.
 */
export async function takeTurn<T>(
  db: Kysely<Schema>,
  owner: string,
  conversationId: string,
  turn: { id: string; node: string; leaseMs: number },
  first: FirstWork<T>,
): Promise<Taking<T>> {
  try {
    return await db.transaction().execute(async (tx) => {
      const row = await lockConversation(tx, owner, { id: conversationId });
      if (!row) return 'missing';
      const { numInsertedOrUpdatedRows } = await tx
        .insertInto('turns')
        .values({
          conversation: row.number,
          owner,
          id: turn.id,
          node: turn.node,
          first_seq: row.last_seq + 1,
          expires_at: sql<number>`${databaseNow(tx)} + ${sql.lit(turn.leaseMs)}`,
        })
        .onConflict((conflict) => conflict.column('conversation').doNothing())
        .executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 0n) throw new Busy();
      const { value, firstSeq } = await first(tx, row, { owner, conversation: row.number, id: turn.id });
      if (firstSeq !== row.last_seq + 1) {
        await tx
          .updateTable('turns')
          .set({ first_seq: firstSeq })
          .where('owner', '=', owner)
          .where('conversation', '=', row.number)
          .execute();
      }
      return { conversation: row, value };
    });
  } catch (error) {
    if (error instanceof Busy) return 'busy';
    throw error;
  }
}

/**
 * Does `work` in a transaction in which the turn is certainly still held, so that a process that was thought dead and
 * is not cannot write. @returns undefined if it is not held any more: it ran out, or the conversation is gone.
 * @param ends whether the turn ends with it.
 */
export async function withTurn<T>(
  db: Kysely<Schema>,
  turn: HeldTurn,
  ends: boolean,
  work: (tx: Kysely<Schema>, row: ConversationRow) => Promise<T>,
): Promise<{ value: T } | undefined> {
  return await db.transaction().execute(async (tx) => {
    const row = await lockConversation(tx, turn.owner, { number: turn.conversation });
    if (!row) return undefined;
    const isHeld = ends ? await releaseTurn(tx, turn) : await hasTurn(tx, turn);
    return isHeld ? { value: await work(tx, row) } : undefined;
  });
}

/** Gives a turn back; false if it was not held. Must run in a transaction that has locked the conversation. */
export async function releaseTurn(tx: Kysely<Schema>, { owner, conversation, id }: HeldTurn): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('turns')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Does anybody hold the turn of a conversation? */
export async function isTurnHeld(db: Kysely<Schema>, owner: string, conversation: number): Promise<boolean> {
  const row = await db
    .selectFrom('turns')
    .select('id')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .executeTakeFirst();
  return row !== undefined;
}

async function hasTurn(tx: Kysely<Schema>, { owner, conversation, id }: HeldTurn): Promise<boolean> {
  const row = await tx
    .selectFrom('turns')
    .select('id')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('id', '=', id)
    .executeTakeFirst();
  return row !== undefined;
}

/** Keeps turns (≥ 1) of a process for another `leaseMs`. @returns the ids of those that it still has. */
export async function renewTurns(
  db: Kysely<Schema>,
  node: string,
  ids: readonly string[],
  leaseMs: number,
): Promise<string[]> {
  const rows = await db
    .updateTable('turns')
    .set({ expires_at: sql<number>`${databaseNow(db)} + ${sql.lit(leaseMs)}` })
    .where('node', '=', node)
    .where(isAmong(db, 'id', ids))
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Ends the turns whose process has not renewed them: their messages have failed with `error` (JSON) and can be tried
 * again. @returns how many.
 */
export async function endExpiredTurns(db: Kysely<Schema>, error: string): Promise<number> {
  const expired = await db
    .selectFrom('turns')
    .select(['owner', 'conversation', 'id', 'first_seq'])
    .where('expires_at', '<', databaseNow(db))
    .limit(1000)
    .execute();
  let ended = 0;
  for (const { first_seq, ...turn } of expired) {
    // Its process may have come back to life since.
    const done = await db.transaction().execute(async (tx) => {
      await lockConversation(tx, turn.owner, { number: turn.conversation });
      const { numDeletedRows } = await tx
        .deleteFrom('turns')
        .where('owner', '=', turn.owner)
        .where('conversation', '=', turn.conversation)
        .where('id', '=', turn.id)
        .where('expires_at', '<', databaseNow(tx))
        .executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) return false;
      await failMessages(tx, turn, first_seq, error);
      return true;
    });
    if (done) ended++;
  }
  return ended;
}

/** Marks the messages of a turn that has failed. */
export async function failMessages(tx: Kysely<Schema>, turn: HeldTurn, firstSeq: number, error: string): Promise<void> {
  await tx
    .updateTable('messages')
    .set({ status: 'failed', error })
    .where('owner', '=', turn.owner)
    .where('conversation', '=', turn.conversation)
    .where('seq', '>=', firstSeq)
    .where('status', '=', 'running')
    .execute();
}

/** Marks the messages of a turn that has an answer. */
export async function completeMessages(tx: Kysely<Schema>, turn: HeldTurn, firstSeq: number): Promise<void> {
  await tx
    .updateTable('messages')
    .set({ status: 'complete' })
    .where('owner', '=', turn.owner)
    .where('conversation', '=', turn.conversation)
    .where('seq', '>=', firstSeq)
    .where('status', '=', 'running')
    .execute();
}

/**
 * Takes the failed messages of an earlier turn at the end of the conversation up into a new one. Must run in a
 * transaction that has locked the conversation.
 * @returns them, running, oldest first.
 */
export async function resumeMessages(
  tx: Kysely<Schema>,
  { owner, number, last_seq }: ConversationRow,
  failedTurn: string,
  turn: string,
): Promise<MessageRow[]> {
  await tx
    .updateTable('messages')
    .set({ status: 'running', error: null, turn })
    .where('owner', '=', owner)
    .where('conversation', '=', number)
    .where('seq', '>', last_seq - MAX_GIVEN)
    .where('turn', '=', failedTurn)
    .where('status', '=', 'failed')
    .execute();
  return await allMessages(tx, { owner, conversation: number, after: last_seq - MAX_GIVEN, turn });
}

/** Takes a complete message up into a new turn. Must run in a transaction that has locked the conversation. */
export async function reopenMessage(
  tx: Kysely<Schema>,
  { owner, conversation, seq }: MessageRow,
  turn: string,
): Promise<void> {
  await tx
    .updateTable('messages')
    .set({ status: 'running', turn })
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '=', seq)
    .execute();
}
