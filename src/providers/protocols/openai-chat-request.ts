import { asString, type JsonObject } from '../../core/json.ts';
import type { ChatRequest, Message } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { effortWord } from './effort.ts';
import { lowerAssistant } from './openai-chat-assistant.ts';
import { lowerUser } from './openai-chat-user.ts';
import { lowerToolChoice, lowerTools } from './openai-tools.ts';
import type { WireRequest } from './protocol.ts';
import {
  formatBesideTools,
  lowerSampling,
  noResponseFormat,
  noStrictTools,
  type SamplingNames,
  takenParallelToolCalls,
} from './sampling.ts';
import { takenTemperature } from './temperature.ts';
import { toolsAsText } from './tools-as-text.ts';

const SAMPLING: SamplingNames = {
  logprobs: 'top_logprobs',
  topP: 'top_p',
  stop: 'stop',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logitBias: 'logit_bias',
};

/** Writes a request in the form of Chat Completions, as far as the vendor takes it. */
export function lowerChat(request: ChatRequest, quirks: Quirks): WireRequest {
  const warnings: string[] = [];
  const body: JsonObject = { model: request.model, messages: lowerMessages(request, quirks) };
  if (request.stream) {
    body.stream = true;
    if (!quirks.usageUnasked) body.stream_options = { include_usage: true };
  }
  const limit = quirks.reasoningModels?.test(request.model) ? 'max_completion_tokens' : 'max_tokens';
  if (request.maxTokens !== undefined) body[limit] = request.maxTokens;
  const temperature = takenTemperature(request, quirks, warnings);
  if (temperature !== undefined) body.temperature = temperature;
  addEffort(request, quirks, body);
  Object.assign(body, lowerSampling(request, SAMPLING, warnings, quirks));
  if ('top_logprobs' in body) body.logprobs = true;
  addFormat(request, quirks, body, warnings);
  if (!quirks.strictTools) noStrictTools(request, warnings);
  if (request.tools.length > 0) addTools(request, quirks, body, warnings);
  return { path: '/chat/completions', body, warnings };
}

function addEffort(request: ChatRequest, quirks: Quirks, body: JsonObject): void {
  const told = effortWord(request, quirks);
  if (told === undefined || (told.rule.notWithTools && request.tools.length > 0)) return;
  if (told.rule.as === 'reasoning') body.reasoning = { effort: told.word };
  else body.reasoning_effort = told.word;
}

function addTools(request: ChatRequest, quirks: Quirks, body: JsonObject, warnings: string[]): void {
  const { model, toolChoice } = request;
  if (quirks.noTools) {
    const choice = toolChoice === undefined ? '' : ' and toolChoice';
    warnings.push(`tools${choice}: ${model} does not take them; left out`);
    return;
  }
  body.tools = lowerTools(request, quirks, warnings);
  if (toolChoice !== undefined) body.tool_choice = lowerToolChoice(toolChoice);
  const parallel = takenParallelToolCalls(request, quirks, warnings);
  if (parallel !== undefined) body.parallel_tool_calls = parallel;
}

function addFormat(request: ChatRequest, quirks: Quirks, body: JsonObject, warnings: string[]): void {
  const { model } = request;
  const format = formatBesideTools(request, !quirks.formatOrTools, warnings);
  if (!format) return;
  const rule = quirks.responseFormats?.find(({ models }) => models?.test(model) ?? true);
  const takes = (type: typeof format.type): boolean => rule?.formats.includes(type) ?? true;
  if (format.type === 'json-schema' && takes('json-schema')) {
    const { type: _, ...schema } = format;
    body.response_format = { type: 'json_schema', json_schema: schema };
  } else if (takes('json')) {
    body.response_format = { type: 'json_object' };
    if (format.type !== 'json') warnings.push(`responseFormat: ${model} takes no schema; only JSON was asked for`);
  } else noResponseFormat(request, warnings);
}

function lowerMessages({ model, messages }: ChatRequest, quirks: Quirks): JsonObject[] {
  const carried = quirks.noTools ? toolsAsText(messages) : messages;
  const back = quirks.reasoningBack?.find(({ models }) => models?.test(model) ?? true);
  const lastUser = carried.findLastIndex((message) => message.role === 'user');
  const lowered = carried.flatMap((message, index): JsonObject[] => {
    if (message.role !== 'assistant') return [lowerOther(message, quirks)];
    return lowerAssistant(message.parts, back?.openTurnOnly && index < lastUser ? undefined : back);
  });
  return quirks.strictAlternation ? alternate(lowered) : lowered;
}

function lowerOther(message: Exclude<Message, { role: 'assistant' }>, quirks: Quirks): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'user':
      return { role: 'user', content: lowerUser(message.parts, quirks.files) };
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.text };
  }
}

/**
 * Puts system messages first and joins neighbours of one role, so that user and assistant alternate from user to user:
 * an assistant's last word gets an empty prompt to go on from.
 */
function alternate(messages: JsonObject[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const message of messages.filter(({ role }) => role !== 'system')) {
    const last = out.at(-1);
    if (last === undefined || last.role !== message.role) out.push({ ...message });
    else last.content = joinContent(last.content, message.content);
  }
  if (out.length > 0 && out[0]?.role !== 'user') out.unshift({ role: 'user', content: '(continued)' });
  if (out.at(-1)?.role === 'assistant') out.push({ role: 'user', content: 'Continue.' });
  return [...messages.filter(({ role }) => role === 'system'), ...out];
}

function joinContent(a: unknown, b: unknown): unknown {
  if (typeof a === 'string' && typeof b === 'string') return `${a}\n\n${b}`;
  const parts = (content: unknown): unknown[] =>
    Array.isArray(content) ? content : [{ type: 'text', text: asString(content) }];
  return [...parts(a), ...parts(b)];
}
