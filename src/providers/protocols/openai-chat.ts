import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { InvalidRequestError } from '../../errors.ts';
import type { Quirks } from '../profiles.ts';
import type { ChatRequest, FinishReason, Message, ProviderEvent, Tool, Usage, UserPart } from '../types.ts';
import { Envelope } from './envelope.ts';
import { readErrorBody } from './error-body.ts';
import { mediaUrl } from './media.ts';
import { type Protocol, ProtocolError, ReportedError, type StreamReader } from './protocol.ts';
import { thinkSplitter } from './think-tags.ts';
import { ToolCallGatherer } from './tool-calls.ts';

/**
 * OpenAI's Chat Completions and everything that resembles it
 * (https://platform.openai.com/docs/api-reference/chat). Lenient where vendors differ in what they send,
 * strict in what is sent to them.
 */
export const openaiChat: Protocol = {
  framing: 'sse',
  toolCallIds: { pattern: /^.{1,40}$/, length: 32 },
  lower,
  read: (body, quirks) => {
    const reader = new ChatReader(quirks);
    return [...reader.whole(body), ...reader.end()];
  },
  reader: (quirks) => new ChatReader(quirks),
  readError: readErrorBody,
};

function lower(request: ChatRequest, quirks: Quirks): ReturnType<Protocol['lower']> {
  const warnings: string[] = [];
  const body: JsonObject = { model: request.model, messages: lowerMessages(request.messages, quirks) };
  if (request.stream) {
    body.stream = true;
    if (!quirks.usageUnasked) body.stream_options = { include_usage: true };
  }
  const reasons = quirks.reasoningModels?.test(request.model) ?? false;
  if (request.maxTokens !== undefined) body[reasons ? 'max_completion_tokens' : 'max_tokens'] = request.maxTokens;
  if (request.temperature !== undefined) {
    if (reasons) warnings.push(`temperature: ${request.model} does not take it; left out`);
    else body.temperature = request.temperature;
  }
  if (request.tools.length > 0) {
    if (quirks.noTools) {
      const choice = request.toolChoice === undefined ? '' : ' and toolChoice';
      warnings.push(`tools${choice}: ${request.model} does not take them; left out`);
    } else {
      body.tools = request.tools.map((tool) => lowerTool(tool, quirks));
      if (request.toolChoice !== undefined) body.tool_choice = lowerToolChoice(request.toolChoice);
    }
  }
  return { path: '/chat/completions', body, warnings };
}

function lowerToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}

/** A tool in the form that OpenAI, Cohere and Ollama share. */
export function lowerTool(tool: Tool, quirks: Quirks): JsonObject {
  const parameters = quirks.refusedSchemaKeywords
    ? withoutKeywords(tool.parameters, new Set(quirks.refusedSchemaKeywords))
    : tool.parameters;
  const description = tool.description === undefined ? {} : { description: tool.description };
  return { type: 'function', function: { name: tool.name, ...description, parameters } };
}

/** A copy of a JSON Schema without some keywords; property names that look like keywords stay. */
function withoutKeywords(schema: unknown, refused: ReadonlySet<string>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withoutKeywords(item, refused));
  if (!isObject(schema)) return schema;
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (refused.has(key)) continue;
    if (key === 'properties' && isObject(value)) {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, sub]) => [name, withoutKeywords(sub, refused)]));
    } else {
      out[key] = key === 'enum' || key === 'const' || key === 'default' ? value : withoutKeywords(value, refused);
    }
  }
  return out;
}

function lowerMessages(messages: Message[], quirks: Quirks): JsonObject[] {
  const lowered = messages.map(lowerMessage);
  return quirks.strictAlternation ? alternate(lowered) : lowered;
}

function lowerMessage(message: Message): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'user':
      return { role: 'user', content: lowerUserParts(message.parts) };
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.text };
    case 'assistant': {
      const text = message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
      const calls = message.parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));
      const out: JsonObject = { role: 'assistant', content: text === '' && calls.length > 0 ? null : text };
      if (calls.length > 0) {
        out.tool_calls = calls.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: JSON.stringify(call.arguments) },
        }));
      }
      return out;
    }
  }
}

function lowerUserParts(parts: UserPart[]): unknown {
  if (parts.every((part) => part.type === 'text')) return parts.map((part) => part.text).join('\n\n');
  return parts.map((part) => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.type === 'image') return { type: 'image_url', image_url: { url: mediaUrl(part.media) } };
    if ('url' in part.media) {
      throw new InvalidRequestError([{ path: 'messages', message: 'files go to this provider as data, not as a URL' }]);
    }
    return { type: 'file', file: { filename: part.filename ?? 'file', file_data: mediaUrl(part.media) } };
  });
}

/** Joins neighbours of one role; an assistant's last word gets an empty prompt to go on from. */
function alternate(messages: JsonObject[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const message of messages) {
    const last = out.at(-1);
    if (last && last.role === message.role && message.role !== 'system') {
      last.content = joinContent(last.content, message.content);
    } else out.push({ ...message });
  }
  const first = out.find((message) => message.role !== 'system');
  if (first && first.role !== 'user') out.splice(out.indexOf(first), 0, { role: 'user', content: '(continued)' });
  if (out.at(-1)?.role === 'assistant') out.push({ role: 'user', content: 'Continue.' });
  return out;
}

function joinContent(a: unknown, b: unknown): unknown {
  if (typeof a === 'string' && typeof b === 'string') return `${a}\n\n${b}`;
  const parts = (content: unknown): unknown[] =>
    Array.isArray(content) ? content : [{ type: 'text', text: asString(content) }];
  return [...parts(a), ...parts(b)];
}

class ChatReader implements StreamReader {
  readonly #calls = new ToolCallGatherer();
  readonly #envelope = new Envelope();
  readonly #think: ReturnType<typeof thinkSplitter> | undefined;
  #finish: FinishReason | undefined;
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
    const data = frame.data.trim();
    if (data === '') return [];
    if (data === '[DONE]') {
      this.#done = true;
      return [];
    }
    const events: ProviderEvent[] = [];
    const text = this.#envelope.open(frame.data);
    if (text !== undefined) {
      this.#content(text, events);
      return events;
    }
    const chunk = tryParseJson(frame.data);
    if (!isObject(chunk))
      throw new ProtocolError(`a stream event that is not a JSON object: ${frame.data.slice(0, 200)}`);
    this.#throwReported(chunk);
    const choice = asObject(asArray(chunk.choices)[0]);
    const delta = asObject(choice.delta ?? choice.message);
    this.#message(delta, events);
    this.#close(choice, chunk, events);
    if (tellsTextOnly(delta, choice, chunk)) this.#envelope.learn(frame.data, asString(delta.content));
    return events;
  }

  whole(body: unknown): ProviderEvent[] {
    if (!isObject(body)) throw new ProtocolError('the answer is not a JSON object');
    this.#throwReported(body);
    const choice = asArray(body.choices)[0];
    if (!isObject(choice)) throw new ProtocolError('the answer has no choices');
    const events: ProviderEvent[] = [];
    this.#message(asObject(choice.message), events);
    this.#close(choice, body, events);
    this.#done = true;
    return events;
  }

  end(): ProviderEvent[] {
    if (!this.#done && this.#finish === undefined) throw new ProtocolError('the stream ended before the answer did');
    const events: ProviderEvent[] = this.#think?.end() ?? [];
    const calls = this.#calls.finish();
    for (const call of calls) events.push({ type: 'tool-call', call });
    events.push({ type: 'finish', reason: settle(this.#refused ? 'content-filter' : this.#finish, calls.length > 0) });
    return events;
  }

  #throwReported(chunk: JsonObject): void {
    if (chunk.error === undefined || chunk.error === null) return;
    throw new ReportedError(readErrorBody(chunk) ?? { message: JSON.stringify(chunk.error), kinds: [] });
  }

  #message(message: JsonObject, events: ProviderEvent[]): void {
    this.#reasoning(message, events);
    this.#content(message.content, events);
    if (typeof message.refusal === 'string' && message.refusal !== '') {
      this.#refused = true;
      events.push({ type: 'text', text: message.refusal });
    }
    for (const call of asArray(message.tool_calls)) {
      const { id, index, function: fn } = asObject(call);
      const { name, arguments: args } = asObject(fn);
      this.#calls.add({ id: asString(id), index: asNumber(index), name: asString(name), arguments: args });
    }
  }

  #reasoning(message: JsonObject, events: ProviderEvent[]): void {
    const text = asString(message.reasoning_content) || asString(message.reasoning);
    if (text !== '') {
      events.push({ type: 'reasoning', text });
      return;
    }
    for (const detail of asArray(message.reasoning_details)) {
      const { text: said, summary } = asObject(detail);
      const part = asString(said) || asString(summary);
      if (part !== '') events.push({ type: 'reasoning', text: part });
    }
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
      if (part.type === 'text') this.#content(part.text, events);
      else if (part.type === 'thinking') {
        const text =
          typeof part.thinking === 'string'
            ? part.thinking
            : asArray(part.thinking)
                .map((t) => asString(asObject(t).text))
                .join('');
        if (text !== '') events.push({ type: 'reasoning', text });
      }
    }
  }

  #close(choice: JsonObject, chunk: JsonObject, events: ProviderEvent[]): void {
    const reason = choice.finish_reason;
    if (typeof reason === 'string' && reason !== '') this.#finish = FINISH[reason] ?? 'stop';
    const usage = chunk.usage ?? asObject(chunk.x_groq).usage;
    if (isObject(usage)) events.push({ type: 'usage', usage: readUsage(usage) });
  }
}

function tellsTextOnly(delta: JsonObject, choice: JsonObject, chunk: JsonObject): boolean {
  const { refusal, tool_calls: calls, reasoning, reasoning_content: content, reasoning_details: details } = delta;
  const others = [refusal, calls, reasoning, content, details, choice.finish_reason, chunk.usage, chunk.x_groq];
  return asString(delta.content) !== '' && others.every((value) => value === undefined || value === null);
}

const FINISH: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  length: 'length',
  model_length: 'length',
  max_tokens: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
  error: 'error',
};

/** The finish reason alone is not to be trusted: gathered calls make a turn with tool calls, and nothing else does. */
export function settle(reason: FinishReason | undefined, hasCalls: boolean): FinishReason {
  if (reason === 'length' || reason === 'content-filter' || reason === 'error') return reason;
  return hasCalls ? 'tool-calls' : 'stop';
}

function readUsage(usage: JsonObject): Usage {
  const promptTokens = asNumber(usage.prompt_tokens) ?? 0;
  const completionTokens = asNumber(usage.completion_tokens) ?? 0;
  const cached =
    asNumber(asObject(usage.prompt_tokens_details).cached_tokens) ?? asNumber(usage.prompt_cache_hit_tokens);
  const reasoning =
    asNumber(asObject(usage.completion_tokens_details).reasoning_tokens) ?? asNumber(usage.reasoning_tokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: asNumber(usage.total_tokens) ?? promptTokens + completionTokens,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}
