import type { AssistantPart, ToolCall, ToolCallPart } from '../providers/chat-model.ts';

/** A part of an answer as it is given out and taken back; a call stands in `toolCalls`. */
export type MessagePart = Exclude<AssistantPart, ToolCallPart> | { type: 'tool-call'; id: string };

/** An answer in the form in which it is given out, kept and taken back. */
export interface AssistantContent {
  content: string;
  toolCalls?: readonly ToolCall[] | undefined;
  /** There if `content` and `toolCalls` do not say all that should go back. */
  parts?: readonly MessagePart[] | undefined;
}

/** The answer's parts, undefined if it is no more than a text and then calls. */
export function messageParts(parts: readonly AssistantPart[]): MessagePart[] | undefined {
  const isPlain = parts.every((part, index) => {
    if (part.type === 'text') return !part.data && (index === 0 || parts[index - 1]?.type !== 'tool-call');
    return part.type === 'tool-call';
  });
  if (isPlain) return undefined;
  return parts.map((part) => (part.type === 'tool-call' ? { type: part.type, id: part.call.id } : part));
}

/** The way back: what the wires lower from. */
export function assistantParts({ content, toolCalls = [], parts }: AssistantContent): AssistantPart[] {
  const calls = new Map(toolCalls.map((call) => [call.id, { type: 'tool-call', call } as const]));
  if (!parts) return [...(content === '' ? [] : [{ type: 'text', text: content } as const]), ...calls.values()];
  return parts.flatMap((part): AssistantPart[] => {
    if (part.type !== 'tool-call') return [part];
    const call = calls.get(part.id);
    return call ? [call] : [];
  });
}
