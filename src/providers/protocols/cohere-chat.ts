import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../core/json.ts';
import { InvalidRequestError } from '../../errors.ts';
import type { Quirks } from '../profiles.ts';
import type {
  AssistantPart,
  ChatRequest,
  FinishReason,
  Message,
  ProviderEvent,
  ReasoningPart,
  Usage,
  UserPart,
} from '../types.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { mediaUrl } from './media.ts';
import { lowerTool } from './openai-tools.ts';
import { type Protocol, ProtocolError, ReportedError, type StreamReader, type WireRequest } from './protocol.ts';
import { endedEarly, objectIn, reportedError, requireObject } from './reading.ts';
import { Sources, toSource } from './sources.ts';
import { fileText, titledText } from './text-file.ts';
import { ToolCallGatherer } from './tool-calls.ts';

/** Cohere's Chat, version 2 (https://docs.cohere.com/reference/chat). */
export const cohereChat: Protocol = {
  framing: 'sse',
  lower,
  read: (body) => {
    const reader = new CohereReader();
    return [...reader.whole(body), ...reader.end()];
  },
  reader: () => new CohereReader(),
  readError: readErrorBody,
};

function lower(request: ChatRequest, quirks: Quirks): WireRequest {
  const warnings: string[] = [];
  const body: JsonObject = { model: request.model, messages: request.messages.map(lowerMessage) };
  if (request.stream) body.stream = true;
  if (request.maxTokens !== undefined) body.max_tokens = request.maxTokens;
  if (request.temperature !== undefined) body.temperature = request.temperature;
  lowerTools(request, quirks, body, warnings);
  return { path: '/chat', body, warnings };
}

/** The wire can force a call or forbid it, but not name the tool: then that tool is the only one on offer. */
function lowerTools(request: ChatRequest, quirks: Quirks, body: JsonObject, warnings: string[]): void {
  const choice = request.toolChoice;
  let tools = request.tools;
  if (typeof choice === 'object') {
    tools = tools.filter((tool) => tool.name === choice.name);
    warnings.push(`tool_choice: Cohere cannot name a tool; only ${choice.name} was offered, and a call was required`);
  }
  if (tools.length === 0) return;
  body.tools = tools.map((tool) => lowerTool(tool, quirks));
  if (choice !== undefined && choice !== 'auto') body.tool_choice = choice === 'none' ? 'NONE' : 'REQUIRED';
}

function lowerMessage(message: Message): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'user':
      return { role: 'user', content: lowerUserParts(message.parts) };
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.text };
    case 'assistant':
      return lowerAssistant(message.parts);
  }
}

/**
 * What it thought is content, as it came. Text beside calls is refused
 * (https://github.com/vercel/ai/issues/5794): what was said there, by another model too, is the plan for them.
 */
function lowerAssistant(parts: AssistantPart[]): JsonObject {
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  const thoughts = parts.filter((part) => part.type === 'reasoning');
  const thinking = thoughts.filter(isThinking).map((part) => ({ type: 'thinking', thinking: part.text }));
  const calls = parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));
  if (calls.length === 0) {
    const content = [...thinking, ...(text === '' ? [] : [{ type: 'text', text }])];
    return { role: 'assistant', content: thinking.length > 0 ? content : text };
  }
  const plan = thoughts.flatMap((part) => (isThinking(part) ? [] : [part.text])).join('');
  const words = [plan, text].filter((each) => each.trim() !== '').join('\n\n');
  return {
    role: 'assistant',
    ...(thinking.length === 0 ? {} : { content: thinking }),
    ...(words === '' ? {} : { tool_plan: words }),
    tool_calls: calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    })),
  };
}

/** Was this content of its own, and not the plan for tool calls? */
function isThinking({ data }: ReasoningPart): boolean {
  return data?.type === 'thinking';
}

function lowerUserParts(parts: UserPart[]): unknown {
  const lowered = parts.map((part) => {
    if (part.type === 'image') return { type: 'image_url', image_url: { url: mediaUrl(part.media) } };
    return { type: 'text', text: part.type === 'text' ? part.text : textOf(part) };
  });
  if (lowered.every((part) => part.text !== undefined)) return lowered.map((part) => part.text).join('\n\n');
  return lowered;
}

function textOf(part: Extract<UserPart, { type: 'file' }>): string {
  const text = fileText(part);
  if (text !== undefined) return titledText(part, text);
  throw new InvalidRequestError([{ path: 'messages', message: 'Cohere takes no files other than inline text' }]);
}

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
    if (isObject(end.usage)) events.push({ type: 'usage', usage: readUsage(end.usage) });
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
function readUsage(usage: JsonObject): Usage {
  const tokens = isObject(usage.tokens) ? usage.tokens : asObject(usage.billed_units);
  const promptTokens = asNumber(tokens.input_tokens) ?? 0;
  const completionTokens = asNumber(tokens.output_tokens) ?? 0;
  const cached = asNumber(usage.cached_tokens);
  const reasoning = asNumber(tokens.reasoning_tokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}
