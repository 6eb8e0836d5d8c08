import { z } from 'zod';
import { ToolCallSchema } from './messages.ts';

/** What may go wrong wherever a model is asked. */
export const PROVIDER_ERRORS = [
  'provider_rejected',
  'context_length_exceeded',
  'content_filtered',
  'not_found',
  'model_not_found',
  'provider_rate_limited',
  'provider_auth',
  'provider_unavailable',
  'provider_protocol',
  'provider_not_configured',
  'provider_timeout',
] as const;

/** Tokens of an answer and what they cost. */
export const UsageSchema = z
  .object({
    promptTokens: z.int(),
    completionTokens: z.int(),
    totalTokens: z.int(),
    cachedTokens: z.int().optional(),
    cacheWriteTokens: z.int().optional(),
    reasoningTokens: z.int().optional(),
    cost: z.number().nullable().describe('USD; null if the price is not known.'),
  })
  .meta({ id: 'Usage' });

/** Why an answer ended. */
export const FinishReasonSchema = z.enum([
  'stop',
  'length',
  'content-filter',
  'tool-calls',
  'approval-required',
  'error',
  'cancelled',
]);

/** What became of one model. */
export const AttemptSchema = z
  .object({
    provider: z.string(),
    model: z.string(),
    status: z.enum(['answered', 'failed', 'skipped']),
    code: z.string().optional().describe('Why it failed, or last failed before it was skipped.'),
    error: z.string().optional(),
    duration: z.int().describe('Milliseconds.'),
  })
  .meta({ id: 'Attempt' });

/** What every answer says about itself. */
export const Summary = {
  id: z.string(),
  provider: z.string(),
  model: z.string(),
  finishReason: FinishReasonSchema,
  usage: UsageSchema,
  duration: z.int().describe('Milliseconds.'),
  sources: z
    .array(z.object({ url: z.string(), title: z.string().optional() }))
    .optional()
    .describe('The pages that the answer rests on, if the provider names them.'),
  warnings: z.array(z.string()).optional().describe('One sentence for each parameter that the model does not take.'),
  attempts: z
    .array(AttemptSchema)
    .optional()
    .describe('What became of each model, in order, if more than one was tried or skipped.'),
};

/** The pieces of a streamed answer. */
export const StreamDelta = [
  z.object({ content: z.string() }),
  z.object({ reasoning: z.string() }),
  z.object({ toolCall: ToolCallSchema }),
] as const;

/** The last event of a stream that breaks off. */
export const StreamError = z.object({
  done: z.literal(true),
  partial: z.literal(true),
  error: z.string(),
  code: z.string(),
  requestId: z.string(),
  details: z.record(z.string(), z.unknown()).optional().describe('`attempts`, if there were several.'),
});
