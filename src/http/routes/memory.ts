import { z } from 'zod';
import { compactConversation, undoCompaction, viewMemory } from '../../conversations/compaction.ts';
import { PROVIDER_ERRORS, UsageSchema } from '../completion-schemas.ts';
import { CompactionSchema } from '../conversation-schemas.ts';
import { defineRoute } from '../route.ts';
import { IdParams, ModelName, Time } from '../schemas.ts';
import { conversationContext } from '../turn-input.ts';

const Memory = z
  .object({
    summary: z.string().nullable().describe('Stands in for the messages that are covered.'),
    coveredSeq: z.int().describe('Messages up to this `seq` are not sent; 0: all are.'),
    liveMessages: z.int().describe('Messages that are sent.'),
    tokens: z.int().describe('Estimated, and corrected by the provider’s counts.'),
    contextWindow: z.int(),
    compactions: z
      .array(
        z.object({
          coveredSeq: z.int(),
          originalCount: z.int(),
          compactedCount: z.int(),
          tokensBefore: z.int(),
          tokensAfter: z.int(),
          summary: z.string().nullable(),
          madeBy: z
            .object({ provider: z.string(), model: z.string(), usage: UsageSchema })
            .nullable()
            .describe('Null: there was no summary to be had.'),
          createdAt: Time,
        }),
      )
      .describe('All in force, oldest first; each covers what those before it did.'),
  })
  .meta({ id: 'Memory' });

const COMPACT_PATH = '/api/chat/conversations/{id}/compact';

/** What the model sees of a conversation, and how much of it. */
export const memoryRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/conversations/{id}/memory',
    scope: 'conversations:read',
    tag: 'Conversations',
    summary: 'What the model sees of a conversation',
    params: IdParams,
    response: Memory,
    errors: ['not_found'],
    handle: (request) => viewMemory(conversationContext(request), request.params.id),
  }),
  defineRoute({
    method: 'post',
    path: COMPACT_PATH,
    scope: 'chat',
    tag: 'Conversations',
    summary: 'Summarise the older part of a conversation now',
    description: 'The messages stay; the model sees the summary instead. Null if there is too little to summarise.',
    params: IdParams,
    body: z.strictObject({ model: ModelName.optional().describe('Who makes the summary.') }),
    response: z.object({ compaction: CompactionSchema.nullable() }),
    errors: [...PROVIDER_ERRORS, 'conflict'],
    creates: true,
    handle: async (request) => {
      const { params, body, signal } = request;
      return { compaction: await compactConversation(conversationContext(request), params.id, body, signal) };
    },
  }),
  defineRoute({
    method: 'delete',
    path: COMPACT_PATH,
    scope: 'chat',
    tag: 'Conversations',
    summary: 'Undo the last compaction',
    description: 'The model sees again exactly what it saw before.',
    params: IdParams,
    response: Memory,
    errors: ['not_found', 'conflict'],
    handle: async (request) => {
      const context = conversationContext(request);
      await undoCompaction(context, request.params.id, request.signal);
      return await viewMemory(context, request.params.id);
    },
  }),
];
