import type { AssistantPart, Message, ToolCall } from '../chat-model.ts';

/** The text of an assistant's turn. */
export function textOf(parts: readonly AssistantPart[]): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
}

/** The tool calls of an assistant's turn. */
export function callsOf(parts: readonly AssistantPart[]): ToolCall[] {
  return parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));
}

/** All system messages as one text, for wires that have one place for it; '' if there are none. */
export function systemText(messages: readonly Message[]): string {
  return messages.flatMap((message) => (message.role === 'system' ? [message.text] : [])).join('\n\n');
}
