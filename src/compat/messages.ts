import { z } from 'zod';
import { startCompletion } from '../chat/complete.ts';
import { likelyInput } from '../chat/request-tokens.ts';
import { AppError } from '../errors.ts';
import { PROVIDER_ERRORS } from '../http/completion-schemas.ts';
import { EventStream } from '../http/event-stream.ts';
import { Page } from '../http/page.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { chatContext } from '../http/turn-input.ts';
import { chooseModel } from '../providers/choose.ts';
import { answerHeaders } from './answer-headers.ts';
import { toCompletionInput, toPrompt } from './messages-input.ts';
import { wholeMessage } from './messages-output.ts';
import { CountTokensBody, MessageResponse, MessagesBody, MessagesQuery } from './messages-schema.ts';
import { messageEvents } from './messages-stream.ts';

/** Our names of parameters under Anthropic's, where they are not alike. */
const NAMES: Readonly<Record<string, string>> = {
  stop: 'stop_sequences',
  parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
  responseFormat: 'output_config.format',
  effort: 'output_config.effort',
};

const messages = defineRoute({
  method: 'post',
  path: '/v1/messages',
  scope: 'chat',
  tag: 'Anthropic',
  summary: 'One answer, as Anthropic’s Messages API gives it',
  description: 'For clients of that API: any model of this server, whole or streamed. Nothing is kept.',
  query: MessagesQuery,
  body: MessagesBody,
  response: MessageResponse,
  event: z.looseObject({ type: z.string() }),
  errors: PROVIDER_ERRORS,
  creates: true,
  handle: async (request) => {
    const { body, services, signal, newId } = request;
    if (body.thread) throw threadRefused();
    const target = await chooseModel(services.providers, body.model);
    const { input, warnings } = toCompletionInput(body, target);
    const started = await startCompletion(chatContext(request), input, signal);
    const id = newId('msg');
    const headers = () => answerHeaders(started, warnings, NAMES);
    if (input.stream) return new EventStream(messageEvents(started, id, request), { headers: headers() });
    const message = await wholeMessage(started, id);
    return new Page(JSON.stringify(message), { ...headers(), 'content-type': 'application/json; charset=utf-8' });
  },
});

const countTokens = defineRoute({
  method: 'post',
  path: '/v1/messages/count_tokens',
  scope: 'chat',
  tag: 'Anthropic',
  summary: 'About how many tokens a request has',
  description: 'An estimate of our own, rather too high than too low; no provider is asked.',
  query: MessagesQuery,
  body: CountTokensBody,
  response: z.object({ input_tokens: z.int() }),
  errors: ['model_not_found', 'provider_not_configured'],
  handle: async ({ body, services }) => {
    const target = await chooseModel(services.providers, body.model);
    return { input_tokens: likelyInput(toPrompt(body, target)) };
  },
});

/** Anthropic's Messages API. */
export const messagesRoutes: readonly Route[] = [messages, countTokens];

/** What Anthropic's client takes for the order to go on with whole conversations (`continue_unthreaded`). */
function threadRefused(): AppError {
  const wire = { error_code: 'thread_unsupported_request', unsupported: ['thread'] };
  return new AppError('invalid_request', 'thread: no conversations are kept here; send all messages each time', {
    details: { wire },
  });
}
