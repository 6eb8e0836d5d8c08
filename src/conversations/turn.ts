import { Answer } from '../chat/answer.ts';
import { type Completion, chooseModels, toCompletion } from '../chat/complete.ts';
import { newId } from '../core/ids.ts';
import { AppError, NotFoundError, toAppError } from '../errors.ts';
import type { ProviderType } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import type { MessageRow } from '../storage/messages.ts';
import { askModel, type Prompt } from './ask-model.ts';
import { type Begun, beginNew, beginRetry, type GivenTurn } from './begin-turn.ts';
import type { ConversationContext } from './context.ts';
import { failTurn, finishTurn } from './finish-turn.ts';
import type { CompactionReport } from './memory.ts';
import { systemTexts } from './prompt.ts';
import { Relay } from './relay.ts';
import { assistantBody, type TurnOptions, textOfMessage, toolCallsOf } from './stored.ts';
import { makeTitle } from './title.ts';
import type { Turn } from './turns.ts';

/** What a turn is asked. */
export interface TurnInput extends TurnOptions {
  /** New messages, or the failed turn at the end of the conversation once more, as it was asked but for the options. */
  begin: Pick<GivenTurn, 'messages' | 'results'> | 'retry';
  stream: boolean;
}

/** What a turn has come to. `completion` is missing if a repeated request finds its answer. */
export interface TurnResult {
  given: MessageRow[];
  answer: MessageRow;
  completion: Completion | undefined;
  compaction: CompactionReport | null;
}

/** A turn whose answer has begun. It goes on whatever becomes of its caller. */
export interface StartedTurn {
  /** The answer's events, for one reader. */
  relay: Relay;
  /** The model that answers. */
  ref: ModelRef;
  /** Rejects with an AppError if the turn fails after all. */
  finished: Promise<TurnResult>;
}

/** A turn that was taken, with everything that it needs. */
interface Running {
  turn: Turn;
  row: ConversationRow;
  begun: Begun;
  options: TurnOptions;
  stream: boolean;
  relay: Relay;
  startedAt: number;
  answerId: string;
}

/**
 * Waits for the conversation's turn, stores what the caller brings, asks the model and waits for the first events of
 * its answer. From then on the turn is on its own: it is finished and stored when nobody listens any more.
 * @param signal the caller's; counts only while waiting for the turn.
 * @throws AppError; if the turn had begun, its messages are marked failed and it can be tried again.
 */
export async function startTurn(
  context: ConversationContext,
  conversationId: string,
  { begin, stream, ...options }: TurnInput,
  signal: AbortSignal,
): Promise<StartedTurn | TurnResult> {
  const { db, owner, turns } = context;
  const conversation = await getConversation(db, owner, conversationId);
  if (!conversation) throw new NotFoundError('Conversation', conversationId);
  // What is wrong with the request is said before anything is kept.
  await systemTexts(context, conversation, options);
  if (begin !== 'retry' || options.model !== undefined) await modelsOf(context, conversation, options);
  const { first, answerId } = begin === 'retry' ? beginRetry(context) : beginNew(context, { ...begin, options });
  const { turn, row, value: begun } = await turns.take(owner, conversationId, signal, first);
  // Without the time that it waited for the turn before.
  const startedAt = performance.now();
  if (begun.answered) {
    await turn.end(() => Promise.resolve());
    return { given: begun.given, answer: begun.answered, completion: undefined, compaction: null };
  }
  const relay = new Relay();
  const asked = Promise.withResolvers<ModelRef>();
  const running = { turn, row, begun, options: { ...begun.options, ...options }, stream, relay, startedAt, answerId };
  const work = answer(context, running, asked.resolve);
  const finished = turns.track(work);
  if (wantsTitle(row)) void turns.track(finished.then((result) => titled(context, turn, result)));
  // A failure before the answer begins is the caller's; a later one is for whoever waits for the end.
  const ref = await Promise.race([asked.promise, finished.then(() => asked.promise)]);
  return { relay, ref, finished };
}

async function answer(
  context: ConversationContext,
  running: Running,
  began: (ref: ModelRef) => void,
): Promise<TurnResult> {
  const { turn, row, options, relay, startedAt } = running;
  const { given } = running.begun;
  try {
    const refs = await modelsOf(context, row, options);
    // Once more: they may have changed while the turn waited.
    const system = await systemTexts(context, row, options);
    const asked = await askModel(context, { turn, row, refs, prompt: { system, ...promptOf(running) } });
    const { answering, compaction, estimate } = asked;
    began(answering.ref);
    const gathered = new Answer(answering.ref);
    for await (const events of answering.events) {
      for (const event of events) gathered.add(event);
      relay.push(events);
    }
    if (gathered.error) throw gathered.error;
    const completion = await toCompletion({ id: newId('resp'), ...answering, startedAt }, gathered);
    const end = { given, completion, estimate, id: running.answerId };
    return { ...(await finishTurn(turn, end)), completion, compaction };
  } catch (cause) {
    const error = withMessage(toAppError(cause), given);
    if (error.code === 'internal') context.log.error({ err: cause }, 'a turn failed');
    await failTurn(turn, given, error).catch((failure: unknown) => {
      // A turn that was lost is not ours to mark.
      if (!(failure instanceof AppError)) context.log.error({ err: failure }, 'a failed turn could not be marked');
    });
    throw error;
  } finally {
    relay.end();
  }
}

/** The models of a turn: the request's, else the conversation's, else the default. */
async function modelsOf(
  { providers }: ConversationContext,
  row: ConversationRow,
  { model, fallbacks }: TurnOptions,
): Promise<ModelRef[]> {
  return await chooseModels(providers, model ?? row.model ?? undefined, fallbacks);
}

function promptOf({ row, begun: { given }, options, stream }: Running): Omit<Prompt, 'system'> {
  return {
    given,
    tools: options.tools ?? [],
    toolChoice: options.toolChoice,
    temperature: options.temperature ?? row.temperature ?? undefined,
    maxTokens: options.maxTokens ?? row.max_tokens ?? undefined,
    stream,
  };
}

/** The same error, saying which message has failed. */
function withMessage(error: AppError, given: readonly MessageRow[]): AppError {
  const last = given.at(-1);
  if (!last) return error;
  const { code, message, retryAfter, cause } = error;
  return new AppError(code, message, { details: { ...error.details, messageId: last.id }, retryAfter, cause });
}

/** Before the first answer, however many tries it takes; a copy has its messages from the beginning. */
function wantsTitle({ title_by, live_tokens, covered_seq }: ConversationRow): boolean {
  return (title_by === 'nobody' || title_by === 'message') && live_tokens === 0 && covered_seq === 0;
}

async function titled(context: ConversationContext, turn: Turn, { given, answer: stored }: TurnResult): Promise<void> {
  const asked = given.find(({ role }) => role === 'user');
  if (!asked) return;
  const exchange = { asked: textOfMessage(asked), answered: textOfMessage(stored) };
  await makeTitle(context, turn.held, exchange).catch((error: unknown) =>
    context.log.warn({ err: error }, 'a title could not be made'),
  );
}

/** A turn's answer as a completion; one that a repeated request finds, as far as it is stored. */
export function completionOf({ answer: row, completion }: TurnResult): Completion {
  if (completion) return completion;
  const { content, parts, reasoning, sources, provider, model, usage, cost, finishReason, duration } =
    assistantBody(row);
  const counts = usage ?? { promptTokens: 0, completionTokens: 0, totalTokens: 0 };
  const toolCalls = toolCallsOf(row);
  return {
    id: newId('resp'),
    provider: provider as ProviderType,
    model: model ?? '',
    message: {
      role: 'assistant',
      content,
      ...(toolCalls.length > 0 ? { toolCalls } : {}),
      ...(parts ? { parts: [...parts] } : {}),
    },
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(sources ? { sources: [...sources] } : {}),
    finishReason: finishReason ?? 'stop',
    usage: { ...counts, cost: cost ?? null },
    duration: duration ?? 0,
  };
}
