import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import type { FinishReason, ProviderEvent, Usage } from '../chat-model.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { DeltaEnvelope } from './openai-responses-envelope.ts';
import { type Item, Items, takeMatching } from './openai-responses-items.ts';
import { lowerResponses } from './openai-responses-request.ts';
import { MAX_DATA_NESTING, type Protocol, ProtocolError, type StreamReader } from './protocol.ts';
import { endedEarly, reportedError, requireObject } from './reading.ts';
import { Sources } from './sources.ts';
import { wholeCall } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/**
 * OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses), which xAI and Azure speak too. An
 * answer is a list of items: messages, reasoning, function calls, and what hosted tools did, which is passed over.
 */
export const openaiResponses: Protocol = {
  framing: 'sse',
  quirks: [
    'toolCallIds',
    'reasoningModels',
    'effort',
    'files',
    'refusedSchemaKeywords',
    'parameterNames',
    'refusedParameters',
    'resultMedia',
  ],
  toolCallIds: { pattern: /^.{1,64}$/, length: 32 },
  takesResultMedia: ({ resultMedia = false }) => resultMedia,
  lower: lowerResponses,
  read: (body) => {
    const reader = new ResponsesReader();
    return [...reader.whole(body), ...reader.end()];
  },
  reader: () => new ResponsesReader(),
  readError: readErrorBody,
};

/** The events that bring text, by what it belongs to; `item` is the type of the item that it makes. */
const DELTAS: ReadonlyMap<unknown, { item: string; kind: 'text' | 'refusal' | 'reasoning' | 'arguments' }> = new Map([
  ['response.output_text.delta', { item: 'message', kind: 'text' }],
  ['response.refusal.delta', { item: 'message', kind: 'refusal' }],
  ['response.reasoning_summary_text.delta', { item: 'reasoning', kind: 'reasoning' }],
  ['response.reasoning_text.delta', { item: 'reasoning', kind: 'reasoning' }],
  ['response.function_call_arguments.delta', { item: 'function_call', kind: 'arguments' }],
]);

class ResponsesReader implements StreamReader {
  readonly #envelope = new DeltaEnvelope();
  readonly #sources = new Sources();
  readonly #items = new Items();
  #finish: FinishReason | undefined;
  #hasCalls = false;
  #refused = false;

  get done(): boolean {
    return this.#finish !== undefined;
  }

  step(frame: Frame): ProviderEvent[] {
    if (this.done) return [];
    const events: ProviderEvent[] = [];
    const known = this.#envelope.open(frame.data);
    if (known) {
      this.#delta(known, events);
      return events;
    }
    const data = frame.data.trim();
    if (data === '' || data === '[DONE]') return [];
    const event = tryParseJson(data);
    if (isObject(event)) this.#read(event, frame.data, events);
    else this.#broken(frame, events);
    return events;
  }

  whole(body: unknown): ProviderEvent[] {
    requireObject(body);
    throwReported(body);
    if (!Array.isArray(body.output)) throw new ProtocolError('the answer has no output');
    const events: ProviderEvent[] = [];
    this.#close(body, events);
    return events;
  }

  end(): ProviderEvent[] {
    if (this.#finish === undefined) throw endedEarly();
    return [{ type: 'finish', reason: settle(this.#refused ? 'content-filter' : this.#finish, this.#hasCalls) }];
  }

  #read(event: JsonObject, data: string, events: ProviderEvent[]): void {
    throwReported(event);
    switch (event.type) {
      case 'response.output_item.added':
        this.#items.begin(event, asObject(event.item));
        break;
      case 'response.output_item.done': {
        const final = asObject(event.item);
        this.#settle(this.#items.of(event, asString(final.type)), final, events);
        break;
      }
      case 'response.function_call_arguments.done':
        this.#items.of(event, 'function_call').pieces = [asString(event.arguments)];
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled': {
        const [, status] = event.type.split('.');
        this.#close({ status, ...asObject(event.response) }, events);
        break;
      }
      default:
        if (this.#delta(event, events)) this.#envelope.learn(data, event);
    }
  }

  /**
   * A frame that is no JSON has lost something, so it is an error; but in the snapshots at the beginning there is
   * nothing that is needed, and one at the end only repeats what has come if every item has been finished.
   */
  #broken({ event, data }: Frame, events: ProviderEvent[]): void {
    const type = event || /^\s*\{"type":\s*"([\w.]+)"/.exec(data)?.[1];
    if (type === 'response.created' || type === 'response.in_progress' || type === 'response.queued') return;
    if (type === 'response.completed' && this.#items.areDone) this.#close({}, events);
    else throw new ProtocolError(`a stream event that is not a JSON object: ${data.slice(0, 200)}`);
  }

  /** @returns whether the event is one that brings text. */
  #delta(event: JsonObject, events: ProviderEvent[]): boolean {
    const delta = DELTAS.get(event.type);
    const text = asString(event.delta);
    if (delta === undefined || text === '') return false;
    const item = this.#items.of(event, delta.item);
    if (delta.kind === 'arguments') item.pieces.push(text);
    else this.#say(item, delta.kind, text, events);
    if (delta.kind === 'text') giveLogprobs(event, events);
    return true;
  }

  #say(item: Item, kind: 'text' | 'refusal' | 'reasoning', text: string, events: ProviderEvent[]): void {
    if (text === '') return;
    item.isBegun = true;
    if (kind === 'refusal') this.#refused = true;
    events.push({ type: kind === 'reasoning' ? kind : 'text', text });
  }

  /** Gives what an item's end adds to what has come of it; the second time, nothing. */
  #settle(item: Item, final: JsonObject, events: ProviderEvent[]): void {
    if (item.isDone) return;
    if (final.type === 'message') this.#settleMessage(item, final, events);
    else if (final.type === 'reasoning') this.#settleReasoning(item, final, events);
    else if (final.type === 'function_call') {
      item.callId = asString(final.call_id) || item.callId || asString(final.id);
      const call = wholeCall(item.callId, asString(final.name) || item.name, final.arguments || item.pieces.join(''));
      // What never got a name is no call: nobody could answer it.
      if (call.name !== '') events.push({ type: 'tool-call', call });
      this.#hasCalls ||= call.name !== '';
    }
    item.isDone = true;
  }

  #settleMessage(item: Item, final: JsonObject, events: ProviderEvent[]): void {
    const wasBegun = item.isBegun;
    for (const part of asArray(final.content).map(asObject)) {
      const kind = part.type === 'refusal' ? 'refusal' : 'text';
      if (!wasBegun) {
        this.#say(item, kind, asString(part[kind]), events);
        giveLogprobs(part, events);
      }
      this.#sources.read({}, part, events);
    }
    // Whether it is commentary between calls or the answer: a model that is not told again may stop early.
    if (item.isBegun && typeof final.phase === 'string') {
      events.push({ type: 'text', text: '', data: { phase: final.phase } });
    }
  }

  #settleReasoning(item: Item, final: JsonObject, events: ProviderEvent[]): void {
    if (!item.isBegun) {
      for (const part of [...asArray(final.summary), ...asArray(final.content)]) {
        this.#say(item, 'reasoning', asString(asObject(part).text), events);
      }
    }
    if (typeof final.encrypted_content !== 'string' || final.encrypted_content === '') return;
    if (isNestedAtMost(final, MAX_DATA_NESTING)) events.push({ type: 'reasoning', text: '', data: final });
  }

  /** The end of a stream repeats the answer; what of it has not come yet is given now. */
  #close(response: JsonObject, events: ProviderEvent[]): void {
    const { status, error } = response;
    if (status === 'failed' || status === 'cancelled' || isObject(error)) {
      throw reportedError({ error: readErrorBody({ error }) ? error : `the answer has ${status ?? 'failed'}` });
    }
    const streamed = [...this.#items.all];
    for (const final of asArray(response.output).map(asObject)) {
      const item = takeMatching(streamed, final) ?? this.#items.begin({ item_id: final.id }, final);
      this.#settle(item, final, events);
    }
    for (const item of this.#items.all)
      if (item.type === 'function_call') this.#settle(item, { type: item.type }, events);
    const usage = readUsage(asObject(response.usage));
    if (usage) events.push({ type: 'usage', usage });
    const reason = asString(asObject(response.incomplete_details).reason);
    const isCut = status === 'incomplete' || reason !== '';
    this.#finish = reason === 'content_filter' ? 'content-filter' : isCut ? 'length' : 'stop';
  }
}

/** Of a piece of text, which some of the wire's speakers give without `bytes`. */
function giveLogprobs({ logprobs }: JsonObject, events: ProviderEvent[]): void {
  const tokens = asArray(logprobs).map(asObject).map(withBytes);
  if (tokens.length > 0) events.push({ type: 'logprobs', tokens });
}

function withBytes({ token, logprob, bytes = null, top_logprobs }: JsonObject): JsonObject {
  const others = asArray(top_logprobs).map(asObject);
  return { token, logprob, bytes, top_logprobs: others.map((one) => ({ bytes: null, ...one })) };
}

function throwReported(event: JsonObject): void {
  const { type, error } = event;
  if (type !== 'error' && (error === undefined || error === null)) return;
  throw reportedError(event);
}

function readUsage(usage: JsonObject): Usage | undefined {
  const input = asObject(usage.input_tokens_details);
  return usageOf({
    prompt: asNumber(usage.input_tokens),
    completion: asNumber(usage.output_tokens),
    total: asNumber(usage.total_tokens),
    cached: asNumber(input.cached_tokens),
    written: asNumber(input.cache_write_tokens),
    reasoning: asNumber(asObject(usage.output_tokens_details).reasoning_tokens),
  });
}
