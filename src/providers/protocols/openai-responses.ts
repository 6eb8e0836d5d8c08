import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import type { FinishReason, ProviderEvent, Usage } from '../types.ts';
import { DeltaEnvelope } from './delta-envelope.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { lower } from './openai-responses-lower.ts';
import { MAX_DATA_NESTING, type Protocol, ProtocolError, type StreamReader } from './protocol.ts';
import { endedEarly, reportedError, requireObject } from './reading.ts';
import { Sources } from './sources.ts';
import { wholeCall } from './tool-calls.ts';

/**
 * OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses), which xAI and Azure speak too. An
 * answer is a list of items: messages, reasoning, function calls, and what hosted tools did, which is passed over.
 */
export const openaiResponses: Protocol = {
  framing: 'sse',
  toolCallIds: { pattern: /^.{1,64}$/, length: 32 },
  lower,
  read: (body) => {
    const reader = new ResponsesReader();
    return [...reader.whole(body), ...reader.end()];
  },
  reader: () => new ResponsesReader(),
  readError: readErrorBody,
};

/** An item of the answer as far as it has come. */
interface Item {
  type: string;
  callId: string;
  name: string;
  /** Of a call's arguments. */
  pieces: string[];
  /** Some of its text has been given. */
  isBegun: boolean;
  isDone: boolean;
}

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
  readonly #items: Item[] = [];
  /** By place or id, as the events name them; a later item takes the place of an earlier one. */
  readonly #byPlace = new Map<number | string, Item>();
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
        this.#begin(event, asObject(event.item));
        break;
      case 'response.output_item.done': {
        const final = asObject(event.item);
        this.#settle(this.#itemOf(event, asString(final.type)), final, events);
        break;
      }
      case 'response.function_call_arguments.done':
        this.#itemOf(event, 'function_call').pieces = [asString(event.arguments)];
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
    const isWhole = this.#items.length > 0 && this.#items.every((item) => item.isDone);
    if (type === 'response.completed' && isWhole) this.#close({}, events);
    else throw new ProtocolError(`a stream event that is not a JSON object: ${data.slice(0, 200)}`);
  }

  #begin(event: JsonObject, given: JsonObject): Item {
    const item: Item = {
      type: asString(given.type),
      callId: asString(given.call_id) || asString(given.id),
      name: asString(given.name),
      pieces: [],
      isBegun: false,
      isDone: false,
    };
    this.#items.push(item);
    this.#byPlace.set(placeOf(event), item);
    return item;
  }

  /** The item that an event belongs to. Gateways may leave out its announcement. */
  #itemOf(event: JsonObject, type: string): Item {
    const item = this.#byPlace.get(placeOf(event));
    return item && !item.isDone && item.type === type ? item : this.#begin(event, { type });
  }

  /** @returns whether the event is one that brings text. */
  #delta(event: JsonObject, events: ProviderEvent[]): boolean {
    const delta = DELTAS.get(event.type);
    const text = asString(event.delta);
    if (delta === undefined || text === '') return false;
    const item = this.#itemOf(event, delta.item);
    if (delta.kind === 'arguments') item.pieces.push(text);
    else this.#say(item, delta.kind, text, events);
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
      if (!wasBegun) this.#say(item, kind, asString(part[kind]), events);
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
    const streamed = [...this.#items];
    for (const final of asArray(response.output).map(asObject)) {
      const item = takeMatching(streamed, final) ?? this.#begin({ item_id: final.id }, final);
      this.#settle(item, final, events);
    }
    for (const item of this.#items) if (item.type === 'function_call') this.#settle(item, { type: item.type }, events);
    if (isObject(response.usage)) events.push({ type: 'usage', usage: readUsage(response.usage) });
    const reason = asString(asObject(response.incomplete_details).reason);
    const isCut = status === 'incomplete' || reason !== '';
    this.#finish = reason === 'content_filter' ? 'content-filter' : isCut ? 'length' : 'stop';
  }
}

/** Where in the answer an event belongs: some gateways give every event of an item another id, but not place. */
function placeOf(event: JsonObject): number | string {
  return asNumber(event.output_index) ?? asString(event.item_id);
}

/** Takes the streamed item out of the list that is this one: a call by its id, others by their order. */
function takeMatching(streamed: Item[], final: JsonObject): Item | undefined {
  const callId = asString(final.call_id) || asString(final.id);
  const index = streamed.findIndex(
    (item) => item.type === final.type && (item.type !== 'function_call' || item.callId === callId),
  );
  return index === -1 ? undefined : streamed.splice(index, 1)[0];
}

function throwReported(event: JsonObject): void {
  const { type, error } = event;
  if (type !== 'error' && (error === undefined || error === null)) return;
  throw reportedError(event);
}

function readUsage(usage: JsonObject): Usage {
  const promptTokens = asNumber(usage.input_tokens) ?? 0;
  const completionTokens = asNumber(usage.output_tokens) ?? 0;
  const { cached_tokens, cache_write_tokens } = asObject(usage.input_tokens_details);
  const cached = asNumber(cached_tokens);
  const written = asNumber(cache_write_tokens);
  const reasoning = asNumber(asObject(usage.output_tokens_details).reasoning_tokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: asNumber(usage.total_tokens) ?? promptTokens + completionTokens,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}
