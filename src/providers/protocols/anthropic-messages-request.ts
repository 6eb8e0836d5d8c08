import { asObject, type JsonObject } from '../../core/json.ts';
import type { AssistantPart, ChatRequest, Media, Message, Tool, UserPart } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { type Cacheable, markCacheable } from './anthropic-cache.ts';
import { isThinking, lowerThinking } from './anthropic-thinking.ts';
import { systemText } from './message-parts.ts';
import type { WireRequest } from './protocol.ts';
import {
  lowerSampling,
  noResponseFormat,
  noStrictTools,
  type SamplingNames,
  takenParallelToolCalls,
} from './sampling.ts';
import { takenTemperature } from './temperature.ts';
import { fileText } from './text-file.ts';

const SAMPLING: SamplingNames = { topP: 'top_p', topK: 'top_k', stop: 'stop_sequences' };

/**
 * Models that refuse two of its parameters together: "`temperature` and `top_p` cannot both be specified for this model.
 * Please use only one." They all do from Opus 4.1 on.
 */
const ONE_OF_BOTH = /claude-(opus-4[-.][1-9]|(sonnet|haiku)-4[-.][5-9]|[a-z]+-([5-9]|\d\d))(?!\d)/;

/** A model that thinks takes less no more than it takes a temperature. */
const MIN_TOP_P_OF_THINKING = 0.95;

/** The wire demands a limit: the most that every model of a generation takes. Later ones think within it. */
export function defaultMaxTokens(model: string): number {
  if (/claude-3-(?![57])/.test(model)) return 4096;
  return /claude-3/.test(model) ? 8192 : 32_000;
}

/** Writes a request in the form of Messages, with what is worth caching marked. */
export function lowerMessagesRequest(request: ChatRequest, quirks: Quirks): WireRequest {
  const warnings: string[] = [];
  const past = request.tools.length === 0 ? calledTools(request.messages) : [];
  const { tools, system, messages } = markCacheable(
    {
      tools: [...request.tools, ...past].map(lowerTool),
      system: textBlock(systemText(request.messages)),
      messages: lowerMessages(request.messages),
    },
    request.model,
  );
  const maxTokens = request.maxTokens ?? defaultMaxTokens(request.model);
  const body: JsonObject = { model: request.model, max_tokens: maxTokens, messages };
  // Without a mark it is written in its short form.
  if (system[0]) body.system = system[0].cache_control ? system : system[0].text;
  if (request.stream) body.stream = true;
  const temperature = takenTemperature(request, quirks, warnings);
  if (temperature !== undefined) {
    body.temperature = Math.min(temperature, 1);
    if (temperature > 1) warnings.push(`temperature: ${request.model} takes at most 1; sent as 1`);
  }
  Object.assign(body, lowerSampling(request, SAMPLING, warnings, quirks));
  if (temperature !== undefined && 'top_p' in body && ONE_OF_BOTH.test(request.model)) {
    delete body.top_p;
    warnings.push(`topP: ${request.model} does not take it together with temperature; left out`);
  }
  const samples = temperature !== undefined || 'top_k' in body || Number(body.top_p ?? 1) < MIN_TOP_P_OF_THINKING;
  Object.assign(body, lowerThinking(request, { messages, maxTokens, samples }));
  addFormat(request, body, warnings);
  noStrictTools(request, warnings);
  if (tools.length > 0) {
    body.tools = tools;
    const choice = past.length > 0 ? 'none' : request.toolChoice;
    if (choice !== undefined) body.tool_choice = lowerToolChoice(choice);
    addParallel(takenParallelToolCalls(request, quirks, warnings), body);
  }
  return { path: '/messages', body, warnings };
}

/** @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs */
function addFormat(request: ChatRequest, body: JsonObject, warnings: string[]): void {
  const { responseFormat: format } = request;
  if (format?.type !== 'json-schema') noResponseFormat(request, warnings);
  else body.output_config = { ...asObject(body.output_config), format: { type: 'json_schema', schema: format.schema } };
}

function addParallel(parallel: boolean | undefined, body: JsonObject): void {
  if (parallel === undefined) return;
  const choice = asObject(body.tool_choice ?? { type: 'auto' });
  if (choice.type !== 'none') body.tool_choice = { ...choice, disable_parallel_tool_use: !parallel };
}

/**
 * The tools that a history has calls of. A request with calls and no tools is refused ("must define tools"), so they are
 * named, and forbidden.
 */
function calledTools(messages: readonly Message[]): Tool[] {
  const parts = messages.flatMap((message) => (message.role === 'assistant' ? message.parts : []));
  const names = new Set(parts.flatMap((part) => (part.type === 'tool-call' ? [part.call.name] : [])));
  return Array.from(names, (name) => ({
    name,
    description: 'Not available any more.',
    parameters: { type: 'object' },
  }));
}

function lowerTool({ name, description, parameters }: Tool): JsonObject {
  return { name, ...(description === undefined ? {} : { description }), input_schema: parameters };
}

function lowerToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): JsonObject {
  if (typeof choice !== 'string') return { type: 'tool', name: choice.name };
  return { type: choice === 'required' ? 'any' : choice };
}

function lowerMessages(messages: Message[]): Cacheable['messages'] {
  const turns: Cacheable['messages'] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = lowerContent(message);
    if (content.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) for (const block of content) last.content.push(block);
    else turns.push({ role, content });
  }
  return turns.map((turn) => (turn.role === 'user' ? { ...turn, content: resultsFirst(turn.content) } : turn));
}

/** Tool results must stand before what the person says after them. */
function resultsFirst(content: JsonObject[]): JsonObject[] {
  const isResult = (block: JsonObject): boolean => block.type === 'tool_result';
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
}

function lowerContent(message: Exclude<Message, { role: 'system' }>): JsonObject[] {
  switch (message.role) {
    case 'user':
      return message.parts.flatMap(lowerUserPart);
    case 'tool':
      return [lowerResult(message)];
    case 'assistant': {
      // As the model made it: thinking may stand between calls. A turn that ends in thinking, cut off, is refused.
      const blocks = message.parts.flatMap(lowerAssistantPart);
      return blocks.slice(0, blocks.findLastIndex((block) => !isThinking(block)) + 1);
    }
  }
}

function lowerResult({ toolCallId, text, isError, media = [] }: Extract<Message, { role: 'tool' }>): JsonObject {
  const content = media.length === 0 ? text : [...textBlock(text), ...media.flatMap(lowerUserPart)];
  return { type: 'tool_result', tool_use_id: toolCallId, content, ...(isError ? { is_error: true } : {}) };
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
  if (typeof redacted === 'string') return [{ type: 'redacted_thinking', data: redacted }];
  // Without a signature it would be refused.
  return typeof signature === 'string' ? [{ type: 'thinking', thinking: part.text, signature }] : [];
}
