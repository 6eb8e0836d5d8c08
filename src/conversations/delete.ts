import { AppError, NotFoundError } from '../errors.ts';
import { undoCompactions } from '../storage/compactions.ts';
import { getConversation, writeConversation } from '../storage/conversations.ts';
import { getMessage } from '../storage/messages.ts';
import { hideConversation, removeLastMessages, removeOrphan } from '../storage/orphans.ts';
import { removeRuns } from '../storage/remove-runs.ts';
import { timestamp } from '../storage/rows.ts';
import type { ConversationContext } from './context.ts';

/**
 * Deletes a conversation with everything in it. A turn that is under way is stopped, and nothing of it is stored.
 * @throws NotFoundError
 */
export async function deleteConversation({ db, owner, turns }: ConversationContext, id: string): Promise<void> {
  const row = await hideConversation(db, owner, id);
  if (!row) throw new NotFoundError('Conversation', id);
  turns.abort(row.number, new AppError('conflict', 'The conversation was deleted while it was being answered'));
  await removeOrphan(db, row.number);
}

/**
 * Deletes a message and all that followed it. If it is being answered, by this server, that is stopped first; for any
 * other turn it waits. Summaries of what is deleted go with it; what
 * was spent stays counted. @returns how many messages. @throws NotFoundError
 */
export async function deleteMessages(
  { db, owner, turns }: ConversationContext,
  id: string,
  messageId: string,
  signal: AbortSignal,
): Promise<number> {
  const conversationRow = await getConversation(db, owner, id);
  const running = conversationRow && (await getMessage(db, { owner, conversation: conversationRow.number }, messageId));
  if (running?.status === 'running') {
    turns.abort(running.conversation, new AppError('conflict', 'The message was deleted while it was being answered'));
  }
  const { turn, value: message } = await turns.take(owner, id, signal, async (tx, row) => {
    const found = await getMessage(tx, { owner, conversation: row.number }, messageId);
    if (!found) throw new NotFoundError('Message', messageId);
    return { value: found, firstSeq: row.last_seq + 1 };
  });
  const { conversation } = turn.held;
  const range = { owner, conversation, fromSeq: message.seq };
  let deleted = 0;
  try {
    await turn.write(async (tx, row) => {
      await undoCompactions(
        tx,
        row,
        ({ covered_seq, shortened_seq }) => Math.max(covered_seq, shortened_seq) >= message.seq,
      );
    });
    await removeRuns(db, owner, conversation, message.seq);
    for (let isMore = true; isMore; ) {
      const some = await turn.write(async (tx, row) => {
        const done = await removeLastMessages(tx, range);
        // At once, because nobody counts them again after a crash. None of them is covered any more.
        await writeConversation(tx, row, {
          message_count: row.message_count - done.removed,
          live_tokens: row.live_tokens - done.tokens,
        });
        return done;
      });
      deleted += some.removed;
      isMore = some.isMore;
    }
  } finally {
    await turn.end((tx, row) => writeConversation(tx, row, { updated_at: timestamp() }));
  }
  return deleted;
}
