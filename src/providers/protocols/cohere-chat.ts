import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, ProviderEvent, Usage } from '../chat-model.ts';
import { lowerCohere } from './cohere-chat-request.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { type Protocol, ProtocolError, ReportedError, type StreamReader } from './protocol.ts';
import { endedEarly, objectIn, reportedError, requireObject } from './reading.ts';
import { Sources, toSource } from './sources.ts';
import { ToolCallGatherer } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** Cohere's Chat, version 2 (https://docs.cohere.com/reference/chat). */
export const cohereChat: Protocol = {
  framing: 'sse',
  quirks: ['toolCallIds', 'reasoningModels', 'refusedSchemaKeywords', 'parameterNames', 'refusedParameters'],
  lower: lowerCohere,
  read: (body) => {
    const reader = new CohereReader();
    return [...reader.whole(body), ...reader.end()];
  },
  reader: () => new CohereReader(),
  readError: readErrorBody,
};

class CohereReader implements StreamReader {
  readonly #calls = new ToolCallGatherer();
  readonly #sources = new Sources();
  #isThinking = false;
  #finish: FinishReason | undefined;

  get done(): boolean {
    return this.#finish !== undefined;
  }

  step(frame: Frame): ProviderEvent[] {
    if (this.done) return [];
    const event = objectIn(frame, false);
    if (!event) return [];
    const delta = asObject(event.delta);
    const message = asObject(delta.message);
    const events: ProviderEvent[] = [];
    switch (event.type) {
      case 'content-start':
      case 'content-delta':
        this.#content(message.content, events);
        break;
      case 'content-end':
        this.#endThinking(events);
        break;
      case 'citation-start':
        this.#cite(message.citations, events);
        break;
      case 'tool-plan-delta':
        this.#reasoning(message.tool_plan, events);
        break;
      case 'tool-call-start':
      case 'tool-call-delta':
        this.#call(message.tool_calls, asNumber(event.index));
        break;
      case 'message-end':
        if (asString(delta.error) !== '') throw new ReportedError({ message: asString(delta.error), kinds: [] });
        this.#close(delta, events);
        break;
      case 'error':
      case undefined:
        throw reported(event);
    }
    return events;
  }

  whole(body: unknown): ProviderEvent[] {
    requireObject(body);
    if (!isObject(body.message)) throw reported(body);
    const events: ProviderEvent[] = [];
    this.#reasoning(body.message.tool_plan, events);
    if (typeof body.message.content === 'string') this.#content({ text: body.message.content }, events);
    for (const part of asArray(body.message.content)) {
      this.#content(part, events);
      this.#endThinking(events);
    }
    for (const citation of asArray(body.message.citations)) this.#cite(citation, events);
    for (const [index, call] of asArray(body.message.tool_calls).entries()) this.#call(call, index);
    this.#close(body, events);
    this.#finish ??= 'stop';
    return events;
  }

  end(): ProviderEvent[] {
    if (this.#finish === undefined) throw endedEarly();
    const calls = this.#calls.finish();
    const events: ProviderEvent[] = calls.map((call) => ({ type: 'tool-call', call }));
    events.push({ type: 'finish', reason: settle(this.#finish, calls.length > 0) });
    return events;
  }

  /** A part, or a piece of one; pieces have the field of their kind, but do not name the kind. */
  #content(part: unknown, events: ProviderEvent[]): void {
    const { text, thinking } = asObject(part);
    this.#reasoning(thinking, events);
    if (asString(thinking) !== '') this.#isThinking = true;
    if (asString(text) !== '') events.push({ type: 'text', text: asString(text) });
  }

  /** Thinking is content and goes back as such; the plan for tool calls has no such mark. */
  #endThinking(events: ProviderEvent[]): void {
    if (this.#isThinking) events.push({ type: 'reasoning', text: '', data: { type: 'thinking' } });
    this.#isThinking = false;
  }

  /** A citation names documents and tool results; some of them are pages. */
  #cite(citation: unknown, events: ProviderEvent[]): void {
    for (const source of asArray(asObject(citation).sources)) {
      const { document, tool_output: output } = asObject(source);
      this.#sources.give(toSource(document ?? output), events);
    }
  }

  #reasoning(text: unknown, events: ProviderEvent[]): void {
    if (asString(text) !== '') events.push({ type: 'reasoning', text: asString(text) });
  }

  #call(call: unknown, index: number | undefined): void {
    const { id, function: fn } = asObject(Array.isArray(call) ? call[0] : call);
    const { name, arguments: args } = asObject(fn);
    this.#calls.add({ id: asString(id), index, name: asString(name), arguments: args });
  }

  #close(end: JsonObject, events: ProviderEvent[]): void {
    const reason = asString(end.finish_reason);
    if (reason !== '') this.#finish = finishOf(reason);
    const usage = readUsage(asObject(end.usage));
    if (usage) events.push({ type: 'usage', usage });
  }
}

function finishOf(reason: string): FinishReason {
  if (reason === 'MAX_TOKENS') return 'length';
  if (reason === 'ERROR_TOXIC') return 'content-filter';
  return /^(ERROR|TIMEOUT)/.test(reason) ? 'error' : 'stop';
}

/** The body as an error, if it is one. */
function reported(body: JsonObject): Error {
  return readErrorBody(body) ? reportedError(body) : new ProtocolError('the answer has no message');
}

/** `tokens` is what the model read and wrote, `billed_units` what is paid for. */
function readUsage(usage: JsonObject): Usage | undefined {
  const tokens = isObject(usage.tokens) ? usage.tokens : asObject(usage.billed_units);
  return usageOf({
    prompt: asNumber(tokens.input_tokens),
    completion: asNumber(tokens.output_tokens),
    cached: asNumber(usage.cached_tokens),
    reasoning: asNumber(tokens.reasoning_tokens),
  });
}
