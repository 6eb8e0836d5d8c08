import { newId } from '../core/ids.ts';
import { NotFoundError } from '../errors.ts';
import { type CompactionRow, listCompactions } from '../storage/compactions.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import { countTokens, getMessage, type MessageRow, type NewMessage } from '../storage/messages.ts';
import type { ConversationContext } from './context.ts';
import { makeCopy } from './copy.ts';
import { readAll } from './read-all.ts';
import {
  assistantBody,
  type Conversation,
  newAssistantMessage,
  newUserMessage,
  resultOf,
  toConversation,
  toolCallsOf,
  userBody,
} from './stored.ts';

/**
 * Copies a conversation up to a message, that one included; without one, all of it. What failed or is under way is left
 * out; summaries that were made are not paid for again. What was spent stays with the original.
 * @throws NotFoundError
 */
export async function forkConversation(
  context: ConversationContext,
  id: string,
  messageId: string | undefined,
): Promise<Conversation> {
  const { db, owner } = context;
  const row = await getConversation(db, owner, id);
  if (!row) throw new NotFoundError('Conversation', id);
  const last = messageId === undefined ? row.last_seq : await seqOf(context, row, messageId);
  const compactions = (await listCompactions(db, row)).filter(
    ({ covered_seq, shortened_seq }) => Math.max(covered_seq, shortened_seq) <= last,
  );
  const places = new Places(compactions);
  const copy = await makeCopy(context, {
    input: {
      title: row.title,
      titleBy: row.title_by,
      presetId: row.preset_id,
      taskId: row.task_id,
      ticketId: row.ticket_id,
      model: row.model,
      systemPrompt: row.system_prompt,
      temperature: row.temperature,
      maxTokens: row.max_tokens,
      metadata: row.metadata,
    },
    messages: copies(context, row, last, places),
    finish: async (tx, conversation) => {
      const copied = compactions.map((one) => ({ ...one, conversation, ...places.of(one) }));
      for (const one of copied) await tx.insertInto('compactions').values(one).execute();
      const { number = 0, covered_seq = 0 } = copied.at(-1) ?? {};
      const live_tokens = await countTokens(tx, { owner, conversation, after: covered_seq });
      return { compaction: number, covered_seq, live_tokens };
    },
  });
  return toConversation(copy);
}

async function seqOf({ db, owner }: ConversationContext, row: ConversationRow, messageId: string): Promise<number> {
  const message = await getMessage(db, { owner, conversation: row.number }, messageId);
  if (!message) throw new NotFoundError('Message', messageId);
  return message.seq;
}

/** Where in the copy stands what stood at a `seq` of the original. */
class Places {
  readonly #places = new Map<number, number>();

  constructor(compactions: readonly CompactionRow[]) {
    for (const { covered_seq, shortened_seq } of compactions) {
      this.#places.set(covered_seq, 0);
      this.#places.set(shortened_seq, 0);
    }
  }

  note(seq: number, place: number): void {
    for (const wanted of this.#places.keys()) if (seq <= wanted) this.#places.set(wanted, place);
  }

  of({ covered_seq, shortened_seq }: CompactionRow): Pick<CompactionRow, 'covered_seq' | 'shortened_seq'> {
    return {
      covered_seq: this.#places.get(covered_seq) ?? 0,
      shortened_seq: this.#places.get(shortened_seq) ?? 0,
    };
  }
}

async function* copies(
  context: ConversationContext,
  row: ConversationRow,
  last: number,
  places: Places,
): AsyncGenerator<NewMessage> {
  let place = 0;
  for await (const message of readAll(context.db, row, { before: last + 1, onlyComplete: true })) {
    places.note(message.seq, ++place);
    yield copyOf(message);
  }
}

function copyOf(row: MessageRow): NewMessage {
  const id = newId('msg');
  if (row.role === 'user') return newUserMessage(id, userBody(row), 'complete', row.created_at);
  const calls = toolCallsOf(row).map((call, index) => {
    const stored = row.toolCalls[index];
    const { status, duration, result_id: resultId } = stored ?? {};
    return { call, result: stored && resultOf(stored), status, duration, resultId };
  });
  return newAssistantMessage(id, assistantBody(row), calls, 'complete', row.created_at);
}
