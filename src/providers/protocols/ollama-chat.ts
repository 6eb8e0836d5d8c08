import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, type JsonObject, tryParseJson } from '../../core/json.ts';
import { InvalidRequestError } from '../../errors.ts';
import type { Quirks } from '../profiles.ts';
import type { AssistantPart, ChatRequest, FinishReason, Message, ProviderEvent, UserPart } from '../types.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { lowerTool } from './openai-tools.ts';
import { type ModelFacts, type Protocol, ProtocolError, type StreamReader } from './protocol.ts';
import { endedEarly, reportedError, requireObject } from './reading.ts';
import { fileText, titledText } from './text-file.ts';
import { estimateTokens } from './token-estimate.ts';
import { wholeCall } from './tool-calls.ts';

/** Ollama's own chat (https://github.com/ollama/ollama/blob/main/docs/api.md). */
export const ollamaChat: Protocol = {
  framing: 'ndjson',
  facts: {
    path: '/api/show',
    body: (model) => ({ model }),
    read: readFacts,
    matter: (request) => !isCloud(request.model) && tokensOf(request) > MIN_WINDOW,
  },
  lower,
  read: (body) => {
    const reader = new OllamaReader();
    return [...reader.take(body), ...reader.end()];
  },
  reader: () => new OllamaReader(),
  readError: readErrorBody,
};

function lower(request: ChatRequest, quirks: Quirks, facts: ModelFacts = {}): ReturnType<Protocol['lower']> {
  const warnings: string[] = [];
  const body: JsonObject = {
    model: request.model,
    messages: request.messages.map(lowerMessage),
    // Without the word it streams.
    stream: request.stream,
  };
  const needed = tokensOf(request);
  // Without the word a prompt that does not fit loses its beginning, and nobody is told.
  if (needed > MIN_WINDOW) body.truncate = false;
  const options: JsonObject = {};
  const window = isCloud(request.model) ? undefined : windowFor(needed, facts);
  if (window !== undefined) options.num_ctx = window;
  if (request.temperature !== undefined) options.temperature = request.temperature;
  if (request.maxTokens !== undefined) options.num_predict = request.maxTokens;
  if (Object.keys(options).length > 0) body.options = options;
  if (request.tools.length > 0 && request.toolChoice !== 'none') {
    body.tools = request.tools.map((tool) => lowerTool(tool, quirks));
    if (request.toolChoice !== undefined && request.toolChoice !== 'auto') {
      warnings.push('tool_choice: Ollama cannot force a tool call; left out');
    }
  }
  return { path: '/api/chat', body, warnings, ...(window === undefined ? {} : { window }) };
}

/**
 * The least window that is asked for: enough for most conversations, and for an 8B model about 1 GB of memory.
 * Ollama's own default is 4096 on most machines (https://docs.ollama.com/context-length).
 */
const MIN_WINDOW = 8192;
/** Left for an answer of no given length. */
const ANSWER_TOKENS = 4096;
const IMAGE_TOKENS = 1500;
/** What a template puts around a message. */
const MESSAGE_TOKENS = 16;

/** Cloud models always have their whole window. */
function isCloud(model: string): boolean {
  return /[:-]cloud$/.test(model);
}

/**
 * The context window for a call: what prompt and answer need, not all that the model could, since memory is taken for
 * the whole window. Another window makes Ollama load the model again, which takes seconds: so it grows by doubling,
 * and is not made smaller while the model is in use. More than the model's own window would be cut by Ollama anyway.
 */
function windowFor(needed: number, { contextWindow, lastWindow }: ModelFacts): number {
  let window = Math.max(MIN_WINDOW, lastWindow ?? 0);
  while (window < needed) window *= 2;
  return Math.min(window, contextWindow ?? window);
}

/** What prompt and answer take, estimated. */
function tokensOf({ messages, tools, maxTokens }: ChatRequest): number {
  const prompt = messages.reduce((sum, message) => sum + MESSAGE_TOKENS + tokensOfMessage(message), 0);
  const offered = tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools));
  return prompt + offered + (maxTokens ?? ANSWER_TOKENS);
}

function tokensOfMessage(message: Message): number {
  if (message.role === 'system' || message.role === 'tool') return estimateTokens(message.text);
  return message.parts.reduce((sum, part) => sum + tokensOfPart(part), 0);
}

function tokensOfPart(part: UserPart | AssistantPart): number {
  if (part.type === 'image') return IMAGE_TOKENS;
  if (part.type === 'file') return estimateTokens(fileText(part) ?? '');
  return estimateTokens(part.type === 'tool-call' ? JSON.stringify(part.call.arguments) : part.text);
}

/** Reads the answer of `/api/show`; the window's field is named after the architecture: `llama.context_length`. */
function readFacts(body: unknown): ModelFacts {
  const { model_info: info, capabilities } = asObject(body);
  const window = Object.entries(asObject(info)).find(([name]) => name.endsWith('.context_length'))?.[1];
  const able = Array.isArray(capabilities) ? new Set(capabilities) : undefined;
  return {
    contextWindow: asNumber(window),
    supportsVision: able?.has('vision'),
    supportsTools: able?.has('tools'),
    supportsReasoning: able?.has('thinking'),
  };
}

function lowerMessage(message: Message): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'tool':
      return { role: 'tool', tool_name: message.toolName, tool_call_id: message.toolCallId, content: message.text };
    case 'user': {
      const images = message.parts.flatMap((part) => (part.type === 'image' ? [bareBase64(part)] : []));
      const content = message.parts.flatMap(textOf).join('\n\n');
      return { role: 'user', content, ...(images.length > 0 ? { images } : {}) };
    }
    case 'assistant': {
      const content = message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
      const thinking = message.parts.flatMap((part) => (part.type === 'reasoning' ? [part.text] : [])).join('');
      const calls = message.parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));
      const out: JsonObject = { role: 'assistant', content };
      if (thinking !== '') out.thinking = thinking;
      if (calls.length > 0) {
        out.tool_calls = calls.map(({ id, name, arguments: args }) => ({ id, function: { name, arguments: args } }));
      }
      return out;
    }
  }
}

function bareBase64(part: Extract<UserPart, { type: 'image' }>): string {
  if ('data' in part.media) return part.media.data;
  throw refused('Ollama takes images as base64 data only, not as a URL');
}

function textOf(part: UserPart): string[] {
  if (part.type === 'image') return [];
  if (part.type === 'text') return [part.text];
  const text = fileText(part);
  if (text === undefined) throw refused('Ollama takes no files other than inline text');
  return [titledText(part, text)];
}

function refused(message: string): InvalidRequestError {
  return new InvalidRequestError([{ path: 'messages', message }]);
}

class OllamaReader implements StreamReader {
  #called = false;
  #finish: FinishReason | undefined;

  get done(): boolean {
    return this.#finish !== undefined;
  }

  step(frame: Frame): ProviderEvent[] {
    if (this.done) return [];
    const chunk = tryParseJson(frame.data);
    if (chunk === undefined) throw new ProtocolError(`a stream line that is not JSON: ${frame.data.slice(0, 200)}`);
    return this.take(chunk);
  }

  /** A line of a stream and a whole answer have one form. */
  take(chunk: unknown): ProviderEvent[] {
    requireObject(chunk);
    if (chunk.error) throw reportedError(chunk);
    const events: ProviderEvent[] = [];
    const { content, thinking, tool_calls: calls } = asObject(chunk.message);
    if (asString(thinking) !== '') events.push({ type: 'reasoning', text: asString(thinking) });
    if (asString(content) !== '') events.push({ type: 'text', text: asString(content) });
    for (const item of asArray(calls)) this.#call(asObject(item), events);
    if (chunk.done === true) {
      this.#finish = chunk.done_reason === 'length' ? 'length' : 'stop';
      this.#count(chunk, events);
    }
    return events;
  }

  end(): ProviderEvent[] {
    if (this.#finish === undefined) throw endedEarly();
    return [{ type: 'finish', reason: settle(this.#finish, this.#called) }];
  }

  /** Calls come whole; several may share an index, so each is its own. */
  #call(item: JsonObject, events: ProviderEvent[]): void {
    const { name, arguments: args } = asObject(item.function);
    if (asString(name) === '') return;
    this.#called = true;
    events.push({ type: 'tool-call', call: wholeCall(asString(item.id), asString(name), args) });
  }

  #count(chunk: JsonObject, events: ProviderEvent[]): void {
    const prompt = asNumber(chunk.prompt_eval_count);
    const completion = asNumber(chunk.eval_count);
    if (prompt === undefined && completion === undefined) return;
    const promptTokens = prompt ?? 0;
    const completionTokens = completion ?? 0;
    events.push({
      type: 'usage',
      usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
    });
  }
}
