import { type Kysely, type RawBuilder, sql } from 'kysely';
import {
  type ConversationInput,
  type ConversationRow,
  countConversations,
  insertConversation,
  lockConversation,
  NOBODY,
  writeConversation,
} from './conversations.ts';
import { databaseNow } from './dialect.ts';
import { forgetKeys } from './idempotency.ts';
import type { MessageRow } from './messages.ts';
import { removeRuns } from './remove-runs.ts';
import { forgetResponses } from './responses.ts';
import type { Schema } from './schema.ts';
import { unindexEntries } from './search.ts';

/** Rows that one transaction removes: a long one would hold up everybody else. */
const ROWS_AT_ONCE = 200;

/** For how long whoever makes or deletes a conversation may be busy with it before others clear up. */
const LEASE_MS = 120_000;

/**
 * Begins a conversation that is made in several transactions: nobody sees it before `revealConversation`, and what a
 * crash leaves is removed. Undefined if there is one of that id already, whole or not.
 */
export async function beginOrphan(
  db: Kysely<Schema>,
  owner: string,
  input: ConversationInput,
  id: string,
): Promise<ConversationRow | undefined> {
  return await db.transaction().execute(async (tx) => {
    const row = await insertConversation(tx, NOBODY, input, id);
    if (row) await orphan(tx, owner, row.number);
    return row;
  });
}

/** Gives a conversation that was begun to its owner, with what is known of it now. */
export async function revealConversation(
  db: Kysely<Schema>,
  owner: string,
  number: number,
  change: Partial<Pick<ConversationRow, 'last_seq' | 'message_count' | 'live_tokens' | 'compaction' | 'covered_seq'>>,
): Promise<ConversationRow> {
  return await db.transaction().execute(async (tx) => {
    const row = await writeConversation(tx, { owner: NOBODY, number }, { ...change, owner });
    const { numDeletedRows } = await tx
      .deleteFrom('orphans')
      .where('owner', '=', owner)
      .where('conversation', '=', number)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) throw clearedUp();
    await countConversations(tx, owner, 1);
    return row;
  });
}

/**
 * Keeps others from clearing up what is being made. Must run in the transaction that adds to it, so that nothing is
 * added to what is gone. @throws Error if it is.
 */
export async function keepOrphan(tx: Kysely<Schema>, owner: string, conversation: number): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('orphans')
    .set({ expires_at: leaseEnd(tx) })
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw clearedUp();
}

function clearedUp(): Error {
  return new Error('a conversation was cleared up while it was being made');
}

/** Deletes the owner's conversation: from now on it is not there. `removeOrphan` then removes what belonged to it. */
export async function hideConversation(
  db: Kysely<Schema>,
  owner: string,
  id: string,
): Promise<ConversationRow | undefined> {
  return await db.transaction().execute(async (tx) => {
    const row = await lockConversation(tx, owner, { id });
    if (!row) return undefined;
    await writeConversation(tx, row, { owner: NOBODY });
    await tx.deleteFrom('turns').where('owner', '=', owner).where('conversation', '=', row.number).execute();
    await orphan(tx, owner, row.number);
    await countConversations(tx, owner, -1);
    return row;
  });
}

async function orphan(tx: Kysely<Schema>, owner: string, conversation: number): Promise<void> {
  await tx
    .insertInto('orphans')
    .values({ conversation, owner, expires_at: leaseEnd(tx) })
    .execute();
}

function leaseEnd(tx: Kysely<Schema>): RawBuilder<number> {
  return sql<number>`${databaseNow(tx)} + ${sql.lit(LEASE_MS)}`;
}

/** Removes everything of a conversation that nobody owns, a little at a time. */
export async function removeOrphan(db: Kysely<Schema>, conversation: number): Promise<void> {
  const { owner } = (await db
    .selectFrom('orphans')
    .select('owner')
    .where('conversation', '=', conversation)
    .executeTakeFirst()) ?? { owner: undefined };
  if (owner === undefined) return;
  await removeRuns(db, owner, conversation, 0);
  const range = { owner, conversation, fromSeq: 0 };
  while ((await db.transaction().execute((tx) => removeLastMessages(tx, range))).isMore);
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom('tool_rules').where('owner', '=', owner).where('conversation', '=', conversation).execute();
    await tx.deleteFrom('compactions').where('owner', '=', owner).where('conversation', '=', conversation).execute();
    await tx.deleteFrom('responses').where('owner', '=', owner).where('conversation', '=', conversation).execute();
    const gone = await tx
      .deleteFrom('conversations')
      .where('owner', '=', NOBODY)
      .where('number', '=', conversation)
      .returning('id')
      .execute();
    const ids = gone.map(({ id }) => id);
    await forgetKeys(tx, owner, ids);
    await tx.deleteFrom('orphans').where('owner', '=', owner).where('conversation', '=', conversation).execute();
  });
}

/** Removes the orphans that whoever was at work on them has left, each by one process. @returns how many. */
export async function removeExpiredOrphans(db: Kysely<Schema>): Promise<number> {
  const rows = await db
    .updateTable('orphans')
    .set({ expires_at: leaseEnd(db) })
    .where('expires_at', '<', databaseNow(db))
    .returning('conversation')
    .execute();
  for (const { conversation } of rows) await removeOrphan(db, conversation);
  return rows.length;
}

/**
 * Removes some of the last messages of a conversation with their calls and search entries. Must run in a transaction.
 * @param range `fromSeq`: the first that may be removed; 0 takes the title's entry too.
 * @returns how many were removed, the estimated tokens of the complete ones, and whether there may be more.
 */
export async function removeLastMessages(
  tx: Kysely<Schema>,
  { owner, conversation, fromSeq }: { owner: string; conversation: number; fromSeq: number },
): Promise<{ removed: number; tokens: number; isMore: boolean }> {
  const rows = await tx
    .selectFrom('messages')
    .select(['seq', 'id', 'role', 'turn', 'status', 'tokens'])
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '>=', fromSeq)
    .orderBy('seq', 'desc')
    .limit(ROWS_AT_ONCE)
    .execute();
  const last = rows[0]?.seq ?? fromSeq;
  const isMore = rows.length === ROWS_AT_ONCE;
  const from = isMore ? beginningAmong(rows) : fromSeq;
  const calls = await tx
    .deleteFrom('tool_calls')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '>=', from)
    .returning(['seq', 'tokens'])
    .execute();
  await tx
    .deleteFrom('messages')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '>=', from)
    .execute();
  await tx
    .deleteFrom('tool_results')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '>=', from)
    .execute();
  await unindexEntries(tx, conversation, from, last);
  const removed = rows.filter(({ seq }) => seq >= from);
  await forgetKeys(
    tx,
    owner,
    removed.map(({ id }) => id),
  );
  await forgetResponses(
    tx,
    owner,
    removed.flatMap(({ id, turn }) => [id, turn]),
  );
  const complete = new Map(removed.filter(({ status }) => status === 'complete').map((row) => [row.seq, row.tokens]));
  const counted = [...complete.values(), ...calls.map(({ seq, tokens }) => (complete.has(seq) ? tokens : 0))];
  return { removed: removed.length, tokens: counted.reduce((sum, tokens) => sum + tokens, 0), isMore };
}

type Placed = Pick<MessageRow, 'seq' | 'role' | 'turn'>;

/**
 * The first `seq`, of rows with the newest first, that begins a turn, else a question: what a crash leaves of a
 * conversation must not end with a question whose answer is gone.
 */
function beginningAmong(rows: readonly Placed[]): number {
  const first = (isBeginning: (row: Placed, before: Placed) => boolean): Placed | undefined =>
    rows.findLast((row, index) => {
      const before = rows[index + 1];
      return before !== undefined && isBeginning(row, before);
    });
  const begin =
    first((row, before) => row.turn !== before.turn) ??
    first((row, before) => row.role === 'user' && before.role !== 'user') ??
    rows.at(-1);
  return begin?.seq ?? 0;
}
