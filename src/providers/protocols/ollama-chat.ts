import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, type JsonObject, tryParseJson } from '../../core/json.ts';
import type { FinishReason, ProviderEvent } from '../chat-model.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { lowerOllama } from './ollama-chat-request.ts';
import { isCloud, MIN_WINDOW, tokensOf } from './ollama-window.ts';
import { type ModelFacts, type Protocol, ProtocolError, type StreamReader } from './protocol.ts';
import { endedEarly, reportedError, requireObject } from './reading.ts';
import { wholeCall } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** Ollama's own chat (https://github.com/ollama/ollama/blob/main/docs/api.md). */
export const ollamaChat: Protocol = {
  framing: 'ndjson',
  quirks: ['toolCallIds', 'reasoningModels', 'refusedSchemaKeywords', 'parameterNames', 'refusedParameters'],
  facts: {
    path: '/api/show',
    body: (model) => ({ model }),
    read: readFacts,
    matter: (request) => request.effort !== undefined || (!isCloud(request.model) && tokensOf(request) > MIN_WINDOW),
  },
  lower: lowerOllama,
  read: (body) => {
    const reader = new OllamaReader();
    return [...reader.take(body), ...reader.end()];
  },
  reader: () => new OllamaReader(),
  readError: readErrorBody,
};

/** Reads the answer of `/api/show`; the window's field is named after the architecture: `llama.context_length`. */
function readFacts(body: unknown): ModelFacts {
  const { model_info: info, capabilities, thinking } = asObject(body);
  const window = Object.entries(asObject(info)).find(([name]) => name.endsWith('.context_length'))?.[1];
  const { values } = asObject(thinking);
  const able = Array.isArray(capabilities) ? new Set(capabilities) : undefined;
  return {
    contextWindow: asNumber(window),
    supportsVision: able?.has('vision'),
    supportsTools: able?.has('tools'),
    supportsReasoning: able?.has('thinking'),
    reasoningValues: Array.isArray(values) ? values : undefined,
  };
}

class OllamaReader implements StreamReader {
  #hasCalls = false;
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
    return [{ type: 'finish', reason: settle(this.#finish, this.#hasCalls) }];
  }

  /** Calls come whole; several may share an index, so each is its own. */
  #call(item: JsonObject, events: ProviderEvent[]): void {
    const { name, arguments: args } = asObject(item.function);
    if (asString(name) === '') return;
    this.#hasCalls = true;
    events.push({ type: 'tool-call', call: wholeCall(asString(item.id), asString(name), args) });
  }

  #count(chunk: JsonObject, events: ProviderEvent[]): void {
    const usage = usageOf({ prompt: asNumber(chunk.prompt_eval_count), completion: asNumber(chunk.eval_count) });
    if (usage) events.push({ type: 'usage', usage });
  }
}
