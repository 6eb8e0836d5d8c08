import type { Content } from '../chat/content.ts';
import { AppError, InvalidRequestError } from '../errors.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import {
  allMessages,
  getMessage,
  insertMessages,
  lastMessages,
  type MessageRange,
  type MessageRow,
  type NewMessage,
} from '../storage/messages.ts';
import { timestamp } from '../storage/rows.ts';
import { keepToolResults, type NewToolResult } from '../storage/tool-calls.ts';
import { type FirstWork, resumeMessages } from '../storage/turns.ts';
import type { ConversationContext } from './context.ts';
import {
  type AssistantBody,
  type CallWithResult,
  newAssistantMessage,
  newUserMessage,
  type TurnOptions,
  userBody,
} from './stored.ts';
import { firstTitle } from './title.ts';

/** A message that a caller brings. */
export type GivenMessage =
  | { role: 'user'; content: Content }
  | { role: 'assistant'; body: AssistantBody; calls: CallWithResult[] };

/** What a turn begins with. `path` of a result is where it stands in the request. */
export interface GivenTurn {
  messages: readonly GivenMessage[];
  results: readonly (NewToolResult & { path: string })[];
  options: TurnOptions;
}

/** A turn that has begun. */
export interface Begun {
  /** Its messages, stored and running; empty if it only brings results of calls. */
  given: MessageRow[];
  options: TurnOptions;
  /** The answer, if a repeated request finds that it has been given already. */
  answered?: MessageRow;
}

/** Stores what the caller brings, before any model is asked. */
export function beginNew(context: ConversationContext, { messages, results, options }: GivenTurn): FirstWork<Begun> {
  const now = timestamp();
  const rows = messages.map((message): NewMessage => {
    const id = context.newId('msg');
    if (message.role === 'assistant') {
      return newAssistantMessage(id, message.body, message.calls, 'running', now);
    }
    return newUserMessage(id, { content: message.content, options }, 'running', now);
  });
  const words = rows.find(({ role }) => role === 'user')?.words ?? '';
  return async (tx, conversation, { id: turn }) => {
    const { owner, number, last_seq, message_count, live_tokens } = conversation;
    const firstSeq = last_seq + 1;
    const given = await insertMessages(tx, { owner, conversation: number, turn, firstSeq }, rows);
    if (!given) return await repeat(tx, conversation, rows[0]?.id ?? '', turn);
    const kept = results.length > 0 ? await keepToolResults(tx, conversation, results) : { tokens: 0, unknown: [] };
    refuseUnknown(kept.unknown, results);
    await writeConversation(tx, conversation, {
      last_seq: last_seq + rows.length,
      message_count: message_count + rows.length,
      live_tokens: live_tokens + kept.tokens,
      updated_at: now,
      ...(conversation.title_by === 'nobody' && words !== '' ? { title: firstTitle(words), title_by: 'message' } : {}),
    });
    return { value: { given, options }, firstSeq };
  };
}

function refuseUnknown(unknown: readonly string[], results: GivenTurn['results']): void {
  if (unknown.length === 0) return;
  throw new InvalidRequestError(
    results
      .filter(({ callId }) => unknown.includes(callId))
      .map(({ callId, path }) => ({
        path,
        message: `neither a message before it nor the conversation's last message with tool calls has one with the id ${JSON.stringify(callId)}`,
      })),
  );
}

/**
 * Takes the failed turn at the end of the conversation up again.
 * @param answerId of the answer that is wanted: a repeated request finds it there.
 * @throws AppError `conflict` if there is nothing to try again.
 */
export function beginRetry(answerId: string): FirstWork<Begun> {
  return async (tx, conversation, { id: turn }) => {
    const range = { owner: conversation.owner, conversation: conversation.number };
    const { rows } = await lastMessages(tx, range, { limit: 1 });
    const [last] = rows;
    const firstSeq = conversation.last_seq + 1;
    if (last?.status === 'failed') return await resume(tx, conversation, last, turn);
    if (last?.id === answerId) return { value: await answered(tx, range, last), firstSeq };
    // A turn that only brought results has no message of its own that could be marked.
    const isOpen =
      last?.role === 'assistant' && last.calls > 0 && last.toolCalls.every(({ result }) => result !== null);
    if (isOpen) return { value: { given: [], options: {} }, firstSeq };
    throw new AppError('conflict', 'There is nothing to try again: the last message of this conversation did not fail');
  };
}

/** A turn that is over, with all its messages. */
async function answered(tx: Tx, range: MessageRange, { turn }: MessageRow, after = 0): Promise<Begun> {
  const given = await allMessages(tx, { ...range, after, turn });
  const answer = given.pop();
  return { given, options: {}, ...(answer ? { answered: answer } : {}) };
}

type Tx = Parameters<FirstWork<Begun>>[0];

/** A request that came before under the same ids: its turn has failed, or has been answered. */
async function repeat(
  tx: Tx,
  conversation: ConversationRow,
  id: string,
  turn: string,
): Promise<{ value: Begun; firstSeq: number }> {
  const range = { owner: conversation.owner, conversation: conversation.number };
  const message = await getMessage(tx, range, id);
  const { rows } = await lastMessages(tx, range, { limit: 1 });
  const [last] = rows;
  if (message?.status === 'failed' && last?.turn === message.turn) return await resume(tx, conversation, last, turn);
  if (message?.status === 'complete') {
    return { value: await answered(tx, range, message, message.seq - 1), firstSeq: conversation.last_seq + 1 };
  }
  throw new AppError('conflict', 'The conversation has gone on since the first request with this Idempotency-Key');
}

async function resume(
  tx: Tx,
  conversation: ConversationRow,
  last: MessageRow,
  turn: string,
): Promise<{ value: Begun; firstSeq: number }> {
  const given = await resumeMessages(tx, conversation, last.turn, turn);
  const user = given.findLast(({ role }) => role === 'user');
  return {
    value: { given, options: (user && userBody(user).options) ?? {} },
    firstSeq: given[0]?.seq ?? conversation.last_seq + 1,
  };
}
