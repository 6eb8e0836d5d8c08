import type { AgentContext } from '../agent/context.ts';
import { type RunInput, startRun } from '../agent/start-run.ts';
import { startTurn } from '../agent/turn.ts';
import { startCompletion } from '../chat/complete.ts';
import { Overtaken } from '../conversations/begin-turn.ts';
import { Relay } from '../conversations/relay.ts';
import { toolCallsOf } from '../conversations/stored.ts';
import type { ProviderEvent } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import type { ConversationRow } from '../storage/conversations.ts';
import type { MessageRow } from '../storage/messages.ts';
import { deleteResponse, getResponse, insertResponse, noteLastCall, twinId } from '../storage/responses.ts';
import { timestamp } from '../storage/rows.ts';
import { deleteIfThere } from './responses-end.ts';
import { type GivenInput, toGiven } from './responses-given.ts';
import { toResponseMessages } from './responses-items.ts';
import { firstModel } from './responses-kept.ts';
import { echoOf, type ResponseHead } from './responses-object.ts';
import { answerEvents, originOf } from './responses-of-message.ts';
import { findPlace, type Opened, openPlace, saidBefore } from './responses-place.ts';
import type { ResolvedInput } from './responses-references.ts';
import { type ResponseRequest, toOptions } from './responses-schema.ts';

/** A response whose answer has begun. */
export interface StartedResponse {
  head: Omit<ResponseHead, 'model'>;
  ref: Pick<ModelRef, 'provider' | 'model'>;
  warnings: readonly string[];
  events: AsyncIterable<ProviderEvent[]>;
  /** Resolves when the answer is kept, if it is to be. */
  kept: Promise<unknown>;
  /** Takes back what was made for it, after it has failed and nobody knows of it. */
  undo(): Promise<void>;
}

/** A response that is kept: what begins it, in the conversation that it is of. */
interface Begun<T> {
  value: T;
  head: Omit<ResponseHead, 'model'>;
  undo(): Promise<void>;
}

/** Starts a response as a turn of a conversation. @param asked `id`: `resp_…`. @throws AppError */
export async function startStored(
  context: AgentContext,
  asked: { id: string; body: ResponseRequest; input: ResolvedInput },
  signal: AbortSignal,
): Promise<StartedResponse> {
  const { id, body } = asked;
  const begun = await begin(context, 'turn', asked, (conversation, given) =>
    startTurn(
      context,
      conversation.id,
      {
        begin: given,
        ...toOptions(body),
        system: given.system,
        stream: body.stream ?? false,
        answerId: twinId(id, 'msg'),
      },
      signal,
    ),
  );
  const { value, head, undo } = begun;
  // A repeated request finds its answer.
  if (!('relay' in value)) {
    const events = new Relay();
    events.push(answerEvents(value.answer));
    events.end();
    const kept = context.turns.track(noteCalls(context, id, value.answer));
    return { head, ref: originOf(value.answer), warnings: [], events, kept, undo };
  }
  const { relay, finished, ref, warnings } = value;
  const kept = context.turns.track(finished.then(({ answer }) => noteCalls(context, id, answer)));
  return { head, ref, warnings, events: relay, kept, undo };
}

async function noteCalls({ db, owner }: AgentContext, id: string, answer: MessageRow): Promise<void> {
  const last = toolCallsOf(answer).at(-1);
  if (last) await noteLastCall(db, owner, id, last.id);
}

/**
 * Starts a response as a run, which goes on by itself. @param asked `id`: `resp_…`. @returns the model that is asked.
 * @throws AppError
 */
export async function startInBackground(
  context: AgentContext,
  asked: { id: string; body: ResponseRequest; input: ResolvedInput },
  signal: AbortSignal,
): Promise<Pick<ModelRef, 'provider' | 'model'>> {
  const named: AgentContext = {
    ...context,
    newId: (prefix) => (prefix === 'run' ? twinId(asked.id, 'run') : context.newId(prefix)),
  };
  const { model, temperature, maxTokens, effort, sampling, responseFormat } = toOptions(asked.body);
  const begun = await begin(named, 'run', asked, (conversation, given) => {
    const input: RunInput = {
      ...{ model, temperature, maxTokens, effort, sampling, responseFormat, begin: given, system: given.system },
      kind: 'tools',
      tools: [],
      securityMode: 'deny',
      limits: { maxSteps: 1, closes: false },
      showThinking: true,
      onCrash: 'resume',
    };
    return startRun(named, conversation.id, input, signal);
  });
  return firstModel(begun.value);
}

/**
 * Starts a response of which nothing is kept. What it goes on from is all sent: no conversation is there to be made
 * shorter. @throws AppError
 */
export async function startUnstored(
  context: AgentContext,
  { body, input }: { body: ResponseRequest; input: ResolvedInput },
  signal: AbortSignal,
): Promise<StartedResponse> {
  const brought = toResponseMessages(input.items);
  const systemPrompt = body.instructions ? body.instructions : undefined;
  const messages = [...(await saidBefore(context, body, input, brought)), ...brought];
  const call = { messages, systemPrompt, ...toOptions(body), stream: body.stream ?? false };
  const started = await startCompletion(context, call, signal);
  const head = { id: started.id, createdAt: Math.floor(Date.now() / 1000), echo: echoOf(body, undefined) };
  return { ...started, head, kept: Promise.resolve(), undo: () => Promise.resolve() };
}

/** Finds the place, notes the response there, and starts it; if others have gone on from there meanwhile, beside them. */
async function begin<T>(
  context: AgentContext,
  kind: 'turn' | 'run',
  { id, body, input }: { id: string; body: ResponseRequest; input: ResolvedInput },
  start: (conversation: ConversationRow, given: GivenInput) => Promise<T>,
): Promise<Begun<T>> {
  const { db, owner } = context;
  const named = withConversationId(context);
  const place = await findPlace(named, body, input);
  const brought = toGiven(toResponseMessages(place.items));
  const given = { ...brought, system: [...(body.instructions ? [body.instructions] : []), ...brought.system] };
  // Of a request that is repeated after a crash.
  let before = await getResponse(db, owner, id);
  for (;;) {
    const where = before ? { conversationId: before.conversationId } : place.at;
    const opened = await openPlace(named, { ...place, at: where });
    const { conversation } = opened;
    // Whether it has begun there already is for the turn to find.
    const isSame = before !== undefined && before.conversationId === place.at?.conversationId;
    const after = isSame ? place.at?.after?.message.seq : opened.after;
    const createdAt = before?.created_at ?? timestamp();
    const echo = echoOf(body, conversation.id);
    const isOwn = place.isOwn || opened.isNew;
    const row = { id, owner, conversation: conversation.number, kind, owns_conversation: isOwn ? 1 : 0 };
    await insertResponse(db, {
      ...row,
      created_at: createdAt,
      request: JSON.stringify({ model: body.model, ...echo }),
    });
    // What was there before may be known to the caller, or still be under way.
    const undo = before ? () => Promise.resolve() : () => takeBack(context, row, opened);
    try {
      const value = await start(conversation, { ...given, after });
      return { value, head: { id, createdAt: Math.floor(Date.parse(createdAt) / 1000), echo }, undo };
    } catch (error) {
      await undo();
      if (!(error instanceof Overtaken)) throw error;
      if (before) await deleteResponse(db, row);
      before = undefined;
    }
  }
}

async function takeBack(
  context: AgentContext,
  row: { id: string; owner: string; conversation: number },
  { isNew, conversation }: Opened,
): Promise<void> {
  await deleteResponse(context.db, row);
  // Somebody else may have deleted it, which may be why the response has failed.
  if (isNew) await deleteIfThere(context, conversation.id);
}

/** The id of a conversation that may be made is taken first, so that a repeated request gets the same ids. */
function withConversationId(context: AgentContext): AgentContext {
  const id = context.newId('conv');
  return { ...context, newId: (prefix) => (prefix === 'conv' ? id : context.newId(prefix)) };
}
