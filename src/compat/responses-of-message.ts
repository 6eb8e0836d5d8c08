import { assistantParts } from '../chat/assistant-parts.ts';
import { assistantBody, resultOf, toolCallsOf, userBody } from '../conversations/stored.ts';
import type { JsonObject } from '../core/json.ts';
import type { ProviderEvent, ProviderType } from '../providers/chat-model.ts';
import type { MessageRow } from '../storage/messages.ts';
import { itemId } from './responses-ids.ts';
import type { ResponseHead } from './responses-object.ts';
import { ResponseProjection } from './responses-projection.ts';
import { customNames } from './responses-tools.ts';

/** The response that a stored answer is. */
export function projectionOf(row: MessageRow, head: Omit<ResponseHead, 'model'>): ResponseProjection {
  const projection = new ResponseProjection(head, originOf(row));
  projection.begin();
  projection.add(answerEvents(row));
  projection.end();
  return projection;
}

/** Whose a stored answer is; of one that a caller brought, what it says itself. */
export function originOf(row: MessageRow): { provider: ProviderType; model: string } {
  const { provider, model = '', parts = [] } = assistantBody(row);
  const brought = parts.flatMap((part) => ('origin' in part && part.origin ? [part.origin] : []))[0];
  return { provider: (provider ?? brought?.provider ?? '') as ProviderType, model: brought?.model ?? model };
}

/** A stored answer as its model gave it, as far as it is stored. */
export function answerEvents(row: MessageRow): ProviderEvent[] {
  const body = assistantBody(row);
  const { sources = [], usage, finishReason } = body;
  return [
    ...sources.map((source): ProviderEvent => ({ type: 'source', source })),
    ...assistantParts({ ...body, toolCalls: toolCallsOf(row) }).map(eventOf),
    ...(usage ? [{ type: 'usage', usage } as const] : []),
    { type: 'finish', reason: finishReason === undefined || finishReason === 'cancelled' ? 'stop' : finishReason },
  ];
}

function eventOf(part: ReturnType<typeof assistantParts>[number]): ProviderEvent {
  if (part.type === 'tool-call') return { type: 'tool-call', call: part.call };
  return { type: part.type, text: part.text, ...(part.data ? { data: part.data } : {}) };
}

/**
 * The items that a stored message is, with the outputs of its calls.
 * @param of what they are named by: the id of the message, or of its response.
 * @param tools as the wire says them again: calls of those that take a text have a form of their own.
 */
export function itemsOf(row: MessageRow, of: string = row.id, tools: unknown = undefined): JsonObject[] {
  if (row.role === 'user') {
    const message = { id: itemId('msg', of, 0), type: 'message', role: 'user', status: 'completed' };
    return [{ ...message, content: userContent(row) }];
  }
  const head = { id: of, createdAt: 0, echo: { tools } };
  const items = projectionOf(row, head).response().output as JsonObject[];
  const calls = toolCallsOf(row);
  const custom = customNames(tools);
  const outputs = row.toolCalls.flatMap((call, index): JsonObject[] => {
    const output = resultOf(call);
    if (output === undefined) return [];
    const id = itemId('fco', of, items.length + index);
    const { id: callId = '', name = '' } = calls[index] ?? {};
    const type = custom.has(name) ? 'custom_tool_call_output' : 'function_call_output';
    return [{ id, type, call_id: callId, output, status: 'completed' }];
  });
  return [...items, ...outputs];
}

function userContent(row: MessageRow): JsonObject[] {
  const { content } = userBody(row);
  if (typeof content === 'string') return [{ type: 'input_text', text: content }];
  return content.map((part): JsonObject => {
    if (part.type === 'text') return { type: 'input_text', text: part.text };
    if (part.type === 'image') return { type: 'input_image', image_url: part.image, detail: 'auto' };
    const { file, filename } = part;
    const named = filename === undefined ? {} : { filename };
    return file.startsWith('data:')
      ? { type: 'input_file', file_data: file, ...named }
      : { type: 'input_file', file_url: file, ...named };
  });
}
