import { z } from 'zod';
import { answerApproval, DECISIONS } from '../../agent/answer-approval.ts';
import { toApproval } from '../../agent/approval-data.ts';
import { awaitDecision } from '../../agent/await-decision.ts';
import { listApprovals } from '../../storage/approvals.ts';
import { APPROVAL_STATUSES, RUN_STATUSES } from '../../storage/run-schema.ts';
import { MessageSchema } from '../conversation-schemas.ts';
import { ShallowObject } from '../messages.ts';
import { defineRoute } from '../route.ts';
import { ApprovalSchema } from '../run-schemas.ts';
import { text } from '../schemas.ts';
import { agentContext } from '../turn-input.ts';

const Id = text(200);
const LONGEST_WAIT_MS = 300_000;

/** Questions to people about calls: list, answer. */
export const approvalRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/approvals',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'Approvals, the newest first',
    query: z.strictObject({
      status: z.enum(APPROVAL_STATUSES).optional(),
      conversationId: Id.optional(),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: Id.optional().describe('The nextCursor of the page before.'),
    }),
    response: z.object({ approvals: z.array(ApprovalSchema), nextCursor: z.string().nullable() }),
    handle: async ({ services, owner, query }) => {
      const { limit, cursor, ...filter } = query;
      const rows = await listApprovals(services.database.db, owner, { ...filter, before: cursor }, limit + 1);
      const page = rows.slice(0, limit);
      return { approvals: page.map(toApproval), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/tools/approve',
    scope: 'tools',
    audit: {
      action: 'approval.decide',
      target: ({ body }) => body.approvalId,
      details: ({ body: { decision, conversationId, scope, editedArguments } }) => ({
        ...{ decision, conversationId },
        ...(decision === 'allow-always' ? { scope } : {}),
        ...(editedArguments ? { edited: true } : {}),
      }),
    },
    tag: 'Runs',
    summary: 'Allow or refuse a tool call; the run goes on by itself',
    body: z
      .strictObject({
        conversationId: Id,
        approvalId: Id,
        decision: z.enum(DECISIONS).describe('`allow-always` also makes a rule for this tool and these arguments.'),
        editedArguments: ShallowObject.optional().describe('In place of the model’s.'),
        reason: text(10_000).optional().describe('The model reads it after `deny`.'),
        scope: z.enum(['conversation', 'user']).default('conversation').describe('Where the rule counts.'),
        wait: z
          .int()
          .min(0)
          .max(LONGEST_WAIT_MS)
          .default(30_000)
          .describe('How long to wait for the reply, in milliseconds.'),
      })
      .superRefine(({ decision, editedArguments, scope }, context) => {
        const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
        if (decision === 'deny' && editedArguments) refuse('editedArguments', 'must not be given together with deny');
        if (decision !== 'allow-always' && scope === 'user') refuse('scope', 'is for the rule that allow-always makes');
      }),
    response: z.object({
      success: z.boolean().describe('False if the tool failed.'),
      result: z.string().nullable().describe('Of the tool; null: not there yet, or refused.'),
      decision: z.enum(DECISIONS),
      run: z.object({ id: z.string(), status: z.enum(RUN_STATUSES) }),
      message: MessageSchema.optional().describe('The finished reply, if it came in time.'),
    }),
    errors: ['approval_not_found', 'conflict'],
    handle: async (request) => {
      const { wait, ...answer } = request.body;
      const context = agentContext(request);
      const approval = await answerApproval(context, answer);
      const seen = await awaitDecision(context, approval, wait, request.signal);
      return { ...seen, decision: answer.decision };
    },
  }),
];
