import { z } from 'zod';
import { cancelRun } from '../agent/cancel-run.ts';
import { STEPS } from '../agent/settings.ts';
import { startRun } from '../agent/start-run.ts';
import { beginConversation } from '../conversations/create.ts';
import { AppError } from '../errors.ts';
import { audited } from '../http/audited.ts';
import { SecurityMode } from '../http/run-schemas.ts';
import { ModelName, text } from '../http/schemas.ts';
import { agentContext } from '../http/turn-input.ts';
import { EFFORTS } from '../providers/chat-model.ts';
import { RunReport, reportOf, settled } from './mcp-run-report.ts';
import { defineTool, type ToolCall } from './mcp-tool.ts';

const WaitSeconds = z
  .int()
  .min(0)
  .max(300)
  .default(0)
  .describe('For so long at most: until the run ends or waits for a person. Clients often give up after 60 seconds.');

const RunId = text(200).describe('The run_id that start_run gave.');

const start = defineTool({
  name: 'start_run',
  scope: 'tools',
  title: 'Start a run',
  description:
    "Lets the server's agent work on something with its tools. It goes on by itself: get_run shows how far it is. What needs an approval waits for a person, who answers outside of MCP.",
  input: z.strictObject({
    content: text(10_000_000).describe('What is to be done.'),
    conversation_id: text(200).optional().describe('Absent: a new conversation.'),
    model: ModelName.optional(),
    security_mode: SecurityMode.default('ask'),
    effort: z.enum(EFFORTS).default('medium').describe('low 5, medium 20, high 50, max 200 steps.'),
    max_steps: z.int().min(1).max(200).optional().describe('Absent: by the effort.'),
    wait_seconds: WaitSeconds,
  }),
  output: RunReport,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (args, call) => {
    const { content, model, effort, max_steps: maxSteps = STEPS[effort], security_mode: securityMode } = args;
    const context = agentContext(call.request);
    const conversation = args.conversation_id ?? (await newConversation(call, model));
    const input = {
      ...({ kind: 'agent', onCrash: 'resume' } as const),
      ...{ model, effort, securityMode, showThinking: true },
      begin: { content },
      limits: { maxSteps, closes: false },
    };
    const { id } = await startRun(context, conversation, input, call.signal);
    await settled(context, id, args.wait_seconds, call);
    return await reportOf(context, id);
  },
});

const get = defineTool({
  name: 'get_run',
  scope: 'conversations:read',
  title: 'See how far a run is',
  description: 'Its status, its answer so far, its calls, and the approvals that it waits for.',
  input: z.strictObject({ id: RunId, wait_seconds: WaitSeconds }),
  output: RunReport,
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ id, wait_seconds: seconds }, call) => {
    const context = agentContext(call.request);
    await settled(context, id, seconds, call);
    return await reportOf(context, id);
  },
});

const cancel = defineTool({
  name: 'cancel_run',
  scope: 'tools',
  title: 'Stop a run',
  description: "Stops a run: its model's call, its tool and all its processes. What was done so far is kept.",
  input: z.strictObject({ id: RunId }),
  output: RunReport,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  run: async ({ id }, { request }) => {
    const context = agentContext(request);
    await audited(request, { action: 'run.cancel', target: id }, () => cancelRun(context, id));
    return await reportOf(context, id);
  },
});

/** Tools for runs. There is none to answer an approval: a model would approve its own calls. */
export const mcpRunTools = [start, get, cancel];

/** @throws AppError `forbidden`: a conversation is begun with another scope than a run. */
async function newConversation({ request }: ToolCall, model: string | undefined): Promise<string> {
  if (!request.principal?.scopes.includes('chat'))
    throw new AppError('forbidden', 'To begin a conversation needs the scope chat; give a conversation_id');
  return (await beginConversation(agentContext(request), { model })).id;
}
