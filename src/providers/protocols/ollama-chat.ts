import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { InvalidRequestError } from '../../errors.ts';
import type { Quirks } from '../profiles.ts';
import type { ChatRequest, FinishReason, Message, ProviderEvent, UserPart } from '../types.ts';
import { readErrorBody } from './error-body.ts';
import { lowerTool, settle } from './openai-chat.ts';
import { type Protocol, ProtocolError, ReportedError, type StreamReader } from './protocol.ts';
import { fileText, titledText } from './text-file.ts';
import { wholeCall } from './tool-calls.ts';

/** Ollama's own chat (https://github.com/ollama/ollama/blob/main/docs/api.md). */
export const ollamaChat: Protocol = {
  framing: 'ndjson',
  lower,
  read: (body) => {
    const reader = new OllamaReader();
    return [...reader.take(body), ...reader.end()];
  },
  reader: () => new OllamaReader(),
  readError: readErrorBody,
};

function lower(request: ChatRequest, quirks: Quirks): ReturnType<Protocol['lower']> {
  const warnings: string[] = [];
  // Without the word it streams.
  const body: JsonObject = {
    model: request.model,
    messages: request.messages.map(lowerMessage),
    stream: request.stream,
  };
  const options: JsonObject = {};
  if (request.temperature !== undefined) options.temperature = request.temperature;
  if (request.maxTokens !== undefined) options.num_predict = request.maxTokens;
  if (Object.keys(options).length > 0) body.options = options;
  if (request.tools.length > 0 && request.toolChoice !== 'none') {
    body.tools = request.tools.map((tool) => lowerTool(tool, quirks));
    if (request.toolChoice !== undefined && request.toolChoice !== 'auto') {
      warnings.push('tool_choice: Ollama cannot force a tool call; left out');
    }
  }
  return { path: '/api/chat', body, warnings };
}

function lowerMessage(message: Message): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'tool':
      return { role: 'tool', tool_name: message.toolName, content: message.text };
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
        out.tool_calls = calls.map((call) => ({ function: { name: call.name, arguments: call.arguments } }));
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
    const chunk = tryParseJson(frame.data);
    if (chunk === undefined) throw new ProtocolError(`a stream line that is not JSON: ${frame.data.slice(0, 200)}`);
    return this.take(chunk);
  }

  /** A line of a stream and a whole answer have one form. */
  take(chunk: unknown): ProviderEvent[] {
    if (!isObject(chunk)) throw new ProtocolError('the answer is not a JSON object');
    if (chunk.error !== undefined) {
      throw new ReportedError(readErrorBody(chunk) ?? { message: JSON.stringify(chunk.error), kinds: [] });
    }
    const events: ProviderEvent[] = [];
    const { content, thinking, tool_calls: calls } = asObject(chunk.message);
    if (asString(thinking) !== '') events.push({ type: 'reasoning', text: asString(thinking) });
    if (asString(content) !== '') events.push({ type: 'text', text: asString(content) });
    for (const item of asArray(calls)) this.#call(asObject(item), events);
    if (chunk.done === true) {
      this.#finish = FINISH[asString(chunk.done_reason)] ?? 'stop';
      this.#count(chunk, events);
    }
    return events;
  }

  end(): ProviderEvent[] {
    if (this.#finish === undefined) throw new ProtocolError('the answer ended without being done');
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

const FINISH: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length' };
