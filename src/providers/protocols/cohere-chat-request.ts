import type { JsonObject } from '../../core/json.ts';
import type { AssistantPart, ChatRequest, Message, ReasoningPart, UserPart } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { askedEffort, thinkingBudget } from './effort.ts';
import { mediaUrl } from './media.ts';
import { callsOf, textOf } from './message-parts.ts';
import { lowerCall, lowerTools } from './openai-tools.ts';
import type { WireRequest } from './protocol.ts';
import {
  formatBesideTools,
  lowerSampling,
  noParallelToolCalls,
  noStrictTools,
  type SamplingNames,
} from './sampling.ts';
import { takenTemperature } from './temperature.ts';
import { requireText } from './text-file.ts';

/** Models that take a budget for thinking (https://docs.cohere.com/docs/reasoning), and what they write at most. */
const BUDGETED = /^command-a-reasoning/;
const MAX_OUTPUT = 32_000;

const SAMPLING: SamplingNames = {
  topP: 'p',
  topK: 'k',
  stop: 'stop_sequences',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
};

/** Writes a request in the form of Cohere's Chat. */
export function lowerCohere(request: ChatRequest, quirks: Quirks): WireRequest {
  const warnings: string[] = [];
  const body: JsonObject = { model: request.model, messages: request.messages.map(lowerMessage) };
  if (request.stream) body.stream = true;
  if (request.maxTokens !== undefined) body.max_tokens = request.maxTokens;
  const temperature = takenTemperature(request, quirks, warnings);
  if (temperature !== undefined) body.temperature = temperature;
  Object.assign(body, lowerSampling(request, SAMPLING, warnings, quirks));
  // https://docs.cohere.com/docs/structured-outputs: not together with tools.
  const format = formatBesideTools(request, false, warnings);
  if (format)
    body.response_format = { type: 'json_object', ...(format.type === 'json' ? {} : { json_schema: format.schema }) };
  noParallelToolCalls(request, warnings);
  addStrict(request, body, warnings);
  addThinking(request, body);
  addTools(request, quirks, body, warnings);
  return { path: '/chat', body, warnings };
}

/** All tools or none (https://docs.cohere.com/docs/structured-outputs). */
function addStrict(request: ChatRequest, body: JsonObject, warnings: string[]): void {
  const { tools } = request;
  if (tools.length > 0 && tools.every(({ strict }) => strict)) body.strict_tools = true;
  else noStrictTools(request, warnings);
}

function addThinking(request: ChatRequest, body: JsonObject): void {
  const effort = askedEffort(request);
  if (effort === undefined || !BUDGETED.test(request.model)) return;
  const budget = thinkingBudget(effort, request.maxTokens ?? MAX_OUTPUT);
  if (budget > 0) body.thinking = { type: 'enabled', token_budget: budget };
}

/** The wire can force a call or forbid it, but not name the tool: then that tool is the only one on offer. */
function addTools(request: ChatRequest, quirks: Quirks, body: JsonObject, warnings: string[]): void {
  const { model, toolChoice: choice } = request;
  let tools = request.tools;
  if (typeof choice === 'object') {
    tools = tools.filter((tool) => tool.name === choice.name);
    warnings.push(`toolChoice: ${model} cannot be told which tool; only ${choice.name} was offered, and required`);
  }
  if (tools.length === 0) return;
  body.tools = lowerTools({ ...request, tools }, quirks, warnings);
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
  const text = textOf(parts);
  const thoughts = parts.filter((part) => part.type === 'reasoning');
  const thinking = thoughts.filter(isThinking).map((part) => ({ type: 'thinking', thinking: part.text }));
  const calls = callsOf(parts);
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
    tool_calls: calls.map(lowerCall),
  };
}

/** Was this content of its own, and not the plan for tool calls? */
function isThinking({ data }: ReasoningPart): boolean {
  return data?.type === 'thinking';
}

function lowerUserParts(parts: UserPart[]): unknown {
  const lowered = parts.map((part) => {
    if (part.type === 'image') return { type: 'image_url', image_url: { url: mediaUrl(part.media) } };
    return { type: 'text', text: part.type === 'text' ? part.text : requireText(part) };
  });
  if (lowered.every((part) => part.text !== undefined)) return lowered.map((part) => part.text).join('\n\n');
  return lowered;
}
