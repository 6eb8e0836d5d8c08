import { z } from 'zod';
import { type ChatContext, type CompletionInput, finishCompletion, startCompletion } from '../../chat/complete.ts';
import { DEFAULT_PRESET } from '../../chat/presets.ts';
import { completionStream } from '../completion-stream.ts';
import {
  MessagesSchema,
  PartsSchema,
  ToolCallSchema,
  ToolChoiceSchema,
  ToolsSchema,
  toMessages,
  toTools,
} from '../messages.ts';
import { defineRoute, type RouteRequest } from '../route.ts';
import { MaxTokens, ModelName, Temperature, text } from '../schemas.ts';

const PROVIDER_ERRORS = [
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

const Id = text(200);
const SystemPrompt = text(1_000_000);

const Usage = z
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

const FinishReason = z.enum([
  'stop',
  'length',
  'content-filter',
  'tool-calls',
  'approval-required',
  'error',
  'cancelled',
]);

const Attempt = z
  .object({
    provider: z.string(),
    model: z.string(),
    status: z.enum(['answered', 'failed', 'skipped']),
    code: z.string().optional().describe('Why it failed, or last failed before it was skipped.'),
    error: z.string().optional(),
    duration: z.int().describe('Milliseconds.'),
  })
  .meta({ id: 'Attempt' });

const Summary = {
  id: z.string(),
  provider: z.string(),
  model: z.string(),
  finishReason: FinishReason,
  usage: Usage,
  duration: z.int().describe('Milliseconds.'),
  sources: z
    .array(z.object({ url: z.string(), title: z.string().optional() }))
    .optional()
    .describe('The pages that the answer rests on, if the provider names them.'),
  warnings: z.array(z.string()).optional().describe('One sentence for each parameter that the model does not take.'),
  attempts: z
    .array(Attempt)
    .optional()
    .describe('What became of each model, in order, if more than one was tried or skipped.'),
};

const Completion = z
  .object({
    ...Summary,
    message: z.object({
      role: z.literal('assistant'),
      content: z.string(),
      toolCalls: z.array(ToolCallSchema).optional(),
      parts: PartsSchema.optional(),
    }),
    reasoning: z.string().optional(),
  })
  .meta({ id: 'Completion' });

const StreamEvent = z
  .union([
    z.object({ content: z.string() }),
    z.object({ reasoning: z.string() }),
    z.object({ toolCall: ToolCallSchema }),
    z.object({ done: z.literal(true), ...Summary, parts: PartsSchema.optional() }),
    z.object({
      done: z.literal(true),
      partial: z.literal(true),
      error: z.string(),
      code: z.string(),
      requestId: z.string(),
      details: z.record(z.string(), z.unknown()).optional().describe('`attempts`, if there were several.'),
    }),
  ])
  .meta({ id: 'CompletionEvent' });

const CompletionBody = z
  .strictObject({
    messages: MessagesSchema,
    model: ModelName.optional().describe('An id, `provider/model` or an alias; absent: the default.'),
    systemPrompt: SystemPrompt.optional().describe('Stands before the messages.'),
    temperature: Temperature.optional(),
    maxTokens: MaxTokens.optional(),
    stream: z.boolean().default(false),
    conversationId: Id.optional(),
    taskId: Id.optional().describe('Puts this task into the prompt, as data.'),
    ticketId: Id.optional().describe('Puts this ticket (id or key) into the prompt, as data.'),
    tools: ToolsSchema.optional().describe('Your own tools; calls come back to you.'),
    toolChoice: ToolChoiceSchema.optional(),
    fallbacks: z
      .array(ModelName)
      .max(10)
      .optional()
      .describe('Models tried in order if the one before fails before its first byte or is cooling down.'),
  })
  .superRefine((body, context) => {
    const { toolChoice, tools = [] } = body;
    const known =
      toolChoice === undefined ||
      ['auto', 'none', 'required'].includes(toolChoice) ||
      tools.some((tool) => tool.name === toolChoice);
    if (!known)
      context.addIssue({
        code: 'custom',
        path: ['toolChoice'],
        message: 'must be auto, none, required or the name of one of the tools',
      });
    if (toolChoice === 'required' && tools.length === 0) {
      context.addIssue({ code: 'custom', path: ['toolChoice'], message: 'required needs tools' });
    }
  });

const completions = defineRoute({
  method: 'post',
  path: '/api/chat/completions',
  tag: 'Chat',
  summary: 'One answer, whole or streamed',
  body: CompletionBody,
  response: Completion,
  event: StreamEvent,
  errors: PROVIDER_ERRORS,
  handle: (request) => {
    const { messages, tools, toolChoice, ...rest } = request.body;
    return answer(request, {
      ...rest,
      messages: toMessages(messages),
      tools: tools && toTools(tools),
      toolChoice: toToolChoice(toolChoice),
    });
  },
});

const quick = defineRoute({
  method: 'post',
  path: '/api/chat/quick',
  tag: 'Chat',
  summary: 'One prompt, one answer',
  body: z.strictObject({
    prompt: text(10_000_000),
    model: ModelName.optional(),
    systemPrompt: SystemPrompt.optional(),
    temperature: Temperature.optional(),
    maxTokens: MaxTokens.optional(),
  }),
  response: z.object({ ...Summary, content: z.string(), reasoning: z.string().optional() }),
  errors: PROVIDER_ERRORS,
  handle: async (request) => {
    const { prompt, ...rest } = request.body;
    const messages = toMessages([{ role: 'user', content: prompt }]);
    const started = await startCompletion(contextOf(request), { ...rest, messages, stream: false }, request.signal);
    const { message, ...completion } = await finishCompletion(started);
    return { ...completion, content: message.content };
  },
});

const smart = defineRoute({
  method: 'post',
  path: '/api/chat/smart',
  tag: 'Chat',
  summary: 'An answer with a preset and the context of a task or ticket',
  body: z.strictObject({
    messages: MessagesSchema,
    taskId: Id.optional(),
    ticketId: Id.optional(),
    presetId: Id.default(DEFAULT_PRESET),
    model: ModelName.optional(),
    temperature: Temperature.optional(),
    maxTokens: MaxTokens.optional(),
    stream: z.boolean().default(false),
  }),
  response: Completion.extend({
    context: z.object({ presetId: z.string(), taskId: z.string().optional(), ticketId: z.string().optional() }),
  }).meta({ id: 'SmartCompletion' }),
  event: StreamEvent,
  errors: PROVIDER_ERRORS,
  handle: async (request) => {
    const { messages, ...rest } = request.body;
    const { presetId, taskId, ticketId } = rest;
    const context = {
      presetId,
      ...(taskId === undefined ? {} : { taskId }),
      ...(ticketId === undefined ? {} : { ticketId }),
    };
    return await answer(request, { ...rest, messages: toMessages(messages) }, { context });
  },
});

/** The routes of single calls. */
export const completionRoutes = [completions, quick, smart];

async function answer(
  request: RouteRequest<unknown, unknown, unknown>,
  input: CompletionInput,
  extra: object = {},
): Promise<unknown> {
  const started = await startCompletion(contextOf(request), input, request.signal);
  if (input.stream) return completionStream(started, request.requestId, extra);
  return { ...(await finishCompletion(started)), ...extra };
}

function contextOf({ services, owner }: RouteRequest<unknown, unknown, unknown>): ChatContext {
  return { db: services.database.db, providers: services.providers, owner };
}

function toToolChoice(choice: string | undefined): CompletionInput['toolChoice'] {
  if (choice === undefined || choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  return { name: choice };
}
