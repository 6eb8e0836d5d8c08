import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, ProviderEvent, Usage } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { FirstChoice } from './first-choice.ts';
import { Envelope } from './openai-chat-envelope.ts';
import { detailsData, detailsText, ReasoningDetails } from './openai-chat-reasoning-details.ts';
import { lowerChat } from './openai-chat-request.ts';
import { type Protocol, ProtocolError, type StreamReader } from './protocol.ts';
import { endedEarly, objectIn, reportedError, requireObject } from './reading.ts';
import { Sources } from './sources.ts';
import { thinkSplitter } from './think-tags.ts';
import { ToolCallGatherer } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/**
 * OpenAI's Chat Completions and everything that resembles it
 * (https://platform.openai.com/docs/api-reference/chat). Lenient where vendors differ in what they send,
 * strict in what is sent to them.
 */
export const openaiChat: Protocol = {
  framing: 'sse',
  quirks: [
    'toolCallIds',
    'reasoningModels',
    'usageUnasked',
    'reasoningBack',
    'effort',
    'files',
    'noTools',
    'strictAlternation',
    'thinkTags',
    'refusedSchemaKeywords',
    'parameterNames',
    'refusedParameters',
    'responseFormats',
    'formatOrTools',
    'strictTools',
  ],
  toolCallIds: { pattern: /^.{1,40}$/, length: 32 },
  lower: lowerChat,
  read: (body, quirks) => {
    const reader = new ChatReader(quirks);
    return [...reader.whole(body), ...reader.end()];
  },
  reader: (quirks) => new ChatReader(quirks),
  readError: readErrorBody,
};

class ChatReader implements StreamReader {
  readonly #calls = new ToolCallGatherer();
  readonly #envelope = new Envelope();
  readonly #details = new ReasoningDetails();
  readonly #sources = new Sources();
  readonly #choice = new FirstChoice();
  readonly #think: ReturnType<typeof thinkSplitter> | undefined;
  #finish: FinishReason | undefined;
  /** A chunk had no finish reason. */
  #wentOn = false;
  /** A later one had an empty one, which is not the same where it is the exception. */
  #emptyFinish = false;
  #done = false;
  #refused = false;

  constructor(quirks: Quirks) {
    this.#think = quirks.thinkTags ? thinkSplitter() : undefined;
  }

  get done(): boolean {
    return this.#done;
  }

  step(frame: Frame): ProviderEvent[] {
    if (this.#done) return [];
    if (frame.data.trim() === '[DONE]') {
      this.#done = true;
      return [];
    }
    const events: ProviderEvent[] = [];
    const text = this.#envelope.open(frame.data);
    if (text !== undefined) {
      this.#content(text, events);
      return events;
    }
    const chunk = objectIn(frame, this.#finish !== undefined);
    if (!chunk) return [];
    const choice = this.#choice.in(chunk.choices);
    throwReported(chunk, choice);
    const delta = asObject(choice.delta ?? choice.message);
    this.#reasoning(delta, events);
    this.#details.add(delta.reasoning_details);
    this.#message(delta, events);
    addLogprobs(choice, events);
    this.#close(choice, delta, chunk, events);
    if (tellsTextOnly(delta, choice, chunk)) this.#envelope.learn(frame.data, asString(delta.content));
    return events;
  }

  whole(body: unknown): ProviderEvent[] {
    requireObject(body);
    const choice = asArray(body.choices)[0];
    throwReported(body, asObject(choice));
    if (!isObject(choice)) throw new ProtocolError('the answer has no choices');
    const message = asObject(choice.message);
    const events: ProviderEvent[] = [];
    this.#reasoning(message, events);
    const data = detailsData(message.reasoning_details);
    if (data) events.push({ type: 'reasoning', text: '', data });
    this.#message(message, events);
    addLogprobs(choice, events);
    this.#close(choice, message, body, events);
    this.#done = true;
    return events;
  }

  end(): ProviderEvent[] {
    const events: ProviderEvent[] = this.#think?.end() ?? [];
    const data = this.#details.take();
    if (data) events.push({ type: 'reasoning', text: '', data });
    const calls = this.#calls.finish();
    // Some end a stream with whole tool calls and no more than an empty finish reason.
    const areWhole = calls.length > 0 && calls.every((call) => call.invalidArguments === undefined);
    const isEnd = this.#done || this.#finish !== undefined || (this.#emptyFinish && areWhole);
    if (!isEnd) throw endedEarly();
    for (const call of calls) events.push({ type: 'tool-call', call });
    events.push({ type: 'finish', reason: settle(this.#refused ? 'content-filter' : this.#finish, calls.length > 0) });
    return events;
  }

  #message(message: JsonObject, events: ProviderEvent[]): void {
    this.#content(message.content, events);
    if (typeof message.refusal === 'string' && message.refusal !== '') {
      this.#refused = true;
      events.push({ type: 'text', text: message.refusal });
    }
    for (const call of asArray(message.tool_calls)) {
      const { id, index, function: fn } = asObject(call);
      this.#call(asString(id), asNumber(index), asObject(fn));
    }
    // OpenAI's form before there were several calls to an answer; gateways still send it.
    if (isObject(message.function_call)) this.#call('', undefined, message.function_call);
  }

  #call(id: string, index: number | undefined, { name, arguments: args }: JsonObject): void {
    this.#calls.add({ id, index, name: asString(name), arguments: args });
  }

  #reasoning(message: JsonObject, events: ProviderEvent[]): void {
    const { reasoning_content: content, reasoning, reasoning_details: details } = message;
    const text = asString(content) || asString(reasoning) || detailsText(details);
    if (text !== '') events.push({ type: 'reasoning', text });
  }

  #content(content: unknown, events: ProviderEvent[]): void {
    if (typeof content === 'string') {
      if (content === '') return;
      if (this.#think) events.push(...this.#think.push(content));
      else events.push({ type: 'text', text: content });
      return;
    }
    for (const item of asArray(content)) {
      const part = asObject(item);
      if (part.type === 'text') this.#content(asString(part.text), events);
      else if (part.type === 'thinking') {
        const text = thinkingText(part.thinking);
        if (text !== '') events.push({ type: 'reasoning', text });
      }
    }
  }

  #close(choice: JsonObject, message: JsonObject, chunk: JsonObject, events: ProviderEvent[]): void {
    this.#sources.read(chunk, message, events);
    const reason = choice.finish_reason;
    if (reason === '') this.#emptyFinish = this.#wentOn;
    else if (typeof reason !== 'string') this.#wentOn ||= choice.delta !== undefined;
    else {
      const finish = FINISH.get(reason) ?? 'stop';
      // It may come twice; a plain second one says nothing against the first.
      this.#finish = finish === 'stop' ? (this.#finish ?? finish) : finish;
    }
    const usage = readUsage(asObject(chunk.usage ?? asObject(chunk.x_groq).usage));
    if (usage) events.push({ type: 'usage', usage });
  }
}

/**
 * An error inside an answer with a success status: under `error`, in the choice, in groq's `x_groq`, or as a flat body
 * without choices.
 */
function throwReported(chunk: JsonObject, choice: JsonObject): void {
  for (const body of [chunk, choice, asObject(chunk.x_groq)]) {
    if (body.error) throw reportedError(body);
  }
  if (chunk.choices === undefined && readErrorBody(chunk)) throw reportedError(chunk);
}

/** Mistral's thinking is text or a list of text parts. */
function thinkingText(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking;
  return asArray(thinking)
    .map((part) => asString(asObject(part).text))
    .join('');
}

function addLogprobs({ logprobs }: JsonObject, events: ProviderEvent[]): void {
  const tokens = asArray(asObject(logprobs).content).filter(isObject);
  if (tokens.length > 0) events.push({ type: 'logprobs', tokens });
}

function tellsTextOnly(delta: JsonObject, choice: JsonObject, chunk: JsonObject): boolean {
  const { refusal, tool_calls: calls, reasoning, reasoning_content: content, reasoning_details: details } = delta;
  const told = [refusal, calls, delta.function_call, reasoning, content, details];
  const others = [...told, choice.finish_reason, choice.logprobs, chunk.usage, chunk.x_groq];
  return asString(delta.content) !== '' && others.every((value) => value === undefined || value === null);
}

function readUsage(usage: JsonObject): Usage | undefined {
  const input = asObject(usage.prompt_tokens_details);
  const output = asObject(usage.completion_tokens_details);
  return usageOf({
    prompt: asNumber(usage.prompt_tokens),
    completion: asNumber(usage.completion_tokens),
    total: asNumber(usage.total_tokens),
    cached: asNumber(input.cached_tokens) ?? asNumber(usage.prompt_cache_hit_tokens) ?? asNumber(usage.cached_tokens),
    written: asNumber(input.cache_write_tokens),
    reasoning: asNumber(output.reasoning_tokens) ?? asNumber(usage.reasoning_tokens),
  });
}

const FINISH: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['length', 'length'],
  ['model_length', 'length'],
  ['max_tokens', 'length'],
  ['content_filter', 'content-filter'],
  ['error', 'error'],
  ['insufficient_system_resource', 'error'],
]);
