import { z } from 'zod';
import { cancelRunOf } from '../agent/cancel-run.ts';
import type { AgentContext } from '../agent/context.ts';
import type { GivenMessage } from '../conversations/begin-turn.ts';
import { changeConversation } from '../conversations/create.ts';
import { deleteConversation } from '../conversations/delete.ts';
import { type ImportedMessage, importConversation } from '../conversations/import.ts';
import { type Conversation, toConversation } from '../conversations/stored.ts';
import type { JsonObject } from '../core/json.ts';
import { InvalidRequestError } from '../errors.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { text } from '../http/schemas.ts';
import { agentContext } from '../http/turn-input.ts';
import { toGiven } from './responses-given.ts';
import { itemPage } from './responses-input-items.ts';
import { ResponseInput, strayOutputs, toResponseMessages } from './responses-items.ts';
import { requireConversation } from './responses-place.ts';
import { resolveInput } from './responses-references.ts';
import { ItemList, ItemQuery } from './responses-schema.ts';

/** Nothing of a preset: the model is sent what requests say. */
const UNSET = { model: null, temperature: null, maxTokens: null };

const Metadata = z.record(z.string().max(64), z.string().max(512));
const Body = z
  .object({
    id: z.string(),
    object: z.literal('conversation'),
    created_at: z.int().describe('In seconds.'),
    metadata: z.looseObject({}),
  })
  .meta({ id: 'OpenAiConversation' });

const common = { tag: 'OpenAI', errors: ['not_found'] } as const;
const named = { ...common, params: z.object({ id: text(500) }) } as const;

/** The routes of OpenAI's conversations. @see https://platform.openai.com/docs/api-reference/conversations */
export const openAiConversationRoutes: readonly Route[] = [
  defineRoute({
    ...common,
    method: 'post',
    path: '/v1/conversations',
    scope: 'chat',
    summary: 'A new conversation, for responses to be turns of',
    body: z.strictObject({ metadata: Metadata.nullish(), items: ResponseInput.nullish() }),
    response: Body,
    creates: true,
    handle: async (request) => {
      const context = agentContext(request);
      const { items, metadata } = request.body;
      const { messages, system } = await broughtBy(context, items);
      const systemPrompt = system.length > 0 ? system.join('\n\n') : null;
      const fields = { ...UNSET, systemPrompt, metadata: metadata ?? {} };
      return shown(await importConversation(context, fields, messages.map(toImported)));
    },
  }),
  defineRoute({
    ...named,
    method: 'get',
    path: '/v1/conversations/{id}',
    scope: 'conversations:read',
    summary: 'A conversation, as OpenAI’s clients know it',
    response: Body,
    handle: async (request) =>
      shown(toConversation(await requireConversation(agentContext(request), request.params.id))),
  }),
  defineRoute({
    ...named,
    method: 'post',
    path: '/v1/conversations/{id}',
    scope: 'chat',
    summary: 'Change the metadata of a conversation',
    body: z.strictObject({ metadata: Metadata }),
    response: Body,
    handle: async (request) => shown(await changeConversation(agentContext(request), request.params.id, request.body)),
  }),
  defineRoute({
    ...named,
    method: 'delete',
    path: '/v1/conversations/{id}',
    scope: 'chat',
    summary: 'Delete a conversation with everything in it',
    audit: { action: 'conversation.delete', target: ({ params }) => params.id },
    response: z.object({ id: z.string(), object: z.literal('conversation.deleted'), deleted: z.literal(true) }),
    handle: async (request) => {
      const context = agentContext(request);
      const { id } = request.params;
      await cancelRunOf(context, id);
      await deleteConversation(context, id);
      return { id, object: 'conversation.deleted', deleted: true };
    },
  }),
  defineRoute({
    ...named,
    method: 'get',
    path: '/v1/conversations/{id}/items',
    scope: 'conversations:read',
    summary: 'What was said in a conversation',
    query: ItemQuery,
    response: ItemList,
    handle: async (request) => {
      const context = agentContext(request);
      const { number } = await requireConversation(context, request.params.id);
      return await itemPage(context, { conversation: number }, request.query);
    },
  }),
];

async function broughtBy(
  context: AgentContext,
  given: z.output<typeof ResponseInput> | null | undefined,
): Promise<{ messages: readonly GivenMessage[]; system: readonly string[] }> {
  if (!given) return { messages: [], system: [] };
  const { items } = await resolveInput(context, given);
  const stray = strayOutputs(items);
  if (stray.length > 0) throw new InvalidRequestError(stray);
  return toGiven(toResponseMessages(items));
}

function toImported(message: GivenMessage): ImportedMessage {
  if (message.role === 'user') return message;
  const { content, reasoning, parts } = message.body;
  const toolCalls = message.calls.map(({ call, result }) => ({ ...call, result }));
  return { role: 'assistant', content, reasoning, parts, toolCalls };
}

function shown({ id, createdAt, metadata }: Conversation): JsonObject {
  return { id, object: 'conversation', created_at: Math.floor(Date.parse(createdAt) / 1000), metadata };
}
