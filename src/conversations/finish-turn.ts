import type { Kysely } from 'kysely';
import type { Completion } from '../chat/complete.ts';
import { type AppError, errorText } from '../errors.ts';
import { inputTokens } from '../providers/catalog/cost.ts';
import type { Usage } from '../providers/chat-model.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import { insertMessages, type MessageRow } from '../storage/messages.ts';
import { timestamp } from '../storage/rows.ts';
import { HappenedBefore } from '../storage/run-events.ts';
import type { Schema } from '../storage/schema.ts';
import { completeMessages, failMessages, type HeldTurn } from '../storage/turns.ts';
import { givenTokens } from './ask-model.ts';
import { spent } from './spent.ts';
import { answerBody, newAssistantMessage } from './stored.ts';
import type { Turn } from './turns.ts';

/** Below this the provider's own hidden prompts would count for more than the rate between its tokens and ours. */
const LEAST_ESTIMATE = 500;

/** The rate stays within these bounds, whatever a provider counts. */
const LEAST_RATIO = 0.25;
const LARGEST_RATIO = 4;

/** An answer to be stored. */
export interface NewAnswer {
  /** The turn's messages that it answers; they are complete with it. */
  given: readonly MessageRow[];
  completion: Completion;
  /** Tokens of all that was sent, estimated and not corrected. */
  estimate: number;
  /** Of the answer's message. */
  id: string;
}

/** Stores the answer and ends the turn, all or nothing. @throws AppError if the turn was lost. */
export async function finishTurn(turn: Turn, answer: NewAnswer): Promise<{ given: MessageRow[]; answer: MessageRow }> {
  const { row: _, ...stored } = await turn.end((tx, row) => storeAnswer(tx, turn.held, row, answer));
  return stored;
}

/** Stores an answer in a transaction in which the turn is held. @throws HappenedBefore if it is there already. */
export async function storeAnswer(
  tx: Kysely<Schema>,
  held: HeldTurn,
  row: ConversationRow,
  { given, completion, estimate, id }: NewAnswer,
): Promise<{ given: MessageRow[]; answer: MessageRow; row: ConversationRow }> {
  const calls = (completion.message.toolCalls ?? []).map((call) => ({ call }));
  const message = newAssistantMessage(id, answerBody(completion), calls, 'complete');
  const { owner, number: conversation, last_seq, message_count, live_tokens } = row;
  await completeMessages(tx, held, given[0]?.seq ?? last_seq + 1);
  const place = { owner, conversation, turn: held.id, firstSeq: last_seq + 1 };
  const [answer] = (await insertMessages(tx, place, [message])) ?? [];
  if (!answer) throw new HappenedBefore([id]);
  const next = await writeConversation(tx, row, {
    last_seq: last_seq + 1,
    message_count: message_count + 1,
    live_tokens: given.reduce((sum, one) => sum + givenTokens(one), live_tokens + answer.tokens),
    updated_at: timestamp(),
    token_ratio: ratioOf(completion, estimate) ?? row.token_ratio,
    ...spent(row, completion.usage),
  });
  return { given: given.map((one) => ({ ...one, status: 'complete' as const })), answer, row: next };
}

/** Marks the turn's messages as failed and ends it; nothing if it was lost. */
export async function failTurn(turn: Turn, given: readonly MessageRow[], error: AppError): Promise<void> {
  const text = errorText(error);
  await turn.end((tx, row) => failMessages(tx, turn.held, given[0]?.seq ?? row.last_seq + 1, text));
}

/** The provider's count of what was sent in parts of ours; undefined if it gave none. */
function ratioOf({ provider, usage }: Completion, estimate: number): number | undefined {
  const counted = inputTokens(provider, usage satisfies Usage);
  if (counted === 0 || estimate < LEAST_ESTIMATE) return undefined;
  return Math.min(LARGEST_RATIO, Math.max(LEAST_RATIO, counted / estimate));
}
