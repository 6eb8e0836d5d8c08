import type { CallItem, StepItem, StepState } from '../../../src/client/run-state.ts';
import type { Message } from '../../../src/client/types.ts';

/** A stored answer in the form in which a live one is told. */
export function stepOf(message: Message): StepState {
  return {
    step: 1,
    items: itemsOf(message),
    duration: message.duration ?? 0,
    finishReason: message.finishReason ?? undefined,
    messageId: message.id,
    startedAt: Date.parse(message.createdAt) - (message.duration ?? 0),
  };
}

function itemsOf({ content, reasoning, parts, toolCalls }: Message): StepItem[] {
  const calls = new Map(toolCalls.map((call) => [call.id, callItem(call)]));
  const items: StepItem[] = [];
  for (const part of parts ?? []) {
    if (part.type === 'tool-call') {
      const call = calls.get(part.id);
      if (call) items.push(call);
    } else if (part.text !== '') add(items, part.type, part.text);
  }
  if (items.some(({ type }) => type !== 'reasoning') || !hasOther(content, toolCalls))
    return withReasoning(items, reasoning);
  const text =
    typeof content === 'string' ? content : content.flatMap((part) => ('text' in part ? part.text : [])).join('');
  if (text !== '') items.push({ type: 'text', text });
  items.push(...calls.values());
  return withReasoning(items, reasoning);
}

function hasOther(content: Message['content'], calls: Message['toolCalls']): boolean {
  return content.length > 0 || calls.length > 0;
}

function withReasoning(items: StepItem[], reasoning: string | null): StepItem[] {
  if (!reasoning || items.some(({ type }) => type === 'reasoning')) return items;
  return [{ type: 'reasoning', text: reasoning, duration: undefined }, ...items];
}

/** Pieces that follow each other are one, as they are live. */
function add(items: StepItem[], type: 'text' | 'reasoning', text: string): void {
  const last = items.at(-1);
  if (last?.type === type) items[items.length - 1] = { ...last, text: last.text + text };
  else items.push(type === 'text' ? { type, text } : { type, text, duration: undefined });
}

function callItem({
  id,
  name,
  arguments: given,
  result,
  status,
  duration,
  resultId,
}: Message['toolCalls'][number]): CallItem {
  return {
    type: 'call',
    id,
    name,
    arguments: given,
    status: status === 'pending' ? 'running' : status,
    progress: '',
    result: result ?? undefined,
    resultId,
    duration: duration ?? undefined,
  };
}
