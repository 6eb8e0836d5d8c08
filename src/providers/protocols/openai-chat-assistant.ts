import { asArray, isObject, type JsonObject } from '../../core/json.ts';
import type { AssistantPart } from '../chat-model.ts';
import type { ReasoningBack } from '../profiles.ts';
import { callsOf, textOf } from './message-parts.ts';
import { lowerCall } from './openai-tools.ts';

/**
 * An assistant's message in the form of Chat Completions; none if nothing of it may go back.
 * @param back how the model wants its own reasoning; undefined: not at all.
 */
export function lowerAssistant(parts: AssistantPart[], back: ReasoningBack | undefined): JsonObject[] {
  const text = textOf(parts);
  const calls = callsOf(parts);
  const reasoning = back ? lowerReasoning(parts, back) : {};
  if (text === '' && calls.length === 0 && Object.values(reasoning).every((value) => value === '')) return [];
  const message: JsonObject = { role: 'assistant', content: text === '' && calls.length > 0 ? null : text };
  if (calls.length > 0) message.tool_calls = calls.map(lowerCall);
  return [{ ...message, ...reasoning }];
}

/** The fields of the message that carry the model's own reasoning. */
function lowerReasoning(parts: AssistantPart[], back: ReasoningBack): JsonObject {
  const reasoning = parts.filter((part) => part.type === 'reasoning');
  const text = reasoning.map((part) => part.text).join('');
  switch (back.as) {
    case 'content-parts':
      // What was streamed in pieces and what came whole are taken back alike, as one part.
      return text === '' ? {} : { content: parts.flatMap(lowerContentPart) };
    case 'reasoning_details': {
      const details = reasoning.flatMap((part) => asArray(part.data?.reasoning_details).filter(isObject));
      if (details.length > 0) return { reasoning_details: details };
      return text === '' ? {} : { reasoning: text };
    }
    default:
      return text === '' && !back.required ? {} : { [back.as]: text };
  }
}

function lowerContentPart(part: AssistantPart): JsonObject[] {
  if (part.type === 'tool-call' || part.text === '') return [];
  if (part.type === 'text') return [{ type: 'text', text: part.text }];
  return [{ type: 'thinking', thinking: [{ type: 'text', text: part.text }] }];
}
