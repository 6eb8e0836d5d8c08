import { z } from 'zod';
import { followRun } from '../../agent/follow-run.ts';
import { ON_CRASH, STEPS } from '../../agent/settings.ts';
import { type RunInput, startRun } from '../../agent/start-run.ts';
import { InvalidRequestError } from '../../errors.ts';
import { EFFORTS, isProviderType } from '../../providers/chat-model.ts';
import { PROVIDER_ERRORS } from '../completion-schemas.ts';
import { ContentSchema } from '../messages.ts';
import { defineRoute } from '../route.ts';
import { RunEventSchema, SecurityMode, ToolNames } from '../run-schemas.ts';
import { runStream } from '../run-stream.ts';
import { IdParams, MaxTokens, ModelName, Temperature, text } from '../schemas.ts';
import type { Services } from '../services.ts';
import { ToolTurnEvent, ToolTurnSchema, toolTurn } from '../tool-turn.ts';
import { agentContext } from '../turn-input.ts';

const common = {
  method: 'post',
  scope: 'tools',
  tag: 'Runs',
  params: IdParams,
  errors: [...PROVIDER_ERRORS, 'conflict'],
  creates: true,
  isDurable: true,
} as const;

/** Messages that are answered with the help of tools: one turn, or an agent's run. */
export const toolMessageRoutes = [
  defineRoute({
    ...common,
    path: '/api/chat/conversations/{id}/messages/with-tools',
    summary: 'Send a message that the model may answer with tools',
    description:
      'The answer, whole or streamed, comes when the model has stopped calling tools, or when a call needs an approval (`finishReason: "approval-required"`). What runs is a run: it goes on when the caller leaves.',
    body: z.strictObject({
      content: ContentSchema,
      enableTools: z.boolean().default(true),
      securityMode: SecurityMode.default('ask'),
      model: ModelName.optional(),
      temperature: Temperature.optional(),
      maxTokens: MaxTokens.optional(),
      tools: ToolNames.optional(),
      maxRoundtrips: z.int().min(1).max(5).default(5),
      stream: z.boolean().default(false),
    }),
    response: ToolTurnSchema,
    event: ToolTurnEvent,
    handle: async (request) => {
      const { content, enableTools, maxRoundtrips, tools, stream, ...options } = request.body;
      const context = agentContext(request);
      const input: RunInput = {
        ...options,
        kind: 'tools',
        begin: { content },
        tools: enableTools ? tools : [],
        limits: { maxSteps: maxRoundtrips, closes: true },
        showThinking: true,
        onCrash: 'resume',
      };
      const run = await startRun(context, request.params.id, input, request.signal);
      return await toolTurn(context, run.id, stream, request);
    },
  }),
  defineRoute({
    ...common,
    path: '/api/chat/conversations/{id}/messages/agentic',
    summary: 'Start an agent’s run and watch it',
    description:
      'The run is a record, not a connection: it goes on when the stream is closed, and `GET /api/chat/runs/{id}/events` takes it up again after any event.',
    body: z.strictObject({
      content: ContentSchema,
      model: ModelName.optional(),
      provider: text(100).optional().describe('Of the model, if its name does not say it.'),
      temperature: Temperature.optional(),
      maxTokens: MaxTokens.optional(),
      showThinking: z.boolean().default(true),
      maxSteps: z.int().min(1).max(200).optional().describe('Absent: by the effort.'),
      maxBudget: z.int().min(1000).optional().describe('Tokens, of all steps together.'),
      effort: z.enum(EFFORTS).default('medium').describe('low 5, medium 20, high 50, max 200 steps.'),
      securityMode: SecurityMode.default('full'),
      tools: ToolNames.optional(),
      onCrash: z
        .enum(ON_CRASH)
        .default('resume')
        .describe(
          'When the server dies in the middle of a call whose effect is unsafe: `resume` and `ask` ask a person whether to repeat it, `fail` fails the run. `ask` asks about every call that had begun.',
        ),
    }),
    response: z.unknown(),
    contentType: 'text/event-stream',
    event: RunEventSchema,
    handle: async (request) => {
      const { content, provider, model, maxSteps, maxBudget, effort, ...options } = request.body;
      const context = agentContext(request);
      const input: RunInput = {
        ...options,
        kind: 'agent',
        begin: { content },
        model: provider === undefined ? model : await modelOf(request, provider, model),
        effort,
        limits: { maxSteps: maxSteps ?? STEPS[effort], closes: false, maxBudget },
      };
      const run = await startRun(context, request.params.id, input, request.signal);
      const { news } = await followRun(context, run.id, 0, request.signal);
      return runStream(news);
    },
  }),
];

/** The model's name with its provider. */
async function modelOf({ services }: { services: Services }, provider: string, model?: string): Promise<string> {
  if (!isProviderType(provider)) {
    const message = `there is no provider ${JSON.stringify(provider)}; GET /api/chat/providers lists them`;
    throw new InvalidRequestError([{ path: 'provider', message }]);
  }
  const name = model ?? (await services.providers.defaultModelOf(provider));
  return name.startsWith(`${provider}/`) ? name : `${provider}/${name}`;
}
