import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import { type ConversationInput, type ConversationRow, getConversation } from '../storage/conversations.ts';
import { insertMessages, type NewMessage } from '../storage/messages.ts';
import { beginOrphan, keepOrphan, removeOrphan, revealConversation } from '../storage/orphans.ts';
import type { Schema } from '../storage/schema.ts';
import type { ConversationContext } from './context.ts';

/** Messages and characters that one transaction stores: a long one would hold up everybody else. */
const AT_ONCE = 100;
const MAX_SIZE = 8 * 1024 ** 2;

/** The turn of messages that were never a turn here. */
const NO_TURN = 'copied';

/** A conversation whose messages are there already. */
export interface Copy {
  input: ConversationInput;
  /** In order; the n-th gets the `seq` n. */
  messages: AsyncIterable<NewMessage> | Iterable<NewMessage>;
  /** Done before anybody sees it; gives what else is to be noted in its row. */
  finish?(
    tx: Kysely<Schema>,
    number: number,
  ): Promise<Partial<Pick<ConversationRow, 'compaction' | 'covered_seq' | 'live_tokens'>>>;
}

/**
 * Makes a conversation out of messages, little by little and unseen until it is whole. A repeated request gets the one
 * that was made, or makes it anew if it was not made whole.
 */
export async function makeCopy(
  context: ConversationContext,
  { input, messages, finish }: Copy,
): Promise<ConversationRow> {
  const { db, owner } = context;
  const id = context.newId('conv');
  const row = await beginOrphan(db, owner, input, id);
  if (!row) {
    const made = await getConversation(db, owner, id);
    if (made) return made;
    throw new AppError('conflict', 'The first try of this request was broken off; try again in two minutes', {
      retryAfter: 120,
    });
  }
  const { number } = row;
  try {
    let last_seq = 0;
    let tokens = 0;
    let size = 0;
    let some: NewMessage[] = [];
    const flush = async (): Promise<void> => {
      const place = { owner, conversation: number, turn: NO_TURN, firstSeq: last_seq + 1 };
      await db.transaction().execute(async (tx) => {
        await keepOrphan(tx, owner, number);
        await insertMessages(tx, place, some);
      });
      last_seq += some.length;
      some = [];
      size = 0;
    };
    for await (const message of messages) {
      some.push(message);
      tokens += message.calls.reduce((sum, call) => sum + call.tokens, message.tokens);
      size += message.body.length;
      if (some.length === AT_ONCE || size > MAX_SIZE) await flush();
    }
    await flush();
    const rest = finish
      ? await db.transaction().execute(async (tx) => {
          await keepOrphan(tx, owner, number);
          return await finish(tx, number);
        })
      : {};
    return await revealConversation(db, owner, number, {
      last_seq,
      message_count: last_seq,
      live_tokens: tokens,
      ...rest,
    });
  } catch (error) {
    await removeOrphan(db, number);
    throw error;
  }
}
