import type { AgentContext } from '../agent/context.ts';
import { beginConversation } from '../conversations/create.ts';
import { forkConversation } from '../conversations/fork.ts';
import { toModelMessages } from '../conversations/history.ts';
import { readAll } from '../conversations/read-all.ts';
import { firstTitle } from '../conversations/title.ts';
import { hashOf } from '../core/canonical.ts';
import { AppError, InvalidRequestError, NotFoundError } from '../errors.ts';
import type { Message } from '../providers/chat-model.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import { hasMessages, type MessageRow } from '../storage/messages.ts';
import { getResponse } from '../storage/responses.ts';
import { type OwnItem, strayOutputs, toResponseMessages } from './responses-items.ts';
import {
  type FoundMessage,
  findAnswer,
  findLastCall,
  type KnownItem,
  type ResolvedInput,
} from './responses-references.ts';
import type { ResponseRequest } from './responses-schema.ts';

/** Characters of a conversation that a response which is not kept may go on from. */
const MAX_SAID = 32 * 1024 ** 2;

/** Where a response stands, and what of its input is new there. */
export interface Place {
  /** Undefined: in a conversation of its own. */
  at: { conversationId: string; after?: FoundMessage } | undefined;
  /** Was that conversation made for responses alone? */
  isOwn: boolean;
  items: OwnItem[];
}

/**
 * Finds where a response goes on: in the conversation, or after the response, that the request names; after the answer
 * that its input ends with, if it repeats what was said up to there; or nowhere. @throws AppError
 */
export async function findPlace(context: AgentContext, body: ResponseRequest, input: ResolvedInput): Promise<Place> {
  const { items, known } = input;
  const { conversation, previous_response_id: previous } = body;
  if (conversation) {
    const conversationId = typeof conversation === 'string' ? conversation : conversation.id;
    return { at: { conversationId }, isOwn: false, items };
  }
  if (previous) {
    const { conversationId, after, isOwn } = await afterResponse(context, previous);
    return { at: { conversationId, after }, isOwn, items };
  }
  const stray = strayOutputs(items);
  if (stray.length > 0) throw new InvalidRequestError(stray);
  const last = await lastKnown(context, items, known);
  const response = last && (await getResponse(context.db, context.owner, `resp_${last.name}`));
  const end = last ? endOfAnswer(items, last.index) : 0;
  if (last && response && (await repeats(context, items.slice(0, end), last.answer))) {
    const { conversationId } = last.answer;
    const isOwn = response.owns_conversation === 1;
    return { at: { conversationId, after: last.answer }, isOwn, items: items.slice(end) };
  }
  return { at: undefined, isOwn: true, items };
}

/** Whichever of the two stands further behind: an item with an id of ours, or a call. */
async function lastKnown(
  context: AgentContext,
  items: readonly OwnItem[],
  known: KnownItem | undefined,
): Promise<KnownItem | undefined> {
  const call = await findLastCall(context, items);
  return call && call.index > (known?.index ?? -1) ? call : known;
}

/** The place behind all items that may be of the same answer as one of them. */
function endOfAnswer(items: readonly OwnItem[], index: number): number {
  const next = items.findIndex((item, at) => at > index && !isAnswered(item));
  return next === -1 ? items.length : next;
}

function isAnswered(item: OwnItem): boolean {
  if (item.type === 'function_call' || item.type === 'reasoning') return true;
  return 'role' in item && item.role === 'assistant';
}

/** What the model has to be sent before a request's own messages, for one that is not kept. @throws AppError */
export async function saidBefore(
  context: AgentContext,
  { previous_response_id: previous }: ResponseRequest,
  { items }: ResolvedInput,
  brought: readonly Message[],
): Promise<Message[]> {
  const after = previous ? (await afterResponse(context, previous)).after : undefined;
  const kept = after ? await messagesUpTo(context, after) : [];
  const stray = strayOutputs(items, kept.flatMap(callsIn));
  if (stray.length > 0) throw new InvalidRequestError(stray);
  const answered = new Set(brought.flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : [])));
  // What stands there for an output that only comes now.
  return kept.filter((message) => message.role !== 'tool' || !answered.has(message.toolCallId));
}

async function afterResponse(
  context: AgentContext,
  id: string,
): Promise<{ conversationId: string; after: FoundMessage; isOwn: boolean }> {
  const response = await getResponse(context.db, context.owner, id);
  if (!response) {
    const message = `no response ${JSON.stringify(id)} of yours is kept: send what was said before as input`;
    throw new InvalidRequestError([{ path: 'previous_response_id', message }]);
  }
  const after = await findAnswer(context, id.slice('resp_'.length));
  if (!after) {
    const message = `The response ${id} has no answer to go on from: wait for it, or, if it has failed, go on from the one before it`;
    throw new AppError('conflict', message);
  }
  return { conversationId: response.conversationId, after, isOwn: response.owns_conversation === 1 };
}

/** Are these items what a conversation says up to an answer? Prompts, which no conversation keeps, are passed over. */
async function repeats(context: AgentContext, items: readonly OwnItem[], answer: FoundMessage): Promise<boolean> {
  const sent = toResponseMessages(items).filter(({ role }) => role !== 'system');
  let place = 0;
  for await (const row of rowsUpTo(context, answer)) {
    const kept = toModelMessages([row]);
    // The outputs of the last answer's calls are not there yet, or come after it.
    const said = row.seq === answer.message.seq ? kept.filter(({ role }) => role !== 'tool') : kept;
    for (const message of said) {
      const same = sent[place++];
      if (!same || comparable(same) !== comparable(message)) return false;
    }
  }
  return place === sent.length;
}

function callsIn(message: Message): string[] {
  if (message.role !== 'assistant') return [];
  return message.parts.flatMap((part) => (part.type === 'tool-call' ? [part.call.id] : []));
}

/** @throws InvalidRequestError if it is more than a request may bring itself. */
async function messagesUpTo(context: AgentContext, answer: FoundMessage): Promise<Message[]> {
  const messages: Message[] = [];
  let size = 0;
  for await (const row of rowsUpTo(context, answer)) {
    size += row.size;
    if (size > MAX_SAID) throw tooLong();
    messages.push(...toModelMessages([row]));
  }
  return messages;
}

function tooLong(): InvalidRequestError {
  const message = `what was said up to there has more than ${MAX_SAID} characters: keep the response (store: true), so that it can be made shorter`;
  return new InvalidRequestError([{ path: 'previous_response_id', message }]);
}

function rowsUpTo({ db, owner }: AgentContext, { message }: FoundMessage): AsyncGenerator<MessageRow> {
  return readAll(db, { owner, number: message.conversation }, { before: message.seq + 1, onlyComplete: true });
}

/** Where a part came from is not told where nothing depends on it. */
function comparable(message: Message): string {
  const plain = JSON.stringify(message, (name: string, value: unknown) => (name === 'origin' ? undefined : value));
  return hashOf(JSON.parse(plain));
}

/** A conversation that a response can be a turn of. */
export interface Opened {
  conversation: ConversationRow;
  /** The `seq` of its last message; undefined: any. */
  after: number | undefined;
  /** It was made just now. */
  isNew: boolean;
}

/**
 * Opens the conversation of a place: the one that it names, or, if that has gone on from there, a copy up to there.
 * @throws AppError
 */
export async function openPlace(context: AgentContext, { at, items }: Place): Promise<Opened> {
  if (!at) {
    // The caller's words: nobody pays a model for the titles of what a program asks.
    const title = firstTitle(wordsOf(items)) || 'Response';
    // Nothing of a preset: the model is sent what the request says.
    const unset = { model: null, systemPrompt: null, temperature: null, maxTokens: null };
    const { id } = await beginConversation(context, { title, ...unset });
    return { conversation: await requireConversation(context, id), after: undefined, isNew: true };
  }
  const conversation = await requireConversation(context, at.conversationId);
  if (!at.after) return { conversation, after: undefined, isNew: false };
  const { seq, id } = at.after.message;
  const behind = { owner: context.owner, conversation: conversation.number, after: seq };
  if (!(await hasMessages(context.db, behind))) return { conversation, after: seq, isNew: false };
  const fork = await forkConversation(context, at.conversationId, id);
  return { conversation: await requireConversation(context, fork.id), after: undefined, isNew: true };
}

function* wordsOf(items: readonly OwnItem[]): Generator<string> {
  for (const item of items) {
    if (!('role' in item) || item.role !== 'user') continue;
    if (typeof item.content === 'string') yield item.content;
    else for (const part of item.content) if (part.type === 'input_text') yield part.text;
  }
}

/** The owner's conversation. @throws NotFoundError */
export async function requireConversation({ db, owner }: AgentContext, id: string): Promise<ConversationRow> {
  const row = await getConversation(db, owner, id);
  if (!row) throw new NotFoundError('Conversation', id);
  return row;
}
