import { newId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { AppError, InvalidRequestError } from '../errors.ts';
import { type ApprovalRow, expiredApprovals, getApproval, hasExpired, writeApproval } from '../storage/approvals.ts';
import { lockConversation } from '../storage/conversations.ts';
import { appendEvents, HappenedBefore } from '../storage/run-events.ts';
import { getRun, lockRun, type RunRow, writeRun } from '../storage/runs.ts';
import { addRule } from '../tools/policy/add-rule.ts';
import { judge } from '../tools/policy/judge.ts';
import type { Tool } from '../tools/tool.ts';
import type { AgentContext, RunServices } from './context.ts';
import { enqueueSoon } from './enqueue.ts';
import { settingsOf } from './settings.ts';

/** What a person may say. */
export const DECISIONS = ['allow-once', 'allow-always', 'deny'] as const;

export type Decision = (typeof DECISIONS)[number];

/** A person's answer. */
export interface ApprovalAnswer {
  conversationId: string;
  approvalId: string;
  decision: Decision;
  /** In place of the model's. */
  editedArguments?: JsonObject | undefined;
  /** Why; the model reads it after `deny`. */
  reason?: string | undefined;
  /** Of the rule that `allow-always` makes. */
  scope: 'conversation' | 'user';
}

/** What is written down of an answer. */
interface Resolution {
  status: 'allowed' | 'denied' | 'expired';
  decision: Decision | 'expired';
  by: string;
  editedArguments?: JsonObject | undefined;
  reason?: string | undefined;
  /** Exactly these arguments are allowed from now on. */
  rule?: { conversation: number; conversation_id: string | null; arguments: JsonObject } | undefined;
}

/**
 * Answers a question about a call: the first answer counts, on whichever node. The run goes on by itself.
 * @throws AppError `approval_not_found`, `conflict` if it was answered before, InvalidRequestError for edited arguments
 *   that do not fit the tool.
 */
export async function answerApproval(context: AgentContext, answer: ApprovalAnswer): Promise<ApprovalRow> {
  const { db, owner, actor, runs } = context;
  const approval = await getApproval(db, owner, answer.approvalId);
  if (!approval || approval.conversation_id !== answer.conversationId) throw notFound();
  if (approval.status === 'expired' || (approval.status === 'pending' && (await hasExpired(db, approval))))
    throw notFound();
  if (approval.status !== 'pending') throw answered(approval);
  const isAllowed = answer.decision !== 'deny';
  const { editedArguments } = answer;
  const tool = runs.tools().find(({ name }) => name === approval.tool);
  if (isAllowed && editedArguments && tool) await checkEdited(context, approval, tool, editedArguments);
  const given = editedArguments ?? (JSON.parse(approval.arguments) as JsonObject);
  const { conversation, conversation_id } = approval;
  const place =
    answer.scope === 'user' ? { conversation: 0, conversation_id: null } : { conversation, conversation_id };
  const rule = { ...place, arguments: tool?.identity(given) ?? given };
  return await resolve(runs, approval, {
    status: isAllowed ? 'allowed' : 'denied',
    decision: answer.decision,
    by: actor,
    editedArguments: isAllowed ? editedArguments : undefined,
    reason: answer.reason,
    rule: answer.decision === 'allow-always' ? rule : undefined,
  });
}

/** Answers questions that nobody has answered in time with no. @returns how many. */
export async function expireApprovals(runs: RunServices, limit: number): Promise<number> {
  const late = await expiredApprovals(runs.db, limit);
  for (const { owner, id } of late) {
    const approval = await getApproval(runs.db, owner, id);
    if (approval?.status !== 'pending') continue;
    await resolve(runs, approval, { status: 'expired', decision: 'expired', by: '' }).catch((error: unknown) => {
      // Somebody was faster after all.
      if (!(error instanceof AppError)) throw error;
    });
  }
  return late.length;
}

async function resolve(runs: RunServices, approval: ApprovalRow, resolution: Resolution): Promise<ApprovalRow> {
  const { owner, id, run: runId } = approval;
  const { status, decision, by } = resolution;
  const event = { key: `resolved:${id}`, type: 'approval:resolved', data: { id, decision, by } };
  try {
    const done = await runs.db.transaction().execute(async (tx) => {
      const conversation = await lockConversation(tx, owner, { number: approval.conversation });
      const run = await lockRun(tx, owner, runId);
      if (!conversation || !run) throw notFound();
      const stored = (await appendEvents(tx, [{ run: runId, owner, fence: undefined, events: [event] }])).get(runId);
      if (!stored) throw answered(approval);
      const row = await writeApproval(tx, approval, {
        status,
        decided_by: by,
        edited_arguments: resolution.editedArguments ? JSON.stringify(resolution.editedArguments) : null,
        note: resolution.reason === undefined ? null : JSON.stringify(resolution.reason),
      });
      const { rule } = resolution;
      if (rule) {
        const { arguments: given, ...place } = rule;
        const what = { tool: approval.tool, match: { arguments: given }, action: 'allow' as const, expires_at: null };
        await addRule(tx, { id: newId('rule'), owner, ...place, ...what });
      }
      const queued: RunRow | undefined =
        run.status === 'waiting_approval'
          ? await writeRun(tx, { owner, id: runId }, { status: 'queued', pass: run.pass + 1 })
          : undefined;
      return { row, stored, queued };
    });
    runs.events.publish(runId, done.stored);
    if (done.queued) enqueueSoon(runs, { owner, run: runId, pass: done.queued.pass });
    return done.row;
  } catch (error) {
    throw error instanceof HappenedBefore ? answered(approval) : error;
  }
}

/** A person may say anything but what would be refused: the answer would be used up. */
async function checkEdited(
  { db, owner, runs }: AgentContext,
  approval: ApprovalRow,
  tool: Tool,
  given: JsonObject,
): Promise<void> {
  const issues = tool.check(given).map(({ path, message }) => ({ path: under(path), message }));
  if (issues.length > 0) throw new InvalidRequestError(issues);
  const run = await getRun(db, owner, approval.run);
  if (!run) throw notFound();
  const { conversation } = approval;
  const mode = settingsOf(run).securityMode;
  const { decision, reason } = await judge(runs.policy, { owner, conversation, tool, given, mode }, true);
  if (decision === 'refuse') throw new InvalidRequestError([{ path: 'editedArguments', message: reason }]);
}

function under(path: string): string {
  return path === '' ? 'editedArguments' : `editedArguments.${path}`;
}

function notFound(): AppError {
  return new AppError('approval_not_found', 'Approval not found or expired', {
    details: { hint: 'GET /api/chat/approvals?status=pending lists those that can be answered' },
  });
}

function answered({ id, run, status, decided_at, decided_by }: ApprovalRow): AppError {
  return new AppError('conflict', `The approval ${id} was answered before, or its run has ended`, {
    details: { runId: run, status, decidedAt: decided_at, decidedBy: decided_by },
  });
}
