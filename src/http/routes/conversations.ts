import { z } from 'zod';
import { cancelRunOf } from '../../agent/cancel-run.ts';
import { beginConversation, changeConversation } from '../../conversations/create.ts';
import { deleteConversation } from '../../conversations/delete.ts';
import { toConversation, toMessage } from '../../conversations/stored.ts';
import { NotFoundError } from '../../errors.ts';
import { listConversations } from '../../storage/conversation-list.ts';
import { getConversation } from '../../storage/conversations.ts';
import { lastMessages } from '../../storage/messages.ts';
import { ticketIdOf } from '../../storage/tickets.ts';
import { ConversationSchema, MessageSchema, Metadata } from '../conversation-schemas.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, IdParams, MaxTokens, ModelName, Paging, Temperature, text } from '../schemas.ts';
import { agentContext, conversationContext } from '../turn-input.ts';

const Id = text(200);
const Title = text(500);
const SystemPrompt = text(1_000_000);

/** Characters of messages that one page holds at most; one message always comes. */
const MAX_PAGE_SIZE = 16 * 1024 ** 2;
const MAX_PAGE = 1000;

const One = z.object({ conversation: ConversationSchema });

/** Conversations themselves: list, create, read, change, delete. */
export const conversationRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/conversations',
    scope: 'conversations:read',
    tag: 'Conversations',
    summary: 'Conversations, the one with the newest activity first',
    query: z
      .strictObject({
        ...Paging,
        cursor: z.string().max(500).optional().describe('The nextCursor of the page before.'),
        taskId: Id.optional(),
        ticketId: Id.optional().describe('An id or a key.'),
        q: text(200).optional().describe('Words, or their beginnings, that the title or one message has, all of them.'),
      })
      .refine((query) => query.cursor === undefined || query.offset === 0, {
        path: ['offset'],
        error: 'must not be given together with a cursor',
      }),
    response: z.object({
      conversations: z.array(ConversationSchema),
      total: z.int(),
      nextCursor: z.string().nullable().describe('Null at the end.'),
    }),
    handle: async ({ services, owner, query }) => {
      const { db } = services.database;
      const ticketId = query.ticketId === undefined ? undefined : await ticketIdOf(db, owner, query.ticketId);
      const { rows, total, nextCursor } = await listConversations(db, owner, { ...query, ticketId });
      return { conversations: rows.map(toConversation), total, nextCursor };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/conversations',
    scope: 'chat',
    tag: 'Conversations',
    summary: 'Begin a conversation',
    body: z.strictObject({
      title: Title.optional().describe('Absent: made of the first message.'),
      presetId: Id.optional().describe('Applied now: later changes of the preset change nothing here.'),
      taskId: Id.optional(),
      ticketId: Id.optional().describe('An id or a key.'),
      model: ModelName.optional(),
      systemPrompt: SystemPrompt.nullable().optional().describe('Instead of the preset’s; null: none.'),
      temperature: Temperature.optional(),
      maxTokens: MaxTokens.optional(),
      metadata: Metadata.optional(),
    }),
    status: 201,
    response: One,
    errors: ['not_found', 'model_not_found', 'provider_not_configured'],
    creates: true,
    handle: async (request) => ({
      conversation: await beginConversation(conversationContext(request), request.body),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/chat/conversations/{id}',
    scope: 'conversations:read',
    tag: 'Conversations',
    summary: 'Read a conversation with its last messages, oldest first',
    params: IdParams,
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
      before: z.coerce.number().int().min(1).optional().describe('Only messages before this `seq`.'),
    }),
    response: z.object({
      conversation: ConversationSchema,
      messages: z.array(MessageSchema),
      hasMore: z.boolean().describe('There are messages before these: ask again with `before`.'),
      nextBefore: z.int().nullable(),
    }),
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id }, query: { limit, before } }) => {
      const { db } = services.database;
      const conversation = await getConversation(db, owner, id);
      if (!conversation) throw new NotFoundError('Conversation', id);
      const range = { owner, conversation: conversation.number, ...(before === undefined ? {} : { before }) };
      const { rows, hasMore } = await lastMessages(db, range, { limit, maxSize: MAX_PAGE_SIZE });
      return {
        conversation: toConversation(conversation),
        messages: rows.map((row) => toMessage(id, row)),
        hasMore,
        nextBefore: hasMore ? (rows[0]?.seq ?? null) : null,
      };
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/api/chat/conversations/{id}',
    scope: 'chat',
    tag: 'Conversations',
    summary: 'Change a conversation; what is not given stays',
    params: IdParams,
    body: z.strictObject({
      title: Title.optional(),
      presetId: Id.optional().describe('Applied now, with its prompt and model, before what else is given.'),
      model: ModelName.nullable().optional(),
      systemPrompt: SystemPrompt.nullable().optional(),
      temperature: Temperature.nullable().optional(),
      maxTokens: MaxTokens.nullable().optional(),
      metadata: Metadata.optional().describe('In place of all there was.'),
    }),
    response: One,
    errors: ['not_found', 'model_not_found', 'provider_not_configured'],
    handle: async (request) => ({
      conversation: await changeConversation(conversationContext(request), request.params.id, request.body),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/chat/conversations/{id}',
    scope: 'chat',
    audit: { action: 'conversation.delete', target: ({ params }) => params.id },
    tag: 'Conversations',
    summary: 'Delete a conversation with everything in it',
    description: 'A message that is being answered is stopped first.',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async (request) => {
      const { id } = request.params;
      await cancelRunOf(agentContext(request), id);
      await deleteConversation(conversationContext(request), id);
      return { message: 'Conversation deleted' };
    },
  }),
];
