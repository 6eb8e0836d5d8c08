import { z } from 'zod';
import { ContentSchema, PartsSchema, ShallowObject } from './messages.ts';
import { Time } from './schemas.ts';

/** A tool call of a stored message, with what became of it. */
const ToolCallRecord = z
  .object({
    id: z.string(),
    name: z.string(),
    arguments: z.record(z.string(), z.unknown()),
    invalidArguments: z.string().optional().describe('What the model wrote, if it was not a JSON object.'),
    result: z.string().nullable(),
    status: z.enum(['pending', 'running', 'success', 'error', 'denied', 'cancelled']),
    duration: z.int().nullable().describe('Milliseconds.'),
    resultId: z
      .string()
      .optional()
      .describe('There if `result` is only the beginning and end; GET /api/chat/tools/results/{id} has all of it.'),
  })
  .meta({ id: 'ToolCallRecord' });

/** A stored message. */
export const MessageSchema = z
  .object({
    id: z.string(),
    conversationId: z.string(),
    seq: z.int().describe('Rises within the conversation, with gaps where messages were deleted.'),
    role: z.enum(['user', 'assistant']),
    content: ContentSchema.describe('As it was sent.'),
    reasoning: z.string().nullable(),
    parts: PartsSchema.optional(),
    sources: z.array(z.object({ url: z.string(), title: z.string().optional() })).optional(),
    model: z.string().nullable(),
    provider: z.string().nullable(),
    tokenUsage: z.object({ prompt: z.int(), completion: z.int(), total: z.int() }).nullable(),
    cost: z.number().nullable().describe('USD; null if the price is not known.'),
    toolCalls: z.array(ToolCallRecord),
    finishReason: z.string().nullable(),
    duration: z.int().nullable().describe('Milliseconds.'),
    status: z
      .enum(['running', 'complete', 'failed'])
      .describe('Of its turn. What is failed is not sent to the model, and can be tried again.'),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe('Why the turn failed.'),
    createdAt: Time,
  })
  .meta({ id: 'ConversationMessage' });

/** A conversation, without its messages. */
export const ConversationSchema = z
  .object({
    id: z.string(),
    title: z.string().describe('Empty until the first message with text.'),
    presetId: z.string(),
    taskId: z.string().nullable(),
    ticketId: z.string().nullable(),
    model: z.string().nullable().describe('Null: the default of the moment.'),
    systemPrompt: z.string().nullable(),
    temperature: z.number().nullable().describe('Of the preset that was applied; null: the model’s own.'),
    maxTokens: z.int().nullable(),
    metadata: z.record(z.string(), z.unknown()).describe('Your own.'),
    createdAt: Time,
    updatedAt: Time,
    messageCount: z.int(),
    usage: z
      .object({
        promptTokens: z.int(),
        completionTokens: z.int(),
        totalTokens: z.int(),
        cost: z.number().nullable().describe('USD; null if no answer had a known price.'),
        unpricedAnswers: z.int().describe('Answers that are not in the cost.'),
      })
      .describe('What was spent in it, summaries and titles included; deleted messages stay counted.'),
  })
  .meta({ id: 'Conversation' });

/** What a compaction did. */
export const CompactionSchema = z
  .object({
    originalCount: z.int().describe('Messages that the model would have seen, a summary being one.'),
    compactedCount: z.int().describe('Messages that it sees now.'),
    tokensReduced: z.int().describe('Estimated.'),
    summary: z.string().nullable().describe('Null: there was none to be had; the oldest messages are left out.'),
  })
  .meta({ id: 'Compaction' });

/** The client's own data. */
export const Metadata = ShallowObject.refine(
  (value) => JSON.stringify(value).length <= 65_536,
  'must be at most 65536 characters of JSON',
);
