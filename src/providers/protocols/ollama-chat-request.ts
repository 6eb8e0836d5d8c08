import type { JsonObject } from '../../core/json.ts';
import type { ChatRequest, Message, UserPart } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { askedEffort } from './effort.ts';
import { callsOf, textOf } from './message-parts.ts';
import { isCloud, MIN_WINDOW, tokensOf, windowFor } from './ollama-window.ts';
import { lowerTools } from './openai-tools.ts';
import type { ModelFacts, WireRequest } from './protocol.ts';
import { lowerSampling, noParallelToolCalls, noStrictTools, type SamplingNames } from './sampling.ts';
import { takenTemperature } from './temperature.ts';
import { refusedPart, requireText } from './text-file.ts';

const SAMPLING: SamplingNames = {
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
};

/** Writes a request in the form of Ollama's chat, with the context window that it needs. */
export function lowerOllama(request: ChatRequest, quirks: Quirks, facts: ModelFacts = {}): WireRequest {
  const warnings: string[] = [];
  const body: JsonObject = {
    model: request.model,
    messages: request.messages.map(lowerMessage),
    // Without the field it streams.
    stream: request.stream,
  };
  const needed = tokensOf(request);
  // Without the field a prompt that does not fit loses its beginning, and nobody is told.
  if (needed > MIN_WINDOW) body.truncate = false;
  const think = lowerEffort(request, facts);
  if (think !== undefined) body.think = think;
  const options: JsonObject = {};
  const window = isCloud(request.model) ? undefined : windowFor(needed, facts);
  if (window !== undefined) options.num_ctx = window;
  const temperature = takenTemperature(request, quirks, warnings);
  if (temperature !== undefined) options.temperature = temperature;
  if (request.maxTokens !== undefined) options.num_predict = request.maxTokens;
  Object.assign(options, lowerSampling(request, SAMPLING, warnings, quirks));
  const { responseFormat: format } = request;
  if (format) body.format = format.type === 'json' ? 'json' : format.schema;
  noParallelToolCalls(request, warnings);
  noStrictTools(request, warnings);
  if (Object.keys(options).length > 0) body.options = options;
  if (request.tools.length > 0 && request.toolChoice !== 'none') {
    body.tools = lowerTools(request, quirks, warnings);
    if (request.toolChoice !== undefined && request.toolChoice !== 'auto') {
      warnings.push(`toolChoice: ${request.model} cannot be made to call a tool; left out`);
    }
  }
  return { path: '/api/chat', body, warnings, ...(window === undefined ? {} : { window }) };
}

/**
 * Models that cannot think refuse the field. Newer servers tell what a model takes
 * (https://docs.ollama.com/capabilities/thinking); with older ones it is on or off, but for OpenAI's models.
 */
function lowerEffort(request: ChatRequest, facts: ModelFacts): string | boolean | undefined {
  const effort = askedEffort(request);
  if (effort === undefined || facts.supportsReasoning === false) return undefined;
  const { reasoningValues: values } = facts;
  if (!values) {
    if (!facts.supportsReasoning) return undefined;
    return request.model.includes('gpt-oss') ? (effort === 'max' ? 'high' : effort) : true;
  }
  const words = effort === 'max' ? ['max', 'xhigh', 'high'] : [effort];
  return words.find((word) => values.includes(word)) ?? (values.includes(true) ? true : undefined);
}

function lowerMessage(message: Message): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'tool':
      return { role: 'tool', tool_name: message.toolName, tool_call_id: message.toolCallId, content: message.text };
    case 'user': {
      const images = message.parts.flatMap((part) => (part.type === 'image' ? [bareBase64(part)] : []));
      const content = message.parts.flatMap(lowerText).join('\n\n');
      return { role: 'user', content, ...(images.length > 0 ? { images } : {}) };
    }
    case 'assistant': {
      const content = textOf(message.parts);
      const thinking = message.parts.flatMap((part) => (part.type === 'reasoning' ? [part.text] : [])).join('');
      const calls = callsOf(message.parts);
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
  throw refusedPart('this provider takes images as base64 data only, not as a URL');
}

function lowerText(part: UserPart): string[] {
  if (part.type === 'image') return [];
  return [part.type === 'text' ? part.text : requireText(part)];
}
