import { z } from 'zod';
import { EXPORT_FORMAT, EXPORT_FORMATS, exportConversation } from '../../conversations/export.ts';
import { forkConversation } from '../../conversations/fork.ts';
import { type ImportedMessage, importConversation } from '../../conversations/import.ts';
import { isStorable } from '../../storage/text.ts';
import { FinishReasonSchema } from '../completion-schemas.ts';
import { ConversationSchema, Metadata } from '../conversation-schemas.ts';
import { Download } from '../event-stream.ts';
import { ContentSchema, misfits, PartsSchema, ToolCallSchema } from '../messages.ts';
import { defineRoute } from '../route.ts';
import { IdParams, MaxTokens, Temperature, text } from '../schemas.ts';
import { conversationContext } from '../turn-input.ts';

const MAX_IMPORTED = 100_000;

const Count = z.int().min(0);
const At = z.iso.datetime().optional();
/** What an export has and an import makes anew. */
const Remade = z
  .object({ id: z.unknown(), conversationId: z.unknown(), seq: z.unknown(), error: z.unknown() })
  .partial().shape;

const ImportedCall = ToolCallSchema.extend({
  result: z.string().nullable().optional(),
  status: z.enum(['pending', 'running', 'success', 'error', 'denied', 'cancelled']).optional(),
  duration: z.int().nullable().optional(),
  resultId: z.unknown().optional().describe('Means nothing here.'),
});

const Status = z.enum(['running', 'complete', 'failed']).default('complete').describe('Only complete ones are kept.');

const ImportedMessageSchema = z.discriminatedUnion('role', [
  z.strictObject({
    ...Remade,
    role: z.literal('user'),
    content: ContentSchema,
    status: Status,
    createdAt: At,
    reasoning: z.null().optional(),
    model: z.null().optional(),
    provider: z.null().optional(),
    tokenUsage: z.null().optional(),
    cost: z.null().optional(),
    finishReason: z.null().optional(),
    duration: z.null().optional(),
    toolCalls: z.array(ImportedCall).max(0, 'a user has none').optional(),
  }),
  z
    .strictObject({
      ...Remade,
      role: z.literal('assistant'),
      content: z.string(),
      status: Status,
      createdAt: At,
      reasoning: z.string().nullable().optional(),
      parts: PartsSchema.optional(),
      sources: z.array(z.strictObject({ url: z.string(), title: z.string().optional() })).optional(),
      model: text(500).nullable().optional(),
      provider: text(100).nullable().optional(),
      tokenUsage: z.strictObject({ prompt: Count, completion: Count, total: Count }).nullable().optional(),
      cost: z.number().min(0).nullable().optional(),
      finishReason: FinishReasonSchema.nullable().optional(),
      duration: Count.nullable().optional(),
      toolCalls: z.array(ImportedCall).default([]),
    })
    .superRefine((message, context) => {
      for (const misfit of misfits(message)) context.addIssue({ code: 'custom', ...misfit });
    }),
]);

const storable = [isStorable, 'must be well-formed Unicode without NUL characters'] as const;

const ImportedConversation = z.object({
  title: z
    .string()
    .max(500)
    .refine(...storable)
    .transform((title) => title || undefined)
    .optional(),
  presetId: text(200).optional(),
  taskId: text(200).nullable().optional(),
  ticketId: text(200).nullable().optional(),
  model: text(300)
    .refine(...storable)
    .nullable()
    .optional()
    .describe('Null: the default of the moment; absent: the preset’s.'),
  systemPrompt: text(1_000_000)
    .refine(...storable)
    .nullable()
    .optional()
    .describe('Null: none; absent: the preset’s.'),
  temperature: Temperature.nullable().optional(),
  maxTokens: MaxTokens.nullable().optional(),
  metadata: Metadata.optional(),
});

const One = z.object({ conversation: ConversationSchema });

/** Conversations as a whole: fork, export, import. */
export const transferRoutes = [
  defineRoute({
    method: 'post',
    path: '/api/chat/conversations/{id}/fork',
    scope: 'chat',
    tag: 'Conversations',
    summary: 'Copy a conversation, up to a message or all of it',
    params: IdParams,
    body: z.strictObject({ messageId: text(200).optional().describe('The last message to be copied.') }),
    status: 201,
    response: One,
    errors: ['not_found', 'conflict'],
    creates: true,
    handle: async (request) => ({
      conversation: await forkConversation(conversationContext(request), request.params.id, request.body.messageId),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/chat/conversations/{id}/export',
    scope: 'conversations:read',
    tag: 'Conversations',
    summary: 'A whole conversation as JSON, which can be imported, or as Markdown',
    params: IdParams,
    query: z.strictObject({ format: z.enum(EXPORT_FORMATS).default('json') }),
    response: z.object({
      format: z.literal(EXPORT_FORMAT),
      version: z.literal(1),
      conversation: ConversationSchema,
      messages: z.array(z.unknown()),
    }),
    errors: ['not_found'],
    handle: async (request) => {
      const { params, query } = request;
      const chunks = await exportConversation(conversationContext(request), params.id, query.format);
      const [type, ending] = query.format === 'json' ? ['application/json', 'json'] : ['text/markdown', 'md'];
      return new Download(chunks, `${type}; charset=utf-8`, `${params.id}.${ending}`);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/conversations/import',
    scope: 'chat',
    tag: 'Conversations',
    summary: 'Store a conversation that was exported, under new ids',
    description:
      'Messages that are not complete are left out, and so are links to presets, tasks and tickets that are not here.',
    body: z.strictObject({
      format: z.literal(EXPORT_FORMAT).optional(),
      version: z.literal(1).optional(),
      conversation: ImportedConversation.default({}),
      messages: z.array(ImportedMessageSchema).max(MAX_IMPORTED),
    }),
    status: 201,
    response: One,
    errors: ['conflict'],
    creates: true,
    handle: async (request) => {
      const { conversation, messages } = request.body;
      const complete = messages.filter(({ status }) => status === 'complete').map(toImported);
      const { taskId, ticketId, ...rest } = conversation;
      const fields = { ...rest, ...given({ taskId, ticketId }) };
      return { conversation: await importConversation(conversationContext(request), fields, complete) };
    },
  }),
];

function toImported(message: z.output<typeof ImportedMessageSchema>): ImportedMessage {
  const { toolCalls = [], status: _, id: _id, conversationId, seq, error, ...fields } = message;
  return {
    ...given(fields),
    toolCalls: toolCalls.map(({ resultId: _kept, ...call }) => given(call)),
  } as ImportedMessage;
}

/** The fields that have a value. */
function given<T extends object>(fields: T): { [Name in keyof T]?: NonNullable<T[Name]> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept) as { [Name in keyof T]?: NonNullable<T[Name]> };
}
