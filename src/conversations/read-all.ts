import type { Kysely } from 'kysely';
import type { ConversationRow } from '../storage/conversations.ts';
import { firstMessages, type MessageRange, type MessageRow } from '../storage/messages.ts';
import type { Schema } from '../storage/schema.ts';

/** Messages and characters that are read at once: however long a conversation is, it is never in memory as a whole. */
const AT_ONCE = { limit: 100, maxSize: 8 * 1024 ** 2 };

/** The messages of a conversation, oldest first, read little by little. */
export async function* readAll(
  db: Kysely<Schema>,
  { owner, number }: Pick<ConversationRow, 'owner' | 'number'>,
  range: Pick<MessageRange, 'before' | 'onlyComplete'>,
): AsyncGenerator<MessageRow> {
  let after = 0;
  for (;;) {
    const rows = await firstMessages(db, { owner, conversation: number, after, ...range }, AT_ONCE);
    yield* rows;
    const last = rows.at(-1);
    if (!last) return;
    after = last.seq;
  }
}
