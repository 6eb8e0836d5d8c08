import { z } from 'zod';
import { startCompletion } from '../chat/complete.ts';
import { PROVIDER_ERRORS } from '../http/completion-schemas.ts';
import { EventStream, QUIET_MS } from '../http/event-stream.ts';
import { defineRoute } from '../http/route.ts';
import { chatContext } from '../http/turn-input.ts';
import { answerHeaders } from './answer-headers.ts';
import { answerChunks, wholeAnswer } from './chat-completions-answer.ts';
import { ChatCompletionBody, toCompletionInput } from './chat-completions-schemas.ts';

const ToolCalls = z.array(
  z.object({
    id: z.string(),
    type: z.literal('function'),
    function: z.object({ name: z.string(), arguments: z.string() }),
    extra_content: z.looseObject({}).optional().describe('To be sent back as it came.'),
  }),
);

const Usage = z.object({
  prompt_tokens: z.int().describe('Cached ones too.'),
  completion_tokens: z.int().describe('Reasoning too.'),
  total_tokens: z.int(),
  prompt_tokens_details: z.object({ cached_tokens: z.int(), cache_write_tokens: z.int().optional() }),
  completion_tokens_details: z.object({ reasoning_tokens: z.int() }),
});

const Logprobs = z.object({ content: z.array(z.looseObject({})), refusal: z.null() }).nullable();
const FinishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'error']);

const ChatCompletion = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.literal(0),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.null(),
          reasoning_content: z.string().optional(),
          tool_calls: ToolCalls.optional(),
          extra_content: z.looseObject({}).optional().describe('To be sent back as it came.'),
        }),
        logprobs: Logprobs,
        finish_reason: FinishReason,
      }),
    ),
    usage: Usage,
  })
  .meta({ id: 'ChatCompletion' });

const ChatCompletionChunk = z
  .union([
    z.object({
      id: z.string(),
      object: z.literal('chat.completion.chunk'),
      created: z.int(),
      model: z.string(),
      choices: z.array(
        z.object({
          index: z.literal(0),
          delta: z.looseObject({}).describe('A piece of the message.'),
          logprobs: Logprobs,
          finish_reason: FinishReason.nullable(),
        }),
      ),
      usage: Usage.optional(),
    }),
    z.object({ error: z.object({ message: z.string(), type: z.string() }) }),
  ])
  .meta({ id: 'ChatCompletionChunk' });

/** OpenAI's chat completions. @see https://platform.openai.com/docs/api-reference/chat */
export const chatCompletionRoutes = [
  defineRoute({
    method: 'post',
    path: '/v1/chat/completions',
    scope: 'chat',
    tag: 'OpenAI',
    summary: 'A chat completion for clients of OpenAI’s API',
    body: ChatCompletionBody,
    response: ChatCompletion,
    event: ChatCompletionChunk,
    errors: PROVIDER_ERRORS,
    creates: true,
    handle: async (request) => {
      const { body, wire, requestId, signal } = request;
      const { input, warnings } = toCompletionInput(body);
      const started = await startCompletion(chatContext(request), input, signal);
      const headers = () => answerHeaders(started, warnings);
      if (!input.stream) return await wholeAnswer(started, headers);
      const includeUsage = body.stream_options?.include_usage ?? false;
      return new EventStream(answerChunks(started, { includeUsage, wire, requestId }), {
        headers: headers(),
        quietMs: QUIET_MS,
      });
    },
  }),
];
