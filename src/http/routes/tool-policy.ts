import { z } from 'zod';
import { simulate } from '../../agent/simulate.ts';
import { NotFoundError } from '../../errors.ts';
import { getConversation } from '../../storage/conversations.ts';
import { checkRules } from '../../tools/policy/add-rule.ts';
import { explainCall } from '../../tools/policy/explain.ts';
import { withoutAbsent } from '../../tools/policy/rule.ts';
import { ShallowObject } from '../messages.ts';
import { defineRoute } from '../route.ts';
import { DecisionSchema, RuleFields } from '../rule-schemas.ts';
import { SecurityMode } from '../run-schemas.ts';
import { text } from '../schemas.ts';
import type { Services } from '../services.ts';

/** What would happen to tool calls, asked beforehand. */
export const toolPolicyRoutes = [
  defineRoute({
    method: 'post',
    path: '/api/chat/tools/explain',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'What would happen to a tool call, and by which rule, without doing it',
    body: z.strictObject({
      tool: text(200),
      arguments: ShallowObject.default({}),
      securityMode: SecurityMode.default('ask'),
      conversationId: text(200).optional().describe('Whose rules count as well.'),
    }),
    response: DecisionSchema,
    errors: ['not_found'],
    handle: async ({ services, owner, body: { securityMode: mode, conversationId, ...call } }) => {
      const { runs } = services;
      const row = await conversationOf(services, owner, conversationId);
      return await explainCall(runs.policy, runs.tools(), { owner, conversation: row?.number, mode, ...call });
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/tools/simulate',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'What other rules would have said of the calls of the last runs',
    body: z.strictObject({
      rules: z
        .array(z.strictObject(RuleFields))
        .max(1000)
        .describe('All that there would be; the stored ones do not count.'),
      securityMode: SecurityMode.optional().describe('Without it: that of each run.'),
      conversationId: text(200).optional(),
      runs: z.int().min(1).max(100).default(20).describe('How many of the last runs.'),
    }),
    response: z.object({
      changed: z.int().describe('How many calls would be decided on otherwise.'),
      calls: z.array(
        z.object({
          runId: z.string(),
          conversationId: z.string(),
          toolCallId: z.string(),
          tool: z.string(),
          arguments: z.record(z.string(), z.unknown()),
          status: z.string().describe('What became of it.'),
          stored: DecisionSchema.describe('By the stored rules.'),
          proposed: DecisionSchema.describe('By the rules given; `new:0` is the first of them.'),
        }),
      ),
    }),
    errors: ['not_found'],
    handle: async (request) => {
      const { rules: given, securityMode: mode, ...rest } = request.body;
      const rules = given.map(({ match, ...rule }) => ({ ...rule, match: withoutAbsent(match) }));
      checkRules(rules, request.services.runs.tools(), (index) => `rules.${index}.`);
      await conversationOf(request.services, request.owner, rest.conversationId);
      const { database, runs: own } = request.services;
      const context = { db: database.db, owner: request.owner, policy: own.policy, tools: own.tools() };
      const calls = await simulate(context, { rules, mode, ...rest });
      return { changed: calls.filter(({ stored, proposed }) => stored.decision !== proposed.decision).length, calls };
    },
  }),
];

/** @throws NotFoundError */
async function conversationOf({ database }: Services, owner: string, id: string | undefined) {
  if (id === undefined) return undefined;
  const row = await getConversation(database.db, owner, id);
  if (!row) throw new NotFoundError('Conversation', id);
  return row;
}
