import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { NotFoundError } from '../../errors.ts';
import { deleteToolRule, listToolRules, type ToolRuleRow } from '../../storage/tool-rules.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, IdParams, Time, text } from '../schemas.ts';

const RuleSchema = z
  .object({
    id: z.string(),
    tool: z.string(),
    match: z.object({ arguments: z.record(z.string(), z.unknown()).describe('Exactly these.') }),
    action: z.enum(['allow', 'deny']),
    scope: z.enum(['user', 'conversation']),
    conversationId: z.string().nullable(),
    createdAt: Time,
  })
  .meta({ id: 'ToolRule' });

/** What runs may call, and the answers that are kept for them. */
export const toolRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/tools',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'The tools that runs may use',
    response: z.object({
      tools: z.array(
        z.object({
          name: z.string(),
          description: z.string(),
          inputSchema: z.record(z.string(), z.unknown()).describe('A JSON Schema.'),
          level: z.enum(['safe', 'moderate', 'dangerous']),
          effect: z.enum(['read', 'idempotent', 'unsafe']),
        }),
      ),
    }),
    handle: ({ services }) => ({
      tools: services.runs.tools.map(({ name, description, inputSchema, level, effect }) => ({
        name,
        description,
        inputSchema,
        level,
        effect,
      })),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/chat/tools/rules',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'The rules that `allow-always` has made, the newest first',
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
    match: { arguments: JSON.parse(row.arguments) as JsonObject },
    action: row.action,
    scope: row.conversation === 0 ? 'user' : 'conversation',
    conversationId: row.conversation_id,
    createdAt: row.created_at,
  };
}
