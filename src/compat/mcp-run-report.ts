import { z } from 'zod';
import type { AgentContext } from '../agent/context.ts';
import { partialAnswer } from '../agent/partial.ts';
import { type RunWithCalls, toRunWithCalls } from '../agent/run-view.ts';
import { untilSettled } from '../agent/settle.ts';
import { textOfMessage } from '../conversations/stored.ts';
import { NotFoundError } from '../errors.ts';
import { lastMessages } from '../storage/messages.ts';
import { RUN_STATUSES } from '../storage/run-schema.ts';
import { getRun, isActive, type RunRow } from '../storage/runs.ts';
import { bounded } from './mcp-bounds.ts';
import type { ToolCall } from './mcp-tool.ts';

/** Calls that are shown, the newest ones, and characters of the result of each. */
const MAX_CALLS = 20;
const MAX_RESULT = 1000;
/** Messages of a run among which its last answer is, in characters. */
const MAX_READ = 1024 ** 2;

const HOW_TO_ANSWER = "A person answers on the server's page or with POST /api/chat/tools/approve; not over MCP.";

/** What a run has come to so far. */
export const RunReport = z.object({
  run_id: z.string(),
  conversation_id: z.string(),
  status: z.enum(RUN_STATUSES),
  stop_reason: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  model: z.string().nullable(),
  steps: z.int(),
  max_steps: z.int(),
  answer: z.string().describe('So far.'),
  tool_calls: z.array(z.object({ name: z.string(), status: z.string(), result: z.string().nullable() })),
  tool_calls_left_out: z.int().describe('Earlier ones that are not in the list.'),
  pending_approvals: z.array(
    z.object({ id: z.string(), tool: z.string(), call: z.string(), reason: z.string(), expires_at: z.string() }),
  ),
  how_to_answer: z.string().nullable().describe('Where approvals are answered, if there are any.'),
});

/**
 * Waits until a run ends or waits for a person, but no longer than `seconds`; its events are told as progress.
 * @throws NotFoundError
 */
export async function settled(context: AgentContext, id: string, seconds: number, call: ToolCall): Promise<void> {
  if (seconds === 0) return;
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(seconds * 1000)]);
  for await (const events of untilSettled(context, id, 0, signal)) {
    const last = events.at(-1);
    if (last) await call.progress(last.seq, last.type);
  }
}

/** Reads what a run has come to. @throws NotFoundError */
export async function reportOf(context: AgentContext, id: string): Promise<z.output<typeof RunReport>> {
  const row = await getRun(context.db, context.owner, id);
  if (!row) throw new NotFoundError('Run', id);
  const run = await toRunWithCalls(context, row);
  const pending = run.approvals.filter(({ status }) => status === 'pending');
  const approvals = pending.map(({ id: approval, toolName, display, reason, expiresAt }) => ({
    ...{ id: approval, tool: toolName, call: bounded(display), reason, expires_at: expiresAt },
  }));
  return {
    run_id: run.id,
    conversation_id: run.conversationId,
    status: run.status,
    stop_reason: run.stopReason,
    error: run.error && { code: run.error.code, message: run.error.message },
    model: run.model,
    steps: run.steps,
    max_steps: run.maxSteps,
    answer: bounded(await answerSoFar(context, row)),
    tool_calls: run.toolCalls.slice(-MAX_CALLS).map(shown),
    tool_calls_left_out: Math.max(0, run.toolCalls.length - MAX_CALLS),
    pending_approvals: approvals,
    how_to_answer: approvals.length > 0 ? HOW_TO_ANSWER : null,
  };
}

/** What it says in the step that is under way, or else what it has said last. */
async function answerSoFar({ db, owner }: AgentContext, row: RunRow): Promise<string> {
  const partial = isActive(row.status) ? (await partialAnswer(db, row)).text : '';
  if (partial !== '') return partial;
  const range = { owner, conversation: row.conversation, after: row.first_seq - 1, turn: row.id };
  const { rows } = await lastMessages(db, range, { limit: 10, maxSize: MAX_READ });
  const said = rows.filter(({ role }) => role === 'assistant').map(textOfMessage);
  return said.findLast((text) => text !== '') ?? '';
}

function shown({ name, status, result }: RunWithCalls['toolCalls'][number]): {
  name: string;
  status: string;
  result: string | null;
} {
  return {
    name: String(name),
    status: String(status),
    result: typeof result === 'string' ? bounded(result, MAX_RESULT) : null,
  };
}
