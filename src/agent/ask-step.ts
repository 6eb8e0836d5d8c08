import { Answer } from '../chat/answer.ts';
import { asked, type Completion, toCompletion } from '../chat/complete.ts';
import { askModel } from '../conversations/ask-model.ts';
import { storeAnswer } from '../conversations/finish-turn.ts';
import { systemTexts } from '../conversations/prompt.ts';
import { spent } from '../conversations/spent.ts';
import { newId } from '../core/ids.ts';
import { isNestedAtMost } from '../core/nesting.ts';
import { pause } from '../core/pause.ts';
import { TOOL_DATA_PROMPT } from '../core/tool-data.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Tool as OfferedTool, ProviderEvent, ToolCall } from '../providers/chat-model.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import { insertMessages, type MessageRow } from '../storage/messages.ts';
import type { NewEvent } from '../storage/run-events.ts';
import { takeSteering } from '../storage/steering.ts';
import { COMPLETE_TASK, steeringMessage } from './messages.ts';
import type { OpenRun } from './open-run.ts';
import { StepStream } from './step-stream.ts';

/** Failures that may pass: the step is tried again. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_protocol',
  'provider_rate_limited',
  'provider_timeout',
  'provider_unavailable',
]);

const MOST_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** What a model may write if nobody says, as far as a budget goes. */
const USUAL_OUTPUT = 8192;
const LEAST_OUTPUT = 256;
const MAX_NESTING = 100;

const AGENT_PROMPT = `You work on your own, step by step, with the tools that you have; nobody answers you in between. When all is done, call ${COMPLETE_TASK} with a summary. If you cannot go on, say why, without a call.`;

/** What a step of a run works on. */
export interface StepInput {
  /** The run's messages so far, oldest first. */
  messages: readonly MessageRow[];
  /** From 1 on. */
  step: number;
  tools: readonly OfferedTool[];
  /** May it call them? They are offered all the same: a provider may not take a history whose tools have changed. */
  mayCall: boolean;
  /** Likely tokens of what will be sent. */
  nextTokens: number;
}

/** What a step has added to the run. */
export interface StepOutput {
  conversation: ConversationRow;
  /** With their status as it is now. */
  messages: MessageRow[];
}

/** Asks the model once, streaming what it says, and keeps the answer. @throws AppError, Lost, or why the run stopped */
export async function askStep(run: OpenRun, input: StepInput): Promise<StepOutput> {
  const begun = await beginStep(run, input);
  for (let attempt = 1; ; attempt++) {
    try {
      // The attempt before may have made the conversation shorter.
      const conversation = attempt === 1 ? begun.conversation : await run.write((_, row) => Promise.resolve(row));
      return await attemptStep(run, { ...input, messages: begun.messages }, conversation);
    } catch (error) {
      run.throwIfStopped();
      if (!(error instanceof AppError) || !PASSING.has(error.code) || attempt === MOST_ATTEMPTS) throw error;
      const model = modelName(run);
      const data = { step: input.step, reason: error.code, message: error.message, from: model, to: model };
      run.emit('attempt:reset', data);
      const wanted = error.retryAfter === undefined ? FIRST_PAUSE_MS * 2 ** attempt : error.retryAfter * 1000;
      await pause(Math.min(wanted, LONGEST_PAUSE_MS), run.signal);
    }
  }
}

/** Takes up what people have said meanwhile. A step that had begun before begins anew. */
async function beginStep(run: OpenRun, { messages, step }: StepInput): Promise<StepOutput> {
  const { row } = run;
  const model = modelName(run);
  const event: NewEvent =
    row.steps >= step
      ? { type: 'attempt:reset', data: { step, reason: 'interrupted', from: model, to: model } }
      : { key: `step:${step}`, type: 'step:start', data: stepData(run, step) };
  return await run.record(async (tx, conversation) => {
    const { owner, number, last_seq, message_count } = conversation;
    const said = await takeSteering(tx, owner, row.id);
    const change = { steps: Math.max(step, row.steps) };
    if (said.length === 0) return { events: [event], change, value: { conversation, messages: [...messages] } };
    const place = { owner, conversation: number, turn: row.id, firstSeq: last_seq + 1 };
    const rows = (await insertMessages(tx, place, said.map(steeringMessage))) ?? [];
    const next = await writeConversation(tx, conversation, {
      last_seq: last_seq + rows.length,
      message_count: message_count + rows.length,
    });
    return { events: [event], change, value: { conversation: next, messages: [...messages, ...rows] } };
  });
}

async function attemptStep(run: OpenRun, input: StepInput, conversation: ConversationRow): Promise<StepOutput> {
  const { settings, context } = run;
  const startedAt = performance.now();
  const given = input.messages.filter(({ status }) => status === 'running');
  const { answering, compaction, estimate } = await askModel(context, {
    turn: run,
    row: conversation,
    refs: settings.refs,
    prompt: {
      system: [...(await systemTexts(context, conversation, { system: settings.system })), ...toolPrompts(run)],
      given,
      tools: [...input.tools],
      toolChoice: input.mayCall || input.tools.length === 0 ? undefined : 'none',
      temperature: settings.temperature ?? conversation.temperature ?? undefined,
      maxTokens: mostOutput(run, conversation, input),
      stream: true,
      ...asked(settings),
    },
  });
  if (compaction) run.emit('compaction', { ...compaction });
  const gathered = new Answer(answering.ref);
  const stream = new StepStream(run, input.step, settings.showThinking);
  for await (const events of answering.events) {
    for (const event of events) add(gathered, stream, event);
    await run.services.events.room(run.writer);
  }
  stream.end();
  run.throwIfStopped();
  if (gathered.error) throw gathered.error;
  const completion = await toCompletion({ id: newId('resp'), ...answering, startedAt }, gathered);
  return await keepAnswer(run, input, { given, estimate, completion: ownCalls(completion, input) });
}

function add(gathered: Answer, stream: StepStream, event: ProviderEvent): void {
  gathered.add(event);
  stream.add(event);
}

async function keepAnswer(
  run: OpenRun,
  { messages, step }: StepInput,
  answered: { given: MessageRow[]; completion: Completion; estimate: number },
): Promise<StepOutput> {
  const { completion } = answered;
  // Made once: a commit whose answer got lost must not be done again.
  const id = newId('msg');
  return await run.record(async (tx, row) => {
    const stored = await storeAnswer(tx, run.held, row, { ...answered, id });
    const isLast = stored.answer.calls === 0;
    const change = { ...spent(run.row, completion.usage), tries: 0 };
    const done = { ...stepData(run, step), usedBudget: change.total_tokens };
    return {
      events: isLast ? [stepComplete(done, stored.answer, completion.finishReason, completion.duration)] : [],
      change,
      value: {
        conversation: stored.row,
        messages: [...messages.filter(({ status }) => status !== 'running'), ...stored.given, stored.answer],
      },
    };
  });
}

/** The event that ends a step, once. `duration` in milliseconds. */
export function stepComplete(
  data: Record<string, unknown>,
  answer: MessageRow,
  finishReason: string,
  duration: number,
): NewEvent {
  const more = { toolCallsInStep: answer.calls, finishReason, duration, messageId: answer.id };
  return { key: `done:${data.step}`, type: 'step:complete', data: { ...data, ...more } };
}

/** What every event about a step says. */
export function stepData({ row, settings }: OpenRun, step: number): Record<string, unknown> {
  const { maxSteps, maxBudget = null } = settings.limits;
  return { step, maxSteps, usedBudget: row.total_tokens, maxBudget };
}

/** What a model with tools is told beside the conversation's own prompts. */
function toolPrompts({ row, settings }: OpenRun): string[] {
  // Where nothing is carried out but what a rule allows, it cannot call that either.
  const isOffered = settings.tools.includes(COMPLETE_TASK) && settings.securityMode !== 'allowlist';
  const agent = row.kind === 'agent' && isOffered ? [AGENT_PROMPT] : [];
  return settings.tools.length > 0 ? [...agent, TOOL_DATA_PROMPT] : agent;
}

function modelName({ settings }: OpenRun): string {
  const [ref] = settings.refs;
  return ref ? `${ref.provider}/${ref.model}` : '';
}

/** No more than the run's budget has left, if that is less than the model would write anyway. */
function mostOutput(run: OpenRun, row: ConversationRow, { nextTokens }: StepInput): number | undefined {
  const { limits, maxTokens } = run.settings;
  const wanted = maxTokens ?? row.max_tokens ?? undefined;
  if (limits.maxBudget === undefined) return wanted;
  const left = Math.max(LEAST_OUTPUT, limits.maxBudget - run.row.total_tokens - nextTokens);
  return left < (wanted ?? USUAL_OUTPUT) ? left : wanted;
}

/** The answer with the calls that are to be carried out, each under an id of its own. */
function ownCalls(completion: Completion, { mayCall, messages }: StepInput): Completion {
  return mayCall ? withOwnIds(completion, messages) : withoutCalls(completion);
}

/** Some models call although they were told not to. */
function withoutCalls(completion: Completion): Completion {
  const { toolCalls, parts, ...message } = completion.message;
  if (!toolCalls) return completion;
  // Reasoning that led to a call must not go back without it.
  const texts = parts?.filter(({ type }) => type === 'text');
  const finishReason = completion.finishReason === 'tool-calls' ? 'stop' : completion.finishReason;
  return { ...completion, finishReason, message: { ...message, ...(texts ? { parts: texts } : {}) } };
}

/** A provider may give calls the same ids; within a run they tell calls apart. */
function withOwnIds(completion: Completion, messages: readonly MessageRow[]): Completion {
  const { message } = completion;
  if (!message.toolCalls) return completion;
  const taken = new Set(
    messages.flatMap(({ toolCalls }) => toolCalls.map(({ body }) => (JSON.parse(body) as ToolCall).id)),
  );
  const toolCalls = message.toolCalls.map((call) => {
    // What a provider wants back with a call may name it.
    const id = taken.has(call.id) && !call.data ? newId('call') : call.id;
    taken.add(id);
    return { ...storable(call), id };
  });
  // They name the calls in their order.
  const ids = toolCalls.map(({ id }) => id);
  const parts = message.parts?.map((part) =>
    part.type === 'tool-call' ? { ...part, id: ids.shift() ?? part.id } : part,
  );
  return { ...completion, message: { ...message, toolCalls, ...(parts ? { parts } : {}) } };
}

/** What is nested without end cannot be written as JSON again. */
function storable(call: ToolCall): ToolCall {
  if (isNestedAtMost(call.arguments, MAX_NESTING)) return call;
  return { ...call, arguments: {}, invalidArguments: `(nested more than ${MAX_NESTING} levels deep)` };
}
