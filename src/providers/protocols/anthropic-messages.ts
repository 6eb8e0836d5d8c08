import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, ProviderEvent, Usage } from '../chat-model.ts';
import { lowerMessagesRequest } from './anthropic-messages-request.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { type Protocol, ProtocolError, type StreamReader } from './protocol.ts';
import { endedEarly, objectIn, reportedError, requireObject } from './reading.ts';
import { Sources, toSource } from './sources.ts';
import { wholeCall } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** Anthropic's Messages (https://docs.anthropic.com/en/api/messages). */
export const anthropicMessages: Protocol = {
  framing: 'sse',
  quirks: ['toolCallIds', 'reasoningModels', 'parameterNames', 'refusedParameters'],
  toolCallIds: { pattern: /^[a-zA-Z0-9_-]{1,64}$/, length: 32 },
  takesResultMedia: () => true,
  lower: lowerMessagesRequest,
  read: (body) => {
    const reader = new MessagesReader();
    return [...reader.whole(body), ...reader.end()];
  },
  reader: () => new MessagesReader(),
  readError: readErrorBody,
};

/** A tool call under way: its input comes in pieces of JSON text, or whole with the beginning. */
interface OpenCall {
  id: string;
  name: string;
  input: unknown;
  pieces: string[];
}

class MessagesReader implements StreamReader {
  /** By the index of their block. */
  readonly #open = new Map<number, OpenCall>();
  readonly #sources = new Sources();
  #hasCalls = false;
  readonly #signatures = new Map<number, string>();
  #usage: JsonObject = {};
  #finish: FinishReason | undefined;
  /** Which of the texts of `stop` has ended it. */
  #stopSequence: string | undefined;
  #done = false;

  get done(): boolean {
    return this.#done;
  }

  step(frame: Frame): ProviderEvent[] {
    if (this.#done) return [];
    const event = objectIn(frame, this.#finish !== undefined);
    if (!event) return [];
    throwReported(event);
    const index = asNumber(event.index) ?? 0;
    const events: ProviderEvent[] = [];
    switch (event.type) {
      case 'message_start': {
        // Mostly empty, but what was decided before the stream began, such as calls out of a program, is there already.
        const message = asObject(event.message);
        this.#blocks(asArray(message.content), events);
        this.#count(message.usage, events);
        break;
      }
      case 'content_block_start':
        this.#block(index, asObject(event.content_block), events);
        break;
      case 'content_block_delta':
        this.#delta(index, asObject(event.delta), events);
        break;
      case 'content_block_stop':
        this.#stop(index, events);
        break;
      case 'message_delta':
        this.#close(asObject(event.delta));
        this.#count(event.usage, events);
        break;
      case 'message_stop':
        this.#done = true;
    }
    return events;
  }

  whole(body: unknown): ProviderEvent[] {
    requireObject(body);
    throwReported(body);
    if (!Array.isArray(body.content)) throw new ProtocolError('the answer has no content');
    const events: ProviderEvent[] = [];
    this.#blocks(body.content, events);
    this.#close(body);
    this.#count(body.usage, events);
    this.#done = true;
    return events;
  }

  end(): ProviderEvent[] {
    if (!this.#done && this.#finish === undefined) throw endedEarly();
    const events: ProviderEvent[] = [];
    // Some gateways leave out the ends of blocks.
    for (const index of [...this.#open.keys()]) this.#stop(index, events);
    const stopSequence = this.#stopSequence;
    const reason = settle(this.#finish, this.#hasCalls);
    events.push({ type: 'finish', reason, ...(stopSequence === undefined ? {} : { stopSequence }) });
    return events;
  }

  /** Blocks that came whole. */
  #blocks(content: unknown[], events: ProviderEvent[]): void {
    for (const [index, block] of content.entries()) {
      this.#block(index, asObject(block), events);
      this.#stop(index, events);
    }
  }

  #block(index: number, block: JsonObject, events: ProviderEvent[]): void {
    this.#stop(index, events);
    switch (block.type) {
      case 'tool_use':
        this.#open.set(index, {
          id: asString(block.id),
          name: asString(block.name),
          input: block.input,
          pieces: [],
        });
        break;
      case 'text':
        this.#delta(index, block, events);
        for (const citation of asArray(block.citations)) this.#sources.give(toSource(citation), events);
        break;
      case 'thinking':
        this.#delta(index, block, events);
        break;
      case 'web_search_tool_result':
        for (const result of asArray(block.content)) this.#sources.give(toSource(result), events);
        break;
      case 'redacted_thinking':
        events.push({ type: 'reasoning', text: '', data: { redacted: asString(block.data) } });
    }
  }

  /** A delta, or the block itself with what it begins with: both name their fields alike. */
  #delta(index: number, delta: JsonObject, events: ProviderEvent[]): void {
    const text = asString(delta.text);
    if (text !== '') events.push({ type: 'text', text });
    const thinking = asString(delta.thinking);
    if (thinking !== '') events.push({ type: 'reasoning', text: thinking });
    const signature = asString(delta.signature);
    if (signature !== '') this.#signatures.set(index, (this.#signatures.get(index) ?? '') + signature);
    // Blocks that are not ours, such as calls of the server's own tools, are not open.
    if (delta.type === 'input_json_delta') this.#open.get(index)?.pieces.push(asString(delta.partial_json));
    if (delta.type === 'citations_delta') this.#sources.give(toSource(delta.citation), events);
  }

  /** The end of a block, where its signature or its call goes out: the order of the blocks is the model's. */
  #stop(index: number, events: ProviderEvent[]): void {
    const signature = this.#signatures.get(index);
    if (signature !== undefined) events.push({ type: 'reasoning', text: '', data: { signature } });
    this.#signatures.delete(index);
    const call = this.#open.get(index);
    this.#open.delete(index);
    if (!call || call.name === '') return;
    this.#hasCalls = true;
    const written = call.pieces.join('');
    events.push({ type: 'tool-call', call: wholeCall(call.id, call.name, written === '' ? call.input : written) });
  }

  #close({ stop_reason: reason, stop_sequence: sequence }: JsonObject): void {
    if (typeof sequence === 'string') this.#stopSequence = sequence;
    if (typeof reason === 'string' && reason !== '') this.#finish = FINISH.get(reason) ?? 'stop';
  }

  /** The end of a stream may name only some of the counts; the others stay as the beginning gave them. */
  #count(usage: unknown, events: ProviderEvent[]): void {
    if (!isObject(usage)) return;
    const given = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(given) };
    const counts = readUsage(this.#usage);
    if (counts) events.push({ type: 'usage', usage: counts });
  }
}

const FINISH: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'content-filter'],
]);

function throwReported(body: JsonObject): void {
  if (body.type !== 'error' && !isObject(body.error)) return;
  throw reportedError(body);
}

function readUsage(usage: JsonObject): Usage | undefined {
  return usageOf({
    prompt: asNumber(usage.input_tokens),
    completion: asNumber(usage.output_tokens),
    cached: asNumber(usage.cache_read_input_tokens),
    written: asNumber(usage.cache_creation_input_tokens) ?? sumOf(usage.cache_creation),
    reasoning: asNumber(asObject(usage.output_tokens_details).thinking_tokens),
  });
}

/** Tokens written to the cache by how long they are kept; undefined if there are no such counts. */
function sumOf(counts: unknown): number | undefined {
  const numbers = Object.values(asObject(counts)).flatMap((count) => asNumber(count) ?? []);
  return numbers.length === 0 ? undefined : numbers.reduce((sum, count) => sum + count);
}
