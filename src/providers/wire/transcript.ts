import { createHash } from 'node:crypto';
import type { AssistantPart, Message, Origin, Provenance } from '../chat-model.ts';
import type { ToolCallIds } from '../profiles.ts';

/**
 * A conversation as one provider may see it. Reasoning and opaque data go back only to the provider and model that
 * they came from, since others refuse them; text, tool calls and results always stay. Tool-call ids of others that the
 * target would refuse are replaced, the same one always by the same; its own reasoning may name its own.
 */
export function project(messages: Message[], target: Origin, ids: ToolCallIds | undefined): Message[] {
  const own = new Set<string>();
  for (const message of messages) for (const id of ownCallIds(message, target)) own.add(id);
  const idFor = (id: string): string => (ids && !own.has(id) ? fittingId(id, ids) : id);
  const out: Message[] = [];
  for (const message of messages) {
    if (message.role === 'tool') out.push({ ...message, toolCallId: idFor(message.toolCallId) });
    else if (message.role !== 'assistant') out.push(message);
    else {
      const parts = message.parts.flatMap((part) => projectPart(part, target, idFor));
      if (parts.length > 0) out.push({ role: 'assistant', parts });
    }
  }
  return out;
}

function projectPart(part: AssistantPart, target: Origin, idFor: (id: string) => string): AssistantPart[] {
  switch (part.type) {
    case 'reasoning':
      return isFrom(part, target) ? [part] : [];
    case 'text':
      return [isFrom(part, target) ? part : { type: 'text', text: part.text }];
    case 'tool-call': {
      const { origin: _, data, ...call } = part.call;
      const kept = data && isFrom(part.call, target) ? { data } : {};
      return [{ type: 'tool-call', call: { ...call, id: idFor(call.id), ...kept } }];
    }
  }
}

/** The ids of the calls that the target itself made, as far as the parts say where they came from. */
function ownCallIds(message: Message, target: Origin): string[] {
  if (message.role !== 'assistant') return [];
  const isOwn = message.parts.some((part) => isFrom(part.type === 'tool-call' ? part.call : part, target));
  return isOwn ? message.parts.flatMap((part) => (part.type === 'tool-call' ? [part.call.id] : [])) : [];
}

function isFrom({ origin }: Provenance, target: Origin): boolean {
  return origin?.provider === target.provider && origin.model === target.model;
}

function fittingId(id: string, { pattern, length }: ToolCallIds): string {
  return pattern.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, length);
}
