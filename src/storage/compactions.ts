import type { Insertable, Kysely, Selectable } from 'kysely';
import { type ConversationRow, writeConversation } from './conversations.ts';
import { countTokens } from './messages.ts';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';

/** What the model sees instead of a conversation's beginning. */
export type CompactionRow = Selectable<Schema['compactions']>;

/** A compaction that was made. */
export type NewCompaction = Omit<Insertable<Schema['compactions']>, 'owner' | 'conversation' | 'number' | 'created_at'>;

/** Stores a compaction and puts it in force. Must run in a transaction that has locked the conversation. */
export async function saveCompaction(
  tx: Kysely<Schema>,
  row: ConversationRow,
  compaction: NewCompaction,
): Promise<ConversationRow> {
  const { owner, number: conversation } = row;
  const number = row.compaction + 1;
  await tx
    .insertInto('compactions')
    .values({ owner, conversation, number, created_at: timestamp(), ...compaction })
    .execute();
  const live_tokens = await countTokens(tx, { owner, conversation, after: compaction.covered_seq });
  return await writeConversation(tx, row, { compaction: number, covered_seq: compaction.covered_seq, live_tokens });
}

/** The compaction in force, undefined if there is none. */
export async function currentCompaction(db: Kysely<Schema>, row: ConversationRow): Promise<CompactionRow | undefined> {
  if (row.compaction === 0) return undefined;
  return await compactionsOf(db, row).where('number', '=', row.compaction).executeTakeFirst();
}

/** All compactions in force, each within the next, oldest first. */
export async function listCompactions(db: Kysely<Schema>, row: ConversationRow): Promise<CompactionRow[]> {
  return await compactionsOf(db, row).orderBy('number').execute();
}

/**
 * Takes compactions back, newest first, as long as `isUndone` says so of one. The messages were never touched, so the
 * model sees what it saw before. Must run in a transaction that has locked the conversation.
 * @returns the row as it is then, and how many were taken back.
 */
export async function undoCompactions(
  tx: Kysely<Schema>,
  row: ConversationRow,
  isUndone: (compaction: CompactionRow) => boolean,
): Promise<{ row: ConversationRow; undone: number }> {
  const all = await listCompactions(tx, row);
  let undone = 0;
  for (let last = all.at(-1); last && isUndone(last); last = all.at(-1)) {
    all.pop();
    undone++;
  }
  if (undone === 0) return { row, undone };
  const { number = 0, covered_seq = 0 } = all.at(-1) ?? {};
  const { owner, number: conversation } = row;
  await tx
    .deleteFrom('compactions')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('number', '>', number)
    .execute();
  const live_tokens = await countTokens(tx, { owner, conversation, after: covered_seq });
  return { row: await writeConversation(tx, row, { compaction: number, covered_seq, live_tokens }), undone };
}

function compactionsOf(db: Kysely<Schema>, { owner, number }: ConversationRow) {
  return db.selectFrom('compactions').selectAll().where('owner', '=', owner).where('conversation', '=', number);
}
