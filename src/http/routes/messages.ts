import { z } from 'zod';
import { cancelRunOfMessage } from '../../agent/cancel-run.ts';
import { optionsOfLastRun } from '../../agent/retry-run.ts';
import { startRun } from '../../agent/start-run.ts';
import { startTurn, type TurnInput } from '../../agent/turn.ts';
import type { Principal } from '../../auth/principal.ts';
import { deleteMessages } from '../../conversations/delete.ts';
import { AppError } from '../../errors.ts';
import { AttemptSchema, PROVIDER_ERRORS, StreamDelta, StreamError, UsageSchema } from '../completion-schemas.ts';
import { CompactionSchema, MessageSchema } from '../conversation-schemas.ts';
import { ContentSchema } from '../messages.ts';
import { defineRoute, type RouteRequest } from '../route.ts';
import { IdParams, MaxTokens, ModelName, Temperature } from '../schemas.ts';
import { ToolTurnEvent, ToolTurnSchema, toolTurn } from '../tool-turn.ts';
import { turnAnswer, turnStream } from '../turn-answer.ts';
import { agentContext, conversationContext } from '../turn-input.ts';

const Options = {
  model: ModelName.optional().describe('For this message; absent: the conversation’s, else the default.'),
  temperature: Temperature.optional(),
  maxTokens: MaxTokens.optional(),
  stream: z.boolean().default(false),
};

const Answer = z
  .object({
    userMessage: MessageSchema.nullable().describe('Null after a retry of a turn that only brought results of tools.'),
    assistantMessage: MessageSchema,
    usage: UsageSchema,
    compaction: CompactionSchema.nullable().describe('What had to be done to make the conversation fit its model.'),
    warnings: z.array(z.string()).optional(),
    attempts: z.array(AttemptSchema).optional(),
  })
  .meta({ id: 'TurnAnswer' });

const StreamEvent = z
  .union([...StreamDelta, z.object({ done: z.literal(true), ...Answer.shape }), StreamError])
  .meta({ id: 'TurnEvent' });

const MessageParams = IdParams.extend({ messageId: z.string().min(1).max(200) });

const common = {
  method: 'post',
  scope: 'chat',
  tag: 'Conversations',
  params: IdParams,
  response: Answer,
  event: StreamEvent,
  errors: [...PROVIDER_ERRORS, 'conflict'],
  creates: true,
} as const;

/** Messages of a conversation: send, try again, delete. */
export const messageRoutes = [
  defineRoute({
    ...common,
    path: '/api/chat/conversations/{id}/messages',
    summary: 'Send a message and get the answer, whole or streamed',
    description:
      'One message at a time: another one waits for its turn, then 409. The message is kept before the model is asked, and the answer even if the caller has gone.',
    body: z.strictObject({ content: ContentSchema, ...Options }),
    handle: (request) => {
      const { content, ...rest } = request.body;
      return answer(request, { ...rest, begin: { messages: [{ role: 'user', content }], results: [] } });
    },
  }),
  defineRoute({
    ...common,
    path: '/api/chat/conversations/{id}/retry',
    summary: 'Try the failed message at the end of a conversation again, as it was asked',
    description: 'A message with tools is answered as such, and an agent’s run as a message with tools.',
    body: z.strictObject(Options),
    response: z.union([Answer, ToolTurnSchema]),
    event: z.union([StreamEvent, ToolTurnEvent]),
    handle: async (request) => {
      const { id } = request.params;
      const context = agentContext(request);
      const asked = await optionsOfLastRun(context, id);
      if (!asked) return await answer(request, { ...request.body, begin: 'retry' });
      requireTools(request.principal);
      const { stream, ...options } = request.body;
      const run = await startRun(context, id, { ...asked, ...options, begin: 'retry' }, request.signal);
      return await toolTurn(context, run.id, stream, request);
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/chat/conversations/{id}/messages/{messageId}',
    scope: 'chat',
    audit: { action: 'message.delete', target: ({ params }) => params.messageId },
    tag: 'Conversations',
    summary: 'Delete a message and all that followed it',
    params: MessageParams,
    response: z.object({ message: z.string(), deleted: z.int().describe('How many messages.') }),
    errors: ['not_found', 'conflict'],
    handle: async (request) => {
      const { id, messageId } = request.params;
      await cancelRunOfMessage(agentContext(request), id, messageId);
      const deleted = await deleteMessages(conversationContext(request), id, messageId, request.signal);
      return { message: 'Message deleted', deleted };
    },
  }),
];

/** @throws AppError `forbidden`: what was asked with tools is not to be repeated by whoever may not use them. */
function requireTools(principal: Principal | undefined): void {
  if (principal?.scopes.includes('tools')) return;
  throw new AppError('forbidden', 'The message was sent with tools, so to try it again needs the scope tools');
}

async function answer(request: RouteRequest<{ id: string }, unknown, unknown>, input: TurnInput): Promise<unknown> {
  const { id } = request.params;
  const turn = await startTurn(conversationContext(request), id, input, request.signal);
  if (input.stream) return turnStream(turn, request.requestId, (result) => turnAnswer(id, result));
  return turnAnswer(id, 'relay' in turn ? await turn.finished : turn);
}
