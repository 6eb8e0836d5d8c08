import type { Kysely } from 'kysely';
import { chooseModels } from '../chat/complete.ts';
import type { Content } from '../chat/content.ts';
import { beginNew, beginRetry, type Given } from '../conversations/begin-turn.ts';
import { isTooLong } from '../conversations/compact.ts';
import { contentTokens } from '../conversations/estimate.ts';
import { windowOf } from '../conversations/memory.ts';
import { systemTexts } from '../conversations/prompt.ts';
import { userBody } from '../conversations/stored.ts';
import { NotFoundError } from '../errors.ts';
import type { Effort, ResponseFormat, Sampling } from '../providers/chat-model.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import type { MessageRow } from '../storage/messages.ts';
import { appendEvents, type NewEvent, type StoredEvent } from '../storage/run-events.ts';
import { getRun, insertRun, type RunRow } from '../storage/runs.ts';
import type { Schema } from '../storage/schema.ts';
import type { FirstWork } from '../storage/turns.ts';
import { toolsByName } from '../tools/registry.ts';
import type { SecurityMode } from '../tools/tool.ts';
import type { AgentContext } from './context.ts';
import type { Limits } from './decide.ts';
import { enqueueSoon } from './enqueue.ts';
import type { OnCrash, RunSettings } from './settings.ts';

/** What a run is asked, beside its message. */
export interface RunOptions {
  kind: RunRow['kind'];
  model?: string | undefined;
  temperature?: number | undefined;
  maxTokens?: number | undefined;
  /** Names; undefined: all there are. */
  tools?: string[] | undefined;
  securityMode: SecurityMode;
  limits: Limits;
  effort?: Effort | undefined;
  sampling?: Sampling | undefined;
  responseFormat?: ResponseFormat | undefined;
  system?: readonly string[] | undefined;
  showThinking: boolean;
  onCrash: OnCrash;
}

/** What begins a run: new messages, or the failed one at the end of the conversation. */
export interface RunInput extends RunOptions {
  begin: { content: Content } | Given | 'retry';
}

/** A request that was made before. */
class Repeated extends Error {}

/**
 * Waits for the conversation's turn and gives it to a new run, with the message that begins it. From then on the run
 * goes on by itself. A request that is repeated finds the run that it has made.
 * @param signal the caller's; counts only while waiting for the turn.
 * @throws AppError; Overtaken as `beginNew`.
 */
export async function startRun(
  context: AgentContext,
  conversationId: string,
  { begin, ...options }: RunInput,
  signal: AbortSignal,
): Promise<RunRow> {
  const { db, owner, turns, runs } = context;
  const id = context.newId('run');
  const again = await getRun(db, owner, id);
  if (again) return again;
  const conversation = await getConversation(db, owner, conversationId);
  if (!conversation) throw new NotFoundError('Conversation', conversationId);
  // What is wrong with the request is said before anything is kept.
  await systemTexts(context, conversation, { system: options.system });
  const settings = await settingsFor(context, conversation, options);
  const kept = { model: options.model, temperature: options.temperature, maxTokens: options.maxTokens };
  const beginning = begin === 'retry' ? beginRetry(context) : beginNew(context, { ...givenBy(begin), options: kept });
  const window = await windowOf(context, settings.refs);
  // A repeated request may meet the run that holds the turn, or what that left.
  const refuseRepetition = async (tx: Kysely<Schema>): Promise<void> => {
    if (await getRun(tx, owner, id)) throw new Repeated();
  };
  const first: FirstWork<{ row: RunRow; events: Map<string, StoredEvent[]> }> = async (tx, row, turn) => {
    await refuseRepetition(tx);
    const { value: begun, firstSeq } = await beginning.first(tx, row, turn);
    const run = await insertRun(tx, {
      ...{ id, owner, conversation: row.number, conversation_id: conversationId, kind: options.kind },
      ...{ first_seq: firstSeq, settings: JSON.stringify(settings) },
    });
    const events = [messageEvent(row, begun.given, window), startEvent(run, settings)];
    return {
      value: { row: run, events: await appendEvents(tx, [{ run: id, owner, fence: undefined, events }]) },
      firstSeq,
    };
  };
  try {
    const { row, events } = await turns.place(owner, conversationId, signal, id, first, () => refuseRepetition(db));
    runs.events.publish(id, events.get(id) ?? []);
    enqueueSoon(runs, { owner, run: id, pass: row.pass });
    return row;
  } catch (error) {
    const made = error instanceof Repeated ? await getRun(db, owner, id) : undefined;
    if (made) return made;
    throw error;
  }
}

function givenBy(begin: { content: Content } | Given): Given {
  return 'content' in begin ? { messages: [{ role: 'user', content: begin.content }], results: [] } : begin;
}

async function settingsFor(
  context: AgentContext,
  conversation: ConversationRow,
  options: RunOptions,
): Promise<RunSettings> {
  const { kind: _, model, tools, ...rest } = options;
  const { providers, runs, budgets } = context;
  const offered = options.securityMode === 'deny' ? [] : toolsByName(runs.tools(), tools);
  return {
    ...rest,
    refs: await chooseModels(providers, model ?? conversation.model ?? undefined),
    tools: offered.map(({ name }) => name),
    budgets,
  };
}

function messageEvent(row: ConversationRow, given: readonly MessageRow[], window: number): NewEvent {
  const message = given.findLast(({ role }) => role === 'user');
  const content = message ? userBody(message).content : '';
  const likely = (row.live_tokens + contentTokens(content)) * row.token_ratio;
  return {
    key: 'message',
    type: 'user_message',
    data: {
      id: message?.id ?? null,
      content,
      compactionApplied: isTooLong(likely, window),
      // Those of a message that is tried again are counted already.
      messageCount: row.message_count + given.filter(({ seq }) => seq > row.last_seq).length,
    },
  };
}

function startEvent({ id, conversation_id }: RunRow, settings: RunSettings): NewEvent {
  const { refs, limits, securityMode, tools } = settings;
  const [ref] = refs;
  const { maxSteps, maxBudget = null } = limits;
  const model = { model: ref?.model ?? '', provider: ref?.provider ?? '' };
  const data = { sessionId: id, conversationId: conversation_id, ...model, maxSteps, maxBudget, securityMode, tools };
  return { key: 'start', type: 'session:start', data };
}
