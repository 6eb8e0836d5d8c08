import type { Kysely } from 'kysely';
import { newId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { NotFoundError } from '../errors.ts';
import type { Allowance } from '../limits/budget.ts';
import { costOf } from '../providers/catalog/cost.ts';
import type { ChatRequest, Message, ProviderType, Source, ToolCall, Usage } from '../providers/chat-model.ts';
import { chooseModel } from '../providers/choose.ts';
import type { ModelRef, ProviderRegistry } from '../providers/registry.ts';
import type { Schema } from '../storage/schema.ts';
import { getTask } from '../storage/tasks.ts';
import { getTicket } from '../storage/tickets.ts';
import { Answer } from './answer.ts';
import { type MessagePart, messageParts } from './assistant-parts.ts';
import type { Attempt } from './attempts.ts';
import { contextBlock } from './context.ts';
import { type Answering, askInTurn } from './fallback.ts';
import { findPreset } from './presets.ts';

/** What a verb of this folder needs: storage, providers, whose request it is, and what its calls count against. */
export interface ChatContext {
  db: Kysely<Schema>;
  providers: ProviderRegistry;
  owner: string;
  /** Undefined: nothing. */
  budget: Allowance | undefined;
}

/** A single call, validated. */
export interface CompletionInput {
  messages: Message[];
  model?: string | undefined;
  /** Stands before every other system message. */
  systemPrompt?: string | undefined;
  temperature?: number | undefined;
  maxTokens?: number | undefined;
  tools?: ChatRequest['tools'] | undefined;
  toolChoice?: ChatRequest['toolChoice'];
  effort?: ChatRequest['effort'] | undefined;
  sampling?: ChatRequest['sampling'] | undefined;
  responseFormat?: ChatRequest['responseFormat'] | undefined;
  parallelToolCalls?: boolean | undefined;
  /** Models to try in this order if the one before fails before its first byte. */
  fallbacks?: string[] | undefined;
  /** Fills in what the request leaves out: prompt, model, temperature, tokens. */
  presetId?: string | undefined;
  taskId?: string | undefined;
  ticketId?: string | undefined;
  stream: boolean;
}

/** A call whose answer has begun: its first events are here, so what follows is not an HTTP error any more. */
export interface StartedCompletion extends Answering {
  id: string;
  /** `performance.now()` when the request began. */
  startedAt: number;
}

/** A finished call. `cost` is in USD, null if the price is not known; `duration` in milliseconds. */
export interface Completion {
  id: string;
  provider: ProviderType;
  model: string;
  /** To be sent back as it is. `parts` is there if content and calls do not say all that should go back. */
  message: { role: 'assistant'; content: string; toolCalls?: ToolCall[]; parts?: MessagePart[] };
  reasoning?: string;
  /** The pages that the answer rests on, if the provider names them. */
  sources?: Source[];
  /** Of each token of the text, as the event `logprobs` gives them. */
  logprobs?: JsonObject[];
  finishReason: Answer['finishReason'];
  usage: Usage & { cost: number | null };
  duration: number;
  warnings?: string[];
  /** What became of each model, if there was more than one. */
  attempts?: Attempt[];
}

/**
 * Starts a call and waits for the first events of its answer, falling back to other models until then.
 * @throws AppError if no model answered; the last model's error, with `details.attempts` if there were several.
 */
export async function startCompletion(
  context: ChatContext,
  input: CompletionInput,
  signal: AbortSignal,
): Promise<StartedCompletion> {
  const startedAt = performance.now();
  const { name, request } = await prepare(context, input);
  const { providers, budget } = context;
  const refs = await chooseModels(providers, name, input.fallbacks);
  const answering = await askInTurn({ providers, budget, request, signal }, refs);
  return { id: newId('resp'), ...answering, startedAt };
}

/**
 * The models that a call may use, in order. All names are looked up before the first call: a wrong fallback is the
 * caller's mistake, not a surprise later. Several names may mean the same model, which is asked once.
 * @throws AppError as `chooseModel`.
 */
export async function chooseModels(
  providers: ProviderRegistry,
  name: string | undefined,
  fallbacks: readonly string[] = [],
): Promise<ModelRef[]> {
  if (fallbacks.length === 0) return [await chooseModel(providers, name)];
  const named = await Promise.all([name, ...fallbacks].map((model) => chooseModel(providers, model)));
  return [...new Map(named.map((ref) => [`${ref.provider}/${ref.model}`, ref])).values()];
}

/** Waits for the whole answer. @throws AppError the provider's failure, even if it came in the middle. */
export async function finishCompletion(started: StartedCompletion): Promise<Completion> {
  const answer = new Answer(started.ref);
  for await (const events of started.events) for (const event of events) answer.add(event);
  if (answer.error) throw answer.error;
  return toCompletion(started, answer);
}

/** The completion that a gathered answer makes. */
export async function toCompletion(started: Omit<StartedCompletion, 'events'>, answer: Answer): Promise<Completion> {
  const { id, ref, warnings, attempts } = started;
  const toolCalls = answer.toolCalls.length > 0 ? { toolCalls: answer.toolCalls } : {};
  const parts = messageParts(answer.parts);
  return {
    id,
    provider: ref.provider,
    model: ref.model,
    message: { role: 'assistant', content: answer.text, ...toolCalls, ...(parts ? { parts } : {}) },
    ...(answer.reasoning === '' ? {} : { reasoning: answer.reasoning }),
    ...(answer.sources.length > 0 ? { sources: answer.sources } : {}),
    ...(answer.logprobs.length > 0 ? { logprobs: answer.logprobs } : {}),
    finishReason: answer.finishReason,
    usage: await withCost(ref, answer.usage),
    duration: Math.round(performance.now() - started.startedAt),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(attempts.length > 1 ? { attempts } : {}),
  };
}

/** A provider that gives no counts has made an answer of unknown cost, not a free one. */
async function withCost(ref: ModelRef, usage: Usage | undefined): Promise<Usage & { cost: number | null }> {
  if (!usage) return { promptTokens: 0, completionTokens: 0, totalTokens: 0, cost: null };
  return { ...usage, cost: await costOf(ref.provider, ref.model, usage) };
}

async function prepare(
  context: ChatContext,
  input: CompletionInput,
): Promise<{ name: string | undefined; request: Omit<ChatRequest, 'model'> }> {
  const { db, owner } = context;
  const preset = input.presetId === undefined ? undefined : await findPreset(db, owner, input.presetId);
  const system = [input.systemPrompt ?? preset?.systemPrompt, ...(await contextBlocks(context, input))];
  const prompts = system.flatMap((text): Message[] => (text === undefined ? [] : [{ role: 'system', text }]));
  return {
    name: input.model ?? preset?.model ?? undefined,
    request: {
      messages: [...prompts, ...input.messages],
      tools: input.tools ?? [],
      toolChoice: input.toolChoice,
      temperature: input.temperature ?? preset?.temperature ?? undefined,
      maxTokens: input.maxTokens ?? preset?.maxTokens ?? undefined,
      stream: input.stream,
      ...asked(input),
    },
  };
}

type Further = 'effort' | 'sampling' | 'responseFormat' | 'parallelToolCalls';

/** What is only in a request if it was asked for. */
export function asked({
  effort,
  sampling,
  responseFormat,
  parallelToolCalls,
}: Partial<Pick<CompletionInput, Further>>): Pick<ChatRequest, Further> {
  return {
    ...(effort === undefined ? {} : { effort }),
    ...(sampling === undefined ? {} : { sampling }),
    ...(responseFormat === undefined ? {} : { responseFormat }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
  };
}

/** What a task and a ticket add to the system prompt. @throws NotFoundError */
export async function contextBlocks(
  { db, owner }: ChatContext,
  { taskId, ticketId }: Pick<CompletionInput, 'taskId' | 'ticketId'>,
): Promise<string[]> {
  const blocks: string[] = [];
  if (taskId !== undefined) {
    const task = await getTask(db, owner, taskId);
    if (!task) throw new NotFoundError('Task', taskId);
    blocks.push(contextBlock('task', task));
  }
  if (ticketId !== undefined) {
    const ticket = await getTicket(db, owner, ticketId);
    if (!ticket) throw new NotFoundError('Ticket', ticketId);
    blocks.push(contextBlock('ticket', ticket));
  }
  return blocks;
}
