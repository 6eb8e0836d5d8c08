import { z } from 'zod';
import { PROVIDER_ERRORS } from '../http/completion-schemas.ts';
import { STREAM_HEADERS } from '../http/event-stream.ts';
import { Page } from '../http/page.ts';
import { defineRoute } from '../http/route.ts';
import { text } from '../http/schemas.ts';
import { agentContext } from '../http/turn-input.ts';
import { activeRun } from '../storage/runs.ts';
import { beginUi } from './ui-stream-begin.ts';
import { findChat } from './ui-stream-chat.ts';
import { uiStream } from './ui-stream-lines.ts';
import { UiBody } from './ui-stream-schemas.ts';

const UiChunkSchema = z
  .looseObject({ type: z.string() })
  .describe('A chunk of the UI message stream; the last line is `data: [DONE]`.')
  .meta({ id: 'UIMessageChunk' });

const common = {
  scope: 'tools',
  tag: 'AI SDK',
  response: z.unknown(),
  contentType: 'text/event-stream',
  event: UiChunkSchema,
} as const;

/** What `useChat` of the AI SDK asks for. */
export const uiStreamRoutes = [
  defineRoute({
    ...common,
    method: 'post',
    path: '/api/chat/ui',
    summary: 'Send a chat’s message, regenerate its answer, or answer what it waits for',
    description:
      'The body of `DefaultChatTransport`, and the answer in the AI SDK’s UI message stream. What runs is a run: it goes on when the caller leaves. A message that is sent again finds the run that it began.',
    body: UiBody,
    errors: [...PROVIDER_ERRORS, 'not_found', 'approval_not_found', 'conflict'],
    creates: true,
    isDurable: true,
    handle: async (request) => uiStream(agentContext(request), await beginUi(request), request.signal),
  }),
  defineRoute({
    ...common,
    method: 'get',
    path: '/api/chat/ui/{id}/stream',
    summary: 'The answer that a chat is being given, from its start; 204 if it is given none',
    params: z.object({ id: text(500) }),
    handle: async (request) => {
      const context = agentContext(request);
      const chat = await findChat(context, request.params.id);
      const run = chat && (await activeRun(context.db, context.owner, chat.number));
      if (!run) return new Page('', { 'content-type': STREAM_HEADERS['content-type'] }, 204);
      return uiStream(context, { run, after: 0, messageId: run.id }, request.signal);
    },
  }),
];
