import { z } from 'zod';
import { completionOf, startTurn, type TurnInput, type TurnResult } from '../../agent/turn.ts';
import { type Completion, type CompletionInput, finishCompletion, startCompletion } from '../../chat/complete.ts';
import { DEFAULT_PRESET } from '../../chat/presets.ts';
import { PROVIDER_ERRORS, StreamDelta, StreamError, Summary } from '../completion-schemas.ts';
import { completionStream } from '../completion-stream.ts';
import { CompactionSchema } from '../conversation-schemas.ts';
import {
  type InputMessage,
  MessagesSchema,
  PartsSchema,
  strayResults,
  ToolCallSchema,
  ToolChoiceSchema,
  ToolsSchema,
  toMessages,
  toTools,
} from '../messages.ts';
import { ModelParameters, toModelParameters } from '../model-parameters.ts';
import { Page } from '../page.ts';
import { defineRoute, type RouteRequest } from '../route.ts';
import { MaxTokens, ModelName, Temperature, text } from '../schemas.ts';
import { turnStream } from '../turn-answer.ts';
import { chatContext, conversationContext, toGivenTurn } from '../turn-input.ts';
import { warningsHeader } from '../warnings-header.ts';

const Id = text(200);
const SystemPrompt = text(1_000_000);

/** Where a completion with a `conversationId` is kept. */
const InConversation = {
  conversationId: z.string().optional(),
  messageId: z.string().optional().describe('Of the answer, in its conversation.'),
  compaction: CompactionSchema.nullable()
    .optional()
    .describe('What had to be done to make the conversation fit its model.'),
};

const LogprobsSchema = z
  .array(z.looseObject({ token: z.string(), logprob: z.number() }))
  .describe('`{token, logprob, bytes, top_logprobs}` of each token, as OpenAI has them.');

const CompletionSchema = z
  .object({
    ...Summary,
    ...InConversation,
    message: z.object({
      role: z.literal('assistant'),
      content: z.string(),
      toolCalls: z.array(ToolCallSchema).optional(),
      parts: PartsSchema.optional(),
    }),
    reasoning: z.string().optional(),
    logprobs: LogprobsSchema.optional(),
  })
  .meta({ id: 'Completion' });

const StreamEvent = z
  .union([
    ...StreamDelta,
    z.object({ logprobs: LogprobsSchema }),
    z.object({ done: z.literal(true), ...Summary, ...InConversation, parts: PartsSchema.optional() }),
    StreamError,
  ])
  .meta({ id: 'CompletionEvent' });

const CompletionBody = z
  .strictObject({
    messages: MessagesSchema,
    model: ModelName.optional().describe('An id, `provider/model` or an alias; absent: the default.'),
    systemPrompt: SystemPrompt.optional().describe('Stands before the messages.'),
    temperature: Temperature.optional(),
    maxTokens: MaxTokens.optional(),
    ...ModelParameters,
    stream: z.boolean().default(false),
    conversationId: Id.optional().describe('Its history comes before the messages, and the exchange is kept in it.'),
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
    const { toolChoice, tools = [], messages, conversationId } = body;
    // With a conversation they may answer a call of its last message.
    if (conversationId === undefined) {
      for (const stray of strayResults(messages)) context.addIssue({ code: 'custom', ...stray });
    }
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
  scope: 'chat',
  tag: 'Chat',
  summary: 'One answer, whole or streamed',
  body: CompletionBody,
  response: CompletionSchema,
  event: StreamEvent,
  errors: [...PROVIDER_ERRORS, 'conflict'],
  creates: true,
  handle: (request) => {
    const { messages, conversationId, tools, toolChoice, ...rest } = request.body;
    const { model, systemPrompt, temperature, maxTokens, stream, taskId, ticketId, fallbacks } = rest;
    const input = {
      ...{ model, systemPrompt, temperature, maxTokens, stream, taskId, ticketId, fallbacks },
      tools: tools && toTools(tools),
      toolChoice: toToolChoice(toolChoice),
      ...toModelParameters(rest),
    };
    if (conversationId !== undefined) return answerInConversation(request, conversationId, { ...input, messages });
    return answer(request, { ...input, messages: toMessages(messages) });
  },
});

const quick = defineRoute({
  method: 'post',
  path: '/api/chat/quick',
  scope: 'chat',
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
  creates: true,
  handle: async (request) => {
    const { prompt, ...rest } = request.body;
    const messages = toMessages([{ role: 'user', content: prompt }]);
    const started = await startCompletion(chatContext(request), { ...rest, messages, stream: false }, request.signal);
    const { message, ...completion } = await finishCompletion(started);
    return { ...completion, content: message.content };
  },
});

const smart = defineRoute({
  method: 'post',
  path: '/api/chat/smart',
  scope: 'chat',
  tag: 'Chat',
  summary: 'An answer with a preset and the context of a task or ticket',
  body: z
    .strictObject({
      messages: MessagesSchema,
      taskId: Id.optional(),
      ticketId: Id.optional(),
      presetId: Id.default(DEFAULT_PRESET),
      model: ModelName.optional(),
      temperature: Temperature.optional(),
      maxTokens: MaxTokens.optional(),
      stream: z.boolean().default(false),
    })
    .superRefine(({ messages }, context) => {
      for (const stray of strayResults(messages)) context.addIssue({ code: 'custom', ...stray });
    }),
  response: CompletionSchema.omit({ logprobs: true })
    .extend({
      context: z.object({ presetId: z.string(), taskId: z.string().optional(), ticketId: z.string().optional() }),
    })
    .meta({ id: 'SmartCompletion' }),
  event: StreamEvent,
  errors: PROVIDER_ERRORS,
  creates: true,
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
  const started = await startCompletion(chatContext(request), input, request.signal);
  if (input.stream) return completionStream(started, request.requestId, extra);
  return wholeAnswer({ ...(await finishCompletion(started)), ...extra });
}

/** What was left out stands in a header too, where all wires have it. */
function wholeAnswer(completion: Completion): Page {
  return new Page(JSON.stringify(completion), {
    'content-type': 'application/json; charset=utf-8',
    ...warningsHeader(completion.warnings ?? []),
  });
}

/** The same within a conversation, as a turn of it. */
async function answerInConversation(
  request: RouteRequest<unknown, unknown, unknown>,
  conversationId: string,
  { messages, ...input }: Omit<TurnInput, 'begin' | 'system'> & { messages: readonly InputMessage[] },
): Promise<unknown> {
  const { system, ...begin } = toGivenTurn(messages);
  const context = conversationContext(request);
  const turn = await startTurn(context, conversationId, { ...input, system, begin }, request.signal);
  const kept = ({ answer, compaction }: TurnResult) => ({ conversationId, messageId: answer.id, compaction });
  if (input.stream) {
    return turnStream(turn, request.requestId, (result) => {
      const { message, reasoning: _, logprobs: __, ...summary } = completionOf(result);
      return { ...summary, ...(message.parts ? { parts: message.parts } : {}), ...kept(result) };
    });
  }
  const result = 'relay' in turn ? await turn.finished : turn;
  return wholeAnswer({ ...completionOf(result), ...kept(result) });
}

function toToolChoice(choice: string | undefined): CompletionInput['toolChoice'] {
  if (choice === undefined || choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  return { name: choice };
}
