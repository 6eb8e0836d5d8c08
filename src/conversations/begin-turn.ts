import type { Content } from '../chat/content.ts';
import { AppError, InvalidRequestError } from '../errors.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import {
  allMessages,
  getMessage,
  hasMessages,
  insertMessages,
  lastMessages,
  type MessageRow,
  type NewMessage,
} from '../storage/messages.ts';
import { timestamp } from '../storage/rows.ts';
import { keepToolResults, type NewToolResult } from '../storage/tool-calls.ts';
import { type FirstWork, MAX_GIVEN, reopenMessage, resumeMessages } from '../storage/turns.ts';
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

/** What a caller brings. `path` of a result is where it stands in the request. */
export interface Given {
  messages: readonly GivenMessage[];
  results: readonly (NewToolResult & { path: string })[];
  /** The `seq` of the message that it must follow, but for what has failed in between; undefined: any. */
  after?: number | undefined;
}

/** What a turn begins with. */
export interface GivenTurn extends Given {
  options: TurnOptions;
  /** Undefined: a new one. */
  answerId?: string | undefined;
}

/** The conversation has gone on from where a turn was to begin. */
export class Overtaken extends Error {}

/** A turn that has begun. */
export interface Begun {
  /** Its messages, stored and running; empty if it only brings results of calls. */
  given: MessageRow[];
  options: TurnOptions;
  /** The answer, if a repeated request finds that it has been given already. */
  answered?: MessageRow;
}

/** How a turn begins, and the id that its answer will have: a repeated request finds it there. */
export interface Beginning {
  first: FirstWork<Begun>;
  answerId: string;
}

/** Stores what the caller brings, before any model is asked. Its first work throws Overtaken, AppError. */
export function beginNew(context: ConversationContext, given: GivenTurn): Beginning {
  const { messages, results, options, after } = given;
  const brought = messages.map((message): NewMessage => {
    const id = context.newId('msg');
    if (message.role === 'assistant') return newAssistantMessage(id, message.body, message.calls, 'running');
    return newUserMessage(id, { content: message.content, options }, 'running');
  });
  const answerId = given.answerId ?? context.newId('msg');
  const first: FirstWork<Begun> = async (tx, conversation, { id: turn }) => {
    const { owner, number, last_seq, message_count, live_tokens } = conversation;
    const firstSeq = last_seq + 1;
    // Not when it came: it may have waited for the turn before.
    const now = timestamp();
    const rows = brought.map((message) => ({ ...message, createdAt: now }));
    // Without messages of its own, a repeated request is known by its answer alone.
    const found = rows.length === 0 ? await answered(tx, conversation, answerId) : undefined;
    if (found) return found;
    const stored = await insertMessages(tx, { owner, conversation: number, turn, firstSeq }, rows);
    if (!stored) {
      return (await answered(tx, conversation, answerId)) ?? (await repeat(tx, conversation, rows, turn));
    }
    const between = { owner, conversation: number, before: firstSeq };
    if (after !== undefined && (await hasMessages(tx, { ...between, after }))) throw new Overtaken();
    const kept = results.length > 0 ? await keepToolResults(tx, conversation, results) : NOTHING_KEPT;
    refuseUnknown(kept.unknown, results);
    if (kept.settled.length > 0) throw settled(kept.settled);
    await writeConversation(tx, conversation, {
      last_seq: last_seq + rows.length,
      message_count: message_count + rows.length,
      live_tokens: live_tokens + kept.tokens,
      updated_at: now,
      ...(conversation.title_by === 'nobody' ? titleOf(rows) : {}),
    });
    return { value: { given: stored, options }, firstSeq };
  };
  return { first, answerId };
}

const NOTHING_KEPT = { tokens: 0, unknown: [], settled: [] };

function settled(calls: readonly string[]): AppError {
  const which = calls.map((id) => JSON.stringify(id)).join(', ');
  return new AppError('conflict', `There is a result of ${which} already, and the conversation has gone on from it`);
}

function titleOf(rows: readonly NewMessage[]): Partial<Pick<ConversationRow, 'title' | 'title_by'>> {
  const title = firstTitle(rows.flatMap(({ role, words }) => (role === 'user' ? [words] : [])));
  return title === '' ? {} : { title, title_by: 'message' };
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
 * Takes the failed turn at the end of the conversation up again, or the question there whose answer was deleted. Its
 * first work throws an AppError `conflict` if there is neither.
 */
export function beginRetry(context: ConversationContext): Beginning {
  const answerId = context.newId('msg');
  const first: FirstWork<Begun> = async (tx, conversation, { id: turn }) => {
    const found = await answered(tx, conversation, answerId);
    if (found) return found;
    const range = { owner: conversation.owner, conversation: conversation.number };
    const { rows } = await lastMessages(tx, range, { limit: 1 });
    const [last] = rows;
    if (last?.status === 'failed') return await resume(tx, conversation, last, turn);
    if (last?.role === 'user' && last.seq > conversation.covered_seq) return await reopen(tx, conversation, last, turn);
    // A turn that only brought results has no message of its own that could be marked.
    const isOpen =
      last?.role === 'assistant' && last.calls > 0 && last.toolCalls.every(({ result }) => result !== null);
    if (isOpen) return { value: { given: [], options: {} }, firstSeq: conversation.last_seq + 1 };
    throw new AppError(
      'conflict',
      'There is nothing to try again: the last message of this conversation has its answer',
    );
  };
  return { first, answerId };
}

type Tx = Parameters<FirstWork<Begun>>[0];
type First = Awaited<ReturnType<FirstWork<Begun>>>;

/** The turn, with all its messages, whose answer a repeated request finds; undefined if there is none. */
async function answered(tx: Tx, conversation: ConversationRow, answerId: string): Promise<First | undefined> {
  const range = { owner: conversation.owner, conversation: conversation.number };
  const answer = await getMessage(tx, range, answerId);
  if (!answer) return undefined;
  const given = await allMessages(tx, {
    ...range,
    after: answer.seq - MAX_GIVEN - 1,
    before: answer.seq,
    turn: answer.turn,
  });
  return { value: { given, options: {}, answered: answer }, firstSeq: conversation.last_seq + 1 };
}

/** A request that came before under the same ids: its turn has failed, or was tried again by itself since. */
async function repeat(
  tx: Tx,
  conversation: ConversationRow,
  sent: readonly NewMessage[],
  turn: string,
): Promise<First> {
  const range = { owner: conversation.owner, conversation: conversation.number };
  const message = await getMessage(tx, range, sent[0]?.id ?? '');
  const { rows } = await lastMessages(tx, range, { limit: 1 });
  const [last] = rows;
  if (message?.status === 'failed' && last?.turn === message.turn) return await resume(tx, conversation, last, turn);
  const given = message ? await allMessages(tx, { ...range, after: message.seq - 1, turn: message.turn }) : [];
  const [answer] = given.splice(sent.length);
  if (answer) return { value: { given, options: {}, answered: answer }, firstSeq: conversation.last_seq + 1 };
  throw new AppError(
    'conflict',
    'The conversation has gone on, or was changed, since the first request with this Idempotency-Key',
  );
}

/** A question that has no answer any more: until it has one again, it is not counted. */
async function reopen(tx: Tx, conversation: ConversationRow, last: MessageRow, turn: string): Promise<First> {
  await reopenMessage(tx, last, turn);
  await writeConversation(tx, conversation, { live_tokens: conversation.live_tokens - last.tokens });
  const given = [{ ...last, status: 'running' as const, turn }];
  return { value: { given, options: userBody(last).options ?? {} }, firstSeq: last.seq };
}

async function resume(tx: Tx, conversation: ConversationRow, last: MessageRow, turn: string): Promise<First> {
  const given = await resumeMessages(tx, conversation, last.turn, turn);
  const user = given.findLast(({ role }) => role === 'user');
  return {
    value: { given, options: (user && userBody(user).options) ?? {} },
    firstSeq: given[0]?.seq ?? conversation.last_seq + 1,
  };
}
