import { z } from 'zod';
import { type StartedCompletion, startCompletion } from '../chat/complete.ts';
import { PROVIDER_ERRORS } from '../http/completion-schemas.ts';
import { EventStream } from '../http/event-stream.ts';
import { Page } from '../http/page.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { chatContext } from '../http/turn-input.ts';
import { answerHeaders } from './answer-headers.ts';
import { type ResponseEvent, ResponseProjection } from './responses-projection.ts';
import { ResponseBody, toResponseCall } from './responses-schema.ts';

/** Our names of parameters under those of Responses, where they are not alike. */
const NAMES = { maxTokens: 'max_output_tokens', logprobs: 'top_logprobs', responseFormat: 'text.format' };

const Response = z
  .looseObject({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.int().describe('In seconds.'),
    status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
    model: z.string(),
    output: z.array(z.looseObject({ id: z.string(), type: z.enum(['message', 'reasoning', 'function_call']) })),
  })
  .meta({ id: 'OpenAiResponse' });

const Event = z
  .looseObject({ type: z.string(), sequence_number: z.int().describe('From 0.') })
  .meta({ id: 'OpenAiResponseEvent' });

const create = defineRoute({
  method: 'post',
  path: '/v1/responses',
  scope: 'chat',
  tag: 'OpenAI',
  summary: 'One response, whole or streamed, as OpenAI’s Responses',
  description: 'Nothing is stored: the request carries everything.',
  body: ResponseBody,
  response: Response,
  event: Event,
  errors: PROVIDER_ERRORS,
  creates: true,
  handle: async (request) => {
    const { body, signal } = request;
    const { input, warnings } = toResponseCall(body);
    const started = await startCompletion(chatContext(request), input, signal);
    const projection = new ResponseProjection(body, started.ref, started.id);
    const headers = () => answerHeaders(started, warnings, NAMES);
    if (input.stream) return new EventStream(lines(projection, started), { headers: headers() });
    for await (const events of started.events) projection.add(events);
    if (projection.error) throw projection.error;
    projection.end();
    const text = JSON.stringify(projection.response());
    return new Page(text, { 'content-type': 'application/json; charset=utf-8', ...headers() });
  },
});

/** The routes of OpenAI's Responses. */
export const responsesRoutes: readonly Route[] = [create];

async function* lines(projection: ResponseProjection, started: StartedCompletion): AsyncGenerator<string> {
  yield written(projection.begin());
  let cause: unknown;
  try {
    for await (const events of started.events) {
      const made = projection.add(events);
      if (made.length > 0) yield written(made);
    }
  } catch (error) {
    cause = error;
  }
  yield written(projection.end(cause));
}

function written(events: readonly ResponseEvent[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}
