import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { getConversation } from '../../storage/conversations.ts';
import { deleteToolRule, listToolRules, type ToolRuleRow } from '../../storage/tool-rules.ts';
import { addRule, checkRules } from '../../tools/policy/add-rule.ts';
import { type RuleMatch, withoutAbsent } from '../../tools/policy/rule.ts';
import { defineRoute } from '../route.ts';
import { RuleFields, RuleSchema } from '../rule-schemas.ts';
import { DeletedSchema, IdParams, text } from '../schemas.ts';

/** Rules about tool calls: list, make, delete. */
export const toolRuleRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/tools/rules',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'Rules about tool calls, the newest first',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: text(200).optional().describe('The nextCursor of the page before.'),
    }),
    response: z.object({ rules: z.array(RuleSchema), nextCursor: z.string().nullable() }),
    handle: async ({ services, owner, query: { limit, cursor } }) => {
      const rows = await listToolRules(services.database.db, owner, cursor, limit + 1);
      const page = rows.slice(0, limit);
      return { rules: page.map(toRule), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/tools/rules',
    scope: 'tools',
    creates: true,
    isDurable: true,
    audit: {
      action: 'rule.create',
      target: ({ body }) => body.tool,
      details: ({ body: { action, match, scope } }) => ({ action, scope, match }),
    },
    tag: 'Runs',
    summary: 'Allow or deny tool calls from now on',
    description: 'A rule that says the same of the same calls is not made twice: it is given back, with the new end.',
    body: z
      .strictObject({
        ...RuleFields,
        scope: z
          .enum(['conversation', 'user'])
          .optional()
          .describe('`conversation` with a `conversationId`, else `user`.'),
        conversationId: text(200).optional(),
        expiresAt: z.iso.datetime({ offset: true }).optional().describe('Until when it holds; without it, for ever.'),
      })
      .superRefine(({ scope, conversationId, expiresAt }, context) => {
        const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
        if (scope === 'conversation' && conversationId === undefined)
          refuse('conversationId', 'is needed for a rule of the scope conversation');
        if (scope === 'user' && conversationId !== undefined)
          refuse('conversationId', 'must not be given together with the scope user');
        if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now())
          refuse('expiresAt', 'must be in the future');
      }),
    status: 201,
    response: z.object({ rule: RuleSchema }),
    errors: ['not_found', 'conflict'],
    handle: async ({ services, owner, body, newId }) => {
      const { tool, action, match: given, conversationId, expiresAt } = body;
      const match = withoutAbsent(given);
      checkRules([{ tool, match }], services.runs.tools(), () => '');
      const { db } = services.database;
      const conversation = conversationId === undefined ? undefined : await getConversation(db, owner, conversationId);
      if (conversationId !== undefined && !conversation) throw new NotFoundError('Conversation', conversationId);
      const rule = {
        ...{ id: newId('rule'), owner, tool, action, match },
        conversation: conversation?.number ?? 0,
        conversation_id: conversation?.id ?? null,
        expires_at: expiresAt === undefined ? null : Date.parse(expiresAt),
      };
      return { rule: toRule(await db.transaction().execute((tx) => addRule(tx, rule))) };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/chat/tools/rules/{id}',
    scope: 'tools',
    audit: { action: 'rule.delete', target: ({ params }) => params.id },
    tag: 'Runs',
    summary: 'Delete a rule',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id } }) => {
      if (!(await deleteToolRule(services.database.db, owner, id))) throw new NotFoundError('Rule', id);
      return { message: 'Rule deleted' };
    },
  }),
];

function toRule(row: ToolRuleRow): z.output<typeof RuleSchema> {
  return {
    id: row.id,
    tool: row.tool,
    match: JSON.parse(row.match) as RuleMatch,
    action: row.action,
    scope: row.conversation === 0 ? 'user' : 'conversation',
    conversationId: row.conversation_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
    usedCount: row.used_count,
  };
}
