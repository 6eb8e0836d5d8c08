import type { Frame } from '../../core/framing.ts';
import { asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import type { Quirks } from '../profiles.ts';
import type {
  AssistantPart,
  ChatRequest,
  FinishReason,
  Media,
  Message,
  ProviderEvent,
  Usage,
  UserPart,
} from '../types.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './openai-chat.ts';
import { type Protocol, ProtocolError, ReportedError, type StreamReader } from './protocol.ts';
import { fileText } from './text-file.ts';
import { ToolCallGatherer } from './tool-calls.ts';

/** Anthropic's Messages (https://docs.anthropic.com/en/api/messages). */
export const anthropicMessages: Protocol = {
  framing: 'sse',
  toolCallIds: { pattern: /^[a-zA-Z0-9_-]{1,64}$/, length: 32 },
  lower,
  read: (body) => {
    const reader = new MessagesReader();
    return [...reader.whole(body), ...reader.end()];
  },
  reader: () => new MessagesReader(),
  readError: readErrorBody,
};

/** The wire demands a limit: the most that every model of a generation takes. Later ones think within it. */
function defaultMaxTokens(model: string): number {
  if (/claude-3-(?![57])/.test(model)) return 4096;
  return /claude-3/.test(model) ? 8192 : 32_000;
}

function lower(request: ChatRequest, quirks: Quirks): ReturnType<Protocol['lower']> {
  const warnings: string[] = [];
  const body: JsonObject = {
    model: request.model,
    max_tokens: request.maxTokens ?? defaultMaxTokens(request.model),
    messages: lowerMessages(request.messages),
  };
  const system = request.messages.flatMap((message) => (message.role === 'system' ? [message.text] : [])).join('\n\n');
  if (system !== '') body.system = system;
  if (request.stream) body.stream = true;
  if (request.temperature !== undefined) {
    if (quirks.reasoningModels?.test(request.model)) {
      warnings.push(`temperature: ${request.model} does not take it; left out`);
    } else {
      body.temperature = Math.min(request.temperature, 1);
      if (request.temperature > 1) warnings.push(`temperature: ${request.model} takes at most 1; sent as 1`);
    }
  }
  if (request.tools.length > 0) {
    body.tools = request.tools.map((tool) => ({
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      input_schema: tool.parameters,
    }));
    if (request.toolChoice !== undefined) body.tool_choice = lowerToolChoice(request.toolChoice);
  }
  return { path: '/messages', body, warnings };
}

function lowerToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): JsonObject {
  if (typeof choice !== 'string') return { type: 'tool', name: choice.name };
  return { type: choice === 'required' ? 'any' : choice };
}

interface Turn {
  role: 'user' | 'assistant';
  content: JsonObject[];
}

function lowerMessages(messages: Message[]): Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = lowerContent(message);
    if (content.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content });
  }
  for (const turn of turns) {
    // Thinking must come before anything else; tool results before what the person says after them.
    turn.content = [...turn.content.filter(comesFirst), ...turn.content.filter((block) => !comesFirst(block))];
  }
  return turns;
}

function comesFirst(block: JsonObject): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking' || block.type === 'tool_result';
}

function lowerContent(message: Exclude<Message, { role: 'system' }>): JsonObject[] {
  switch (message.role) {
    case 'user':
      return message.parts.flatMap(lowerUserPart);
    case 'tool':
      return [{ type: 'tool_result', tool_use_id: message.toolCallId, content: message.text }];
    case 'assistant': {
      const blocks = message.parts.flatMap(lowerAssistantPart);
      // A turn of thinking alone, cut off before its answer, is refused.
      return blocks.every(comesFirst) ? [] : blocks;
    }
  }
}

/** Blocks of nothing but white space are refused. */
function textBlock(text: string): JsonObject[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }];
}

function lowerUserPart(part: UserPart): JsonObject[] {
  if (part.type === 'text') return textBlock(part.text);
  if (part.type === 'image') return [{ type: 'image', source: mediaSource(part.media) }];
  const text = fileText(part);
  const source = text === undefined ? mediaSource(part.media) : { type: 'text', media_type: 'text/plain', data: text };
  return [{ type: 'document', source, ...(part.filename === undefined ? {} : { title: part.filename }) }];
}

function mediaSource(media: Media): JsonObject {
  if ('url' in media) return { type: 'url', url: media.url };
  return { type: 'base64', media_type: media.mediaType, data: media.data };
}

function lowerAssistantPart(part: AssistantPart): JsonObject[] {
  if (part.type === 'text') return textBlock(part.text);
  if (part.type === 'tool-call') {
    const { id, name, arguments: input } = part.call;
    return [{ type: 'tool_use', id, name, input }];
  }
  const { redacted, signature } = part.data ?? {};
  if (redacted !== undefined) return [{ type: 'redacted_thinking', data: redacted }];
  // Without a signature it would be refused.
  return signature === undefined ? [] : [{ type: 'thinking', thinking: part.text, signature }];
}

class MessagesReader implements StreamReader {
  readonly #calls = new ToolCallGatherer();
  readonly #signatures = new Map<number, string>();
  #usage: JsonObject = {};
  #finish: FinishReason | undefined;
  #done = false;

  get done(): boolean {
    return this.#done;
  }

  step(frame: Frame): ProviderEvent[] {
    // Gateways close with OpenAI's `[DONE]`.
    if (this.#done || frame.data.trim() === '[DONE]') return [];
    const event = tryParseJson(frame.data);
    if (!isObject(event))
      throw new ProtocolError(`a stream event that is not a JSON object: ${frame.data.slice(0, 200)}`);
    throwReported(event);
    const index = asNumber(event.index) ?? 0;
    const events: ProviderEvent[] = [];
    switch (event.type) {
      case 'message_start':
        this.#count(asObject(event.message).usage, events);
        break;
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
        this.#close(asObject(event.delta).stop_reason);
        this.#count(event.usage, events);
        break;
      case 'message_stop':
        this.#done = true;
    }
    return events;
  }

  whole(body: unknown): ProviderEvent[] {
    if (!isObject(body)) throw new ProtocolError('the answer is not a JSON object');
    throwReported(body);
    if (!Array.isArray(body.content)) throw new ProtocolError('the answer has no content');
    const events: ProviderEvent[] = [];
    for (const [index, block] of body.content.entries()) {
      this.#block(index, asObject(block), events);
      this.#stop(index, events);
    }
    this.#close(body.stop_reason);
    this.#count(body.usage, events);
    this.#done = true;
    return events;
  }

  end(): ProviderEvent[] {
    if (!this.#done && this.#finish === undefined) throw new ProtocolError('the stream ended before the answer did');
    const calls = this.#calls.finish();
    const events: ProviderEvent[] = calls.map((call) => ({ type: 'tool-call', call }));
    events.push({ type: 'finish', reason: settle(this.#finish, calls.length > 0) });
    return events;
  }

  #block(index: number, block: JsonObject, events: ProviderEvent[]): void {
    switch (block.type) {
      case 'tool_use': {
        const input = asObject(block.input);
        // A stream begins with an empty input and brings it in deltas.
        const args = Object.keys(input).length > 0 ? input : '';
        this.#calls.add({ id: asString(block.id), index, name: asString(block.name), arguments: args });
        break;
      }
      case 'text':
      case 'thinking':
        this.#delta(index, block, events);
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
    // Those of blocks that were skipped gather without a name, and so come to nothing.
    if (delta.type === 'input_json_delta') {
      this.#calls.add({ id: '', index, name: '', arguments: asString(delta.partial_json) });
    }
  }

  #stop(index: number, events: ProviderEvent[]): void {
    const signature = this.#signatures.get(index);
    if (signature !== undefined) events.push({ type: 'reasoning', text: '', data: { signature } });
  }

  #close(reason: unknown): void {
    if (typeof reason === 'string' && reason !== '') this.#finish = FINISH[reason] ?? 'stop';
  }

  /** The end of a stream may name only some of the counts; the others stay as the beginning gave them. */
  #count(usage: unknown, events: ProviderEvent[]): void {
    if (!isObject(usage)) return;
    const given = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(given) };
    events.push({ type: 'usage', usage: readUsage(this.#usage) });
  }
}

const FINISH: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content-filter',
};

function throwReported(body: JsonObject): void {
  if (body.type !== 'error' && !isObject(body.error)) return;
  throw new ReportedError(readErrorBody(body) ?? { message: JSON.stringify(body), kinds: [] });
}

function readUsage(usage: JsonObject): Usage {
  const promptTokens = asNumber(usage.input_tokens) ?? 0;
  const completionTokens = asNumber(usage.output_tokens) ?? 0;
  const cached = asNumber(usage.cache_read_input_tokens);
  const written = asNumber(usage.cache_creation_input_tokens);
  const reasoning = asNumber(asObject(usage.output_tokens_details).thinking_tokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}
