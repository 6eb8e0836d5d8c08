import { asArray, asObject, type JsonObject } from '../../core/json.ts';
import type { AssistantPart, ChatRequest, FilePart, Message, UserPart } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { effortWord } from './effort.ts';
import { mediaUrl } from './media.ts';
import { lowerFunctions } from './openai-tools.ts';
import type { WireRequest } from './protocol.ts';
import { lowerSampling, type SamplingNames, takenParallelToolCalls } from './sampling.ts';
import { takenTemperature } from './temperature.ts';
import { fileText, refusedPart, titledText } from './text-file.ts';

/** OpenAI refuses less. */
const MIN_OUTPUT_TOKENS = 16;

/** OpenAI's models that do not reason: they refuse to include reasoning, which all others may be asked for. */
const NO_REASONING = /gpt-(3\.?5|4)|gpt-5-chat/;

const SAMPLING: SamplingNames = { topP: 'top_p', logprobs: 'top_logprobs' };

/**
 * A request to `/responses` that keeps nothing at the provider: the whole conversation goes along, and the reasoning
 * comes back encrypted.
 *
 * No summary of the reasoning is asked for: OpenAI refuses the whole request if the organisation is not verified
 * ("must be verified to generate reasoning summaries"), and xAI sends summaries without being asked.
 */
export function lowerResponses(request: ChatRequest, quirks: Quirks): WireRequest {
  const warnings: string[] = [];
  const body: JsonObject = {
    model: request.model,
    input: request.messages.flatMap((message) => lowerMessage(message, quirks)),
    store: false,
  };
  if (request.stream) body.stream = true;
  if (request.maxTokens !== undefined) {
    body.max_output_tokens = Math.max(request.maxTokens, MIN_OUTPUT_TOKENS);
    if (request.maxTokens < MIN_OUTPUT_TOKENS) {
      warnings.push(`maxTokens: ${request.model} takes at least ${MIN_OUTPUT_TOKENS}; sent as ${MIN_OUTPUT_TOKENS}`);
    }
  }
  const temperature = takenTemperature(request, quirks, warnings);
  if (temperature !== undefined) body.temperature = temperature;
  Object.assign(body, lowerSampling(request, SAMPLING, warnings, quirks));
  const included = [
    ...(NO_REASONING.test(request.model) ? [] : ['reasoning.encrypted_content']),
    ...('top_logprobs' in body ? ['message.output_text.logprobs'] : []),
  ];
  if (included.length > 0) body.include = included;
  if (request.responseFormat) body.text = { format: lowerFormat(request.responseFormat) };
  const told = effortWord(request, quirks);
  if (told) body.reasoning = { effort: told.word };
  if (request.tools.length > 0) {
    // Strict is the default of this wire, and it refuses every schema with an optional property.
    const flat = { type: 'function', strict: false };
    const isStrict = new Set(request.tools.flatMap(({ name, strict }) => (strict ? [name] : [])));
    body.tools = lowerFunctions(request, quirks, warnings).map((fn) => ({
      ...flat,
      ...(isStrict.has(fn.name) ? { strict: true } : {}),
      ...fn,
    }));
    const parallel = takenParallelToolCalls(request, quirks, warnings);
    if (parallel !== undefined) body.parallel_tool_calls = parallel;
    if (request.toolChoice !== undefined) body.tool_choice = lowerToolChoice(request.toolChoice);
  }
  return { path: '/responses', body, warnings };
}

function lowerFormat(format: NonNullable<ChatRequest['responseFormat']>): JsonObject {
  return format.type === 'json' ? { type: 'json_object' } : { ...format, type: 'json_schema' };
}

function lowerToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', name: choice.name };
}

function lowerMessage(message: Message, quirks: Quirks): JsonObject[] {
  switch (message.role) {
    case 'system':
      // Not as `instructions`, which have but one place: OpenAI, Azure and xAI all take it where it stands.
      return [{ role: 'system', content: message.text }];
    case 'user':
      return [{ role: 'user', content: lowerUserParts(message.parts, quirks) }];
    case 'tool':
      return [{ type: 'function_call_output', call_id: message.toolCallId, output: lowerResult(message, quirks) }];
    case 'assistant': {
      // Reasoning that nothing follows, of a turn that was cut off, is refused.
      const items = message.parts.flatMap(lowerAssistantPart);
      return items.slice(0, items.findLastIndex((item) => item.type !== 'reasoning') + 1);
    }
  }
}

function lowerResult({ text, media = [] }: Extract<Message, { role: 'tool' }>, quirks: Quirks): unknown {
  const parts: UserPart[] = [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...media];
  return media.length === 0 ? text : lowerUserParts(parts, quirks);
}

function lowerUserParts(parts: UserPart[], quirks: Quirks): unknown {
  const lowered = parts.map((part): JsonObject => {
    if (part.type === 'text') return { type: 'input_text', text: part.text };
    return part.type === 'image' ? { type: 'input_image', image_url: mediaUrl(part.media) } : lowerFile(part, quirks);
  });
  return lowered.every((part) => part.type === 'input_text') ? lowered.map((part) => part.text).join('\n\n') : lowered;
}

/** Links are taken by all (https://docs.x.ai/docs/guides/files/chat-with-files), inline data not by xAI. */
function lowerFile(part: FilePart, { files }: Quirks): JsonObject {
  const { media, filename } = part;
  if ('url' in media) return { type: 'input_file', file_url: media.url };
  const text = fileText(part);
  if (text !== undefined) return { type: 'input_text', text: titledText(part, text) };
  if (files === undefined) throw refusedPart('this provider takes files as a URL, and inline only as text');
  return { type: 'input_file', filename: filename ?? 'file', file_data: mediaUrl(media) };
}

/**
 * The item that a part came from, but without its id: nothing is stored under it. Azure refuses ids then, and OpenAI
 * checks by them that every item of an answer is still there, which a conversation that was edited fails.
 */
function lowerAssistantPart(part: AssistantPart): JsonObject[] {
  switch (part.type) {
    case 'text': {
      const phase = part.data?.phase;
      const content = [{ type: 'output_text', text: part.text }];
      if (part.text === '') return [];
      return [{ type: 'message', role: 'assistant', ...(typeof phase === 'string' ? { phase } : {}), content }];
    }
    case 'tool-call': {
      const { id, name, arguments: args } = part.call;
      return [{ type: 'function_call', call_id: id, name, arguments: JSON.stringify(args) }];
    }
    case 'reasoning':
      return lowerReasoning(part.data ?? {});
  }
}

/** Without its encrypted content an item means nothing to a provider that stored nothing. */
function lowerReasoning({ type, encrypted_content, summary, content }: JsonObject): JsonObject[] {
  if (type !== 'reasoning' || typeof encrypted_content !== 'string') return [];
  const texts = Array.isArray(content) ? { content: lowerTexts(content) } : {};
  return [{ type, encrypted_content, summary: lowerTexts(summary), ...texts }];
}

/** Parts of a summary or of reasoning that can be read. */
function lowerTexts(parts: unknown): JsonObject[] {
  return asArray(parts).flatMap((part) => {
    const { type, text } = asObject(part);
    return typeof type === 'string' && typeof text === 'string' ? [{ type, text }] : [];
  });
}
