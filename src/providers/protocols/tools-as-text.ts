import type { AssistantPart, Message, ToolCall } from '../chat-model.ts';
import { callsOf, textOf } from './message-parts.ts';

/**
 * A conversation for a model that takes no tools: calls become what the assistant said, results what the user said, so
 * that nothing of them is lost.
 */
export function toolsAsText(messages: Message[]): Message[] {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? callsOf(message.parts) : []));
  return messages.map((message): Message => {
    if (message.role === 'assistant') return { role: 'assistant', parts: asText(message.parts) };
    if (message.role !== 'tool') return message;
    const text = `Result of ${callName(message, calls)}: ${message.text}`;
    return { role: 'user', parts: [{ type: 'text', text }] };
  });
}

function asText(parts: AssistantPart[]): AssistantPart[] {
  const called = callsOf(parts).map((call) => `Called tool ${call.name} with ${written(call)}`);
  const text = [textOf(parts), ...called].filter((line) => line !== '').join('\n\n');
  return [{ type: 'text', text }];
}

/** The tool's name, with the arguments if it was called more than once: results have no ids any more. */
function callName({ toolCallId, toolName }: Extract<Message, { role: 'tool' }>, calls: ToolCall[]): string {
  const call = calls.find(({ id }) => id === toolCallId);
  if (!call) return toolName;
  const isOnly = calls.filter(({ name }) => name === call.name).length === 1;
  return isOnly ? call.name : `${call.name} with ${written(call)}`;
}

function written(call: ToolCall): string {
  return call.invalidArguments ?? JSON.stringify(call.arguments);
}
