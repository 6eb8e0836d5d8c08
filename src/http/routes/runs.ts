import { z } from 'zod';
import { cancelRun } from '../../agent/cancel-run.ts';
import { followRun } from '../../agent/follow-run.ts';
import { toRun, toRunWithCalls } from '../../agent/run-view.ts';
import { steerRun } from '../../agent/steer-run.ts';
import { InvalidRequestError, NotFoundError } from '../../errors.ts';
import { RUN_STATUSES } from '../../storage/run-schema.ts';
import { getRun, isActive, listRuns } from '../../storage/runs.ts';
import { STREAM_HEADERS } from '../event-stream.ts';
import { ContentSchema } from '../messages.ts';
import { Page } from '../page.ts';
import { defineRoute } from '../route.ts';
import { RunEventSchema, RunSchema, RunWithCallsSchema } from '../run-schemas.ts';
import { runStream } from '../run-stream.ts';
import { IdParams, text } from '../schemas.ts';
import { agentContext } from '../turn-input.ts';

const EventNumber = z.coerce.number('must be the number of an event').int().min(0);

/** Runs: list, read, watch, cancel, steer. */
export const runRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/runs',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'Runs, the newest first',
    query: z.strictObject({
      conversationId: text(200).optional(),
      status: z.enum(RUN_STATUSES).optional(),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: text(200).optional().describe('The nextCursor of the page before.'),
    }),
    response: z.object({ runs: z.array(RunSchema), nextCursor: z.string().nullable() }),
    handle: async ({ services, owner, query }) => {
      const { limit, cursor, ...filter } = query;
      const rows = await listRuns(services.database.db, owner, { ...filter, before: cursor }, limit + 1);
      const page = rows.slice(0, limit);
      return { runs: page.map(toRun), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/chat/runs/{id}',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'A run with its tool calls and approvals',
    params: IdParams,
    response: z.object({ run: RunWithCallsSchema }),
    errors: ['not_found'],
    handle: async (request) => {
      const { id } = request.params;
      const context = agentContext(request);
      const row = await getRun(context.db, context.owner, id);
      if (!row) throw new NotFoundError('Run', id);
      return { run: await toRunWithCalls(context, row) };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/chat/runs/{id}/events',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'The events of a run, from the start or after one of them, live to the end',
    description:
      'Every event has its number as `id`, and was stored before it was sent: a client that comes back with `Last-Event-ID` (or `after`) gets every event once.',
    params: IdParams,
    query: z.strictObject({ after: EventNumber.optional().describe('The number of the last event seen.') }),
    response: z.unknown(),
    contentType: 'text/event-stream',
    event: RunEventSchema,
    errors: ['not_found'],
    handle: async (request) => {
      // A browser that comes back asks for the same address, with the event that it has seen since.
      const after = lastEventId(request.lastEventId) ?? request.query.after ?? 0;
      const { run, news } = await followRun(agentContext(request), request.params.id, after, request.signal);
      // It tells a browser, which else comes back for ever, that nothing more comes.
      const isOver = !isActive(run.status) && after === run.last_seq;
      return isOver ? new Page('', { 'content-type': STREAM_HEADERS['content-type'] }, 204) : runStream(news);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/runs/{id}/cancel',
    scope: 'tools',
    audit: { action: 'run.cancel', target: ({ params }) => params.id },
    tag: 'Runs',
    summary: 'Stop a run: its model call, its tool and all its processes',
    params: IdParams,
    body: z.strictObject({}),
    response: z.object({ run: RunSchema }),
    errors: ['not_found', 'conflict'],
    handle: async (request) => ({ run: toRun(await cancelRun(agentContext(request), request.params.id)) }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/runs/{id}/messages',
    scope: 'tools',
    tag: 'Runs',
    summary: 'Say something to a run, which its model sees before its next step',
    params: IdParams,
    body: z.strictObject({ content: ContentSchema }),
    status: 201,
    response: z.object({ id: z.string().describe('Of the message.'), run: RunSchema }),
    errors: ['not_found', 'conflict'],
    creates: true,
    handle: async (request) => {
      const { messageId, run } = await steerRun(agentContext(request), request.params.id, request.body.content);
      return { id: messageId, run: toRun(run) };
    },
  }),
];

function lastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  const message = `must be the number of an event of this run, not ${JSON.stringify(header.slice(0, 100))}`;
  throw new InvalidRequestError([{ path: 'Last-Event-ID', message }]);
}
