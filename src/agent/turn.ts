import { Answer } from '../chat/answer.ts';
import { asked, type Completion, chooseModels, toCompletion } from '../chat/complete.ts';
import type { Answering } from '../chat/fallback.ts';
import { askModel, type Prompt } from '../conversations/ask-model.ts';
import { type Begun, beginNew, beginRetry, type Given } from '../conversations/begin-turn.ts';
import type { ConversationContext } from '../conversations/context.ts';
import { failTurn, finishTurn } from '../conversations/finish-turn.ts';
import type { CompactionReport } from '../conversations/memory.ts';
import { systemTexts } from '../conversations/prompt.ts';
import { Relay } from '../conversations/relay.ts';
import { assistantBody, type TurnOptions, textOfMessage, toolCallsOf } from '../conversations/stored.ts';
import { makeTitle } from '../conversations/title.ts';
import type { Turn } from '../conversations/turns.ts';
import { newId } from '../core/ids.ts';
import { AppError, NotFoundError, toAppError } from '../errors.ts';
import type { ProviderType } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import { type ConversationRow, getConversation } from '../storage/conversations.ts';
import type { MessageRow } from '../storage/messages.ts';
import type { TurnState } from './decide.ts';
import { runLoop, type TurnWork } from './loop.ts';

/** What a turn is asked. */
export interface TurnInput extends TurnOptions {
  /** New messages, or the failed turn at the end of the conversation once more, as it was asked but for the options. */
  begin: Given | 'retry';
  stream: boolean;
  /** Of a new turn; undefined: a new id. */
  answerId?: string | undefined;
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
  /** What the model was not sent, as in `Answering`. */
  warnings: readonly string[];
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

const ONE_STEP = { maxSteps: 1, closes: false };
const NO_TOKENS = { usedTokens: 0, nextTokens: 0 };

/**
 * Waits for the conversation's turn, stores what the caller brings, asks the model and waits for the first events of
 * its answer. From then on the turn is on its own: it is finished and stored when nobody listens any more.
 * @param signal the caller's; counts only while waiting for the turn.
 * @throws AppError; if the turn had begun, its messages are marked failed and it can be tried again. Overtaken if it was
 *   to begin after another message than the last one.
 */
export async function startTurn(
  context: ConversationContext,
  conversationId: string,
  { begin, stream, answerId: wantedId, ...options }: TurnInput,
  signal: AbortSignal,
): Promise<StartedTurn | TurnResult> {
  const { db, owner, turns } = context;
  const conversation = await getConversation(db, owner, conversationId);
  if (!conversation) throw new NotFoundError('Conversation', conversationId);
  // What is wrong with the request is said before anything is kept.
  await systemTexts(context, conversation, options);
  if (begin !== 'retry' || options.model !== undefined) await modelsOf(context, conversation, options);
  const { first, answerId } =
    begin === 'retry' ? beginRetry(context) : beginNew(context, { ...begin, options, answerId: wantedId });
  const { turn, row, value: begun } = await turns.take(owner, conversationId, signal, first);
  // Without the time that it waited for the turn before.
  const startedAt = performance.now();
  if (begun.answered) {
    await turn.end(() => Promise.resolve());
    return { given: begun.given, answer: begun.answered, completion: undefined, compaction: null };
  }
  const relay = new Relay();
  const begins = Promise.withResolvers<Answering>();
  const running = { turn, row, begun, options: { ...begun.options, ...options }, stream, relay, startedAt, answerId };
  const work = answer(context, running, begins.resolve);
  const finished = turns.track(work);
  if (wantsTitle(row)) void turns.track(finished.then((result) => titled(context, turn, result)));
  // A failure before the answer begins is the caller's; a later one is for whoever waits for the end.
  const { ref, warnings } = await Promise.race([begins.promise, finished.then(() => begins.promise)]);
  return { relay, ref, warnings, finished };
}

async function answer(
  context: ConversationContext,
  running: Running,
  began: (answering: Answering) => void,
): Promise<TurnResult> {
  const { turn, relay } = running;
  const { given } = running.begun;
  try {
    const work = new PlainWork(context, running, began);
    await runLoop(work);
    return work.result;
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

/** A turn without tools of ours, which is one step: what the model calls is for the caller to carry out. */
class PlainWork implements TurnWork {
  readonly #context: ConversationContext;
  readonly #running: Running;
  readonly #began: (answering: Answering) => void;
  #answered: { completion: Completion; compaction: CompactionReport | null; estimate: number } | undefined;
  #result: TurnResult | undefined;

  constructor(context: ConversationContext, running: Running, began: (answering: Answering) => void) {
    this.#context = context;
    this.#running = running;
    this.#began = began;
  }

  get result(): TurnResult {
    if (!this.#result) throw new Error('the turn has not ended');
    return this.#result;
  }

  state(): TurnState {
    const steps = this.#answered ? 1 : 0;
    return { limits: ONE_STEP, steps, calls: [], past: [], isDone: false, hasMessages: false, ...NO_TOKENS };
  }

  async ask(): Promise<void> {
    const { turn, row, options, relay, startedAt } = this.#running;
    const refs = await modelsOf(this.#context, row, options);
    // Once more: they may have changed while the turn waited.
    const system = await systemTexts(this.#context, row, options);
    const prompt = { system, ...promptOf(this.#running) };
    const { answering, compaction, estimate } = await askModel(this.#context, { turn, row, refs, prompt });
    this.#began(answering);
    const gathered = new Answer(answering.ref);
    for await (const events of answering.events) {
      for (const event of events) gathered.add(event);
      relay.push(events);
    }
    if (gathered.error) throw gathered.error;
    const completion = await toCompletion({ id: newId('resp'), ...answering, startedAt }, gathered);
    this.#answered = { completion, compaction, estimate };
  }

  async finish(): Promise<boolean> {
    const { turn, begun, answerId: id } = this.#running;
    if (!this.#answered) throw new Error('the turn has no answer');
    const { completion, compaction, estimate } = this.#answered;
    const stored = await finishTurn(turn, { given: begun.given, completion, estimate, id });
    this.#result = { ...stored, completion, compaction };
    return true;
  }

  call(): never {
    throw new Error('a plain turn carries nothing out');
  }

  wait(): never {
    throw new Error('a plain turn waits for nobody');
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
    ...asked(options),
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
  const question = given.find(({ role }) => role === 'user');
  if (!question) return;
  const exchange = { asked: textOfMessage(question), answered: textOfMessage(stored) };
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
    finishReason: finishReason === undefined || finishReason === 'cancelled' ? 'stop' : finishReason,
    usage: { ...counts, cost: cost ?? null },
    duration: duration ?? 0,
  };
}
