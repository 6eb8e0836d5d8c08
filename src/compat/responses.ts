import { z } from 'zod';
import { PROVIDER_ERRORS } from '../http/completion-schemas.ts';
import { EventStream, QUIET_MS } from '../http/event-stream.ts';
import { Page } from '../http/page.ts';
import { defineRoute, type Route, type RouteRequest } from '../http/route.ts';
import { text } from '../http/schemas.ts';
import { agentContext } from '../http/turn-input.ts';
import { answerHeaders } from './answer-headers.ts';
import { backgroundEvents } from './responses-background.ts';
import { cancelResponse, forgetResponse } from './responses-end.ts';
import { inputItems } from './responses-input-items.ts';
import { keptResponse, readResponse } from './responses-kept.ts';
import { ResponseProjection } from './responses-projection.ts';
import { resolveInput } from './responses-references.ts';
import { Includes, ItemList, ItemQuery, omissions, ResponseBody } from './responses-schema.ts';
import { backgroundLines, responseLines } from './responses-stream.ts';
import { type StartedResponse, startInBackground, startStored, startUnstored } from './responses-turn.ts';

/** Our names of parameters under those of Responses, where they are not alike. */
const NAMES = { maxTokens: 'max_output_tokens', logprobs: 'top_logprobs', responseFormat: 'text.format' };
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

const Response = z
  .looseObject({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.int().describe('In seconds.'),
    status: z.enum(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
    model: z.string(),
    output: z.array(z.looseObject({ id: z.string(), type: z.enum(['message', 'reasoning', 'function_call']) })),
    conversation: z.object({ id: z.string() }).nullable().describe('That it is kept in, if it is.'),
  })
  .meta({ id: 'OpenAiResponse' });

const Event = z
  .looseObject({ type: z.string(), sequence_number: z.int().describe('From 0.') })
  .meta({ id: 'OpenAiResponseEvent' });

const Id = z.object({ id: text(500) });
const common = { tag: 'OpenAI', params: Id } as const;

const create = defineRoute({
  method: 'post',
  path: '/v1/responses',
  scope: 'chat',
  tag: 'OpenAI',
  summary: 'One response, whole or streamed, as OpenAI’s Responses',
  description:
    'Unless `store` is false it is kept as a turn of a conversation, which goes on when the caller leaves; with `background` it is a run.',
  body: ResponseBody,
  response: Response,
  event: Event,
  errors: [...PROVIDER_ERRORS, 'not_found', 'conflict'],
  creates: true,
  handle: async (request) => {
    const { body, signal } = request;
    const context = agentContext(request);
    const id = request.newId('resp');
    const asked = { id, body, input: await resolveInput(context, body.input) };
    if (body.background) {
      const ref = await startInBackground(context, asked, signal);
      const headers = answerHeaders({ ref, warnings: [] }, omissions(body), NAMES);
      if (body.stream) return new EventStream(await watched(request, id, -1), { headers });
      const begun = await readResponse(context, await keptResponse(context, id));
      return new Page(JSON.stringify(begun), { ...JSON_TYPE, ...headers });
    }
    const started = await (body.store === false ? startUnstored : startStored)(context, asked, signal);
    const headers = () => answerHeaders(started, omissions(body), NAMES);
    if (body.stream) return new EventStream(responseLines(started), { headers: headers(), quietMs: QUIET_MS });
    return new Page(JSON.stringify(await whole(started)), { ...JSON_TYPE, ...headers() });
  },
});

const read = defineRoute({
  ...common,
  method: 'get',
  path: '/v1/responses/{id}',
  scope: 'conversations:read',
  summary: 'A response that is kept, or the events of one in the background',
  query: z.object({
    stream: z.stringbool().default(false),
    starting_after: z.coerce.number().int().min(0).optional().describe('The number of an event: those after it come.'),
    include: Includes,
    'include[]': Includes,
    include_obfuscation: z.string().optional().describe('Without effect.'),
  }),
  response: Response,
  event: Event,
  errors: ['not_found'],
  handle: async (request) => {
    const { params, query } = request;
    if (query.stream) return new EventStream(await watched(request, params.id, query.starting_after ?? -1));
    const context = agentContext(request);
    return await readResponse(context, await keptResponse(context, params.id));
  },
});

const listInput = defineRoute({
  ...common,
  method: 'get',
  path: '/v1/responses/{id}/input_items',
  scope: 'conversations:read',
  summary: 'What a response has answered: all that was said in its conversation before it',
  query: ItemQuery,
  response: ItemList,
  errors: ['not_found'],
  handle: async (request) => {
    const context = agentContext(request);
    return await inputItems(context, await keptResponse(context, request.params.id), request.query);
  },
});

const cancel = defineRoute({
  ...common,
  method: 'post',
  path: '/v1/responses/{id}/cancel',
  scope: 'chat',
  summary: 'Cancel a response in the background',
  audit: { action: 'run.cancel', target: ({ params }) => params.id },
  response: Response,
  errors: ['not_found'],
  handle: async (request) => await cancelResponse(agentContext(request), request.params.id),
});

const forget = defineRoute({
  ...common,
  method: 'delete',
  path: '/v1/responses/{id}',
  scope: 'chat',
  summary: 'Delete a response, and with the last one the conversation that was made for them',
  audit: { action: 'response.delete', target: ({ params }) => params.id },
  response: z.object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) }),
  errors: ['not_found', 'conflict'],
  handle: async (request) => await forgetResponse(agentContext(request), request.params.id),
});

/** The routes of OpenAI's Responses. @see https://platform.openai.com/docs/api-reference/responses */
export const responsesRoutes: readonly Route[] = [create, read, listInput, cancel, forget];

async function whole(started: StartedResponse): Promise<unknown> {
  const projection = new ResponseProjection(started.head, started.ref);
  try {
    for await (const events of started.events) projection.add(events);
    await started.kept;
    if (projection.error) throw projection.error;
  } catch (error) {
    // Nobody learns its id.
    await started.undo();
    throw error;
  }
  projection.end();
  return projection.response();
}

async function watched(
  request: RouteRequest<unknown, unknown, unknown>,
  id: string,
  after: number,
): Promise<AsyncIterable<string>> {
  const context = agentContext(request);
  const row = await keptResponse(context, id);
  return backgroundLines(await backgroundEvents(context, row, after, request.signal));
}
