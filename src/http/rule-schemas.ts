import { z } from 'zod';
import { ShallowObject } from './messages.ts';
import { Time, text } from './schemas.ts';

/** What calls a rule is about. */
const RuleMatchSchema = z
  .strictObject({
    command: text(1000)
      .optional()
      .describe('Words of a command, `git status *`; held against every simple command of the line.'),
    path: text(1000).optional().describe('A glob of paths in the workspace, `src/**`; links are resolved first.'),
    host: text(300).optional().describe('`example.com`, or `*.example.com` for all below it; either with a port.'),
    arguments: ShallowObject.optional().describe('Exactly these.'),
  })
  .describe('All that is given has to fit; empty: every call of the tool.');

/** What a rule says, as it is given. */
export const RuleFields = {
  tool: text(200).describe('A name, or a glob of names: `mcp__github__*`.'),
  match: RuleMatchSchema.default({}),
  action: z.enum(['allow', 'deny']).describe('`deny` wins.'),
};

/** A stored rule. */
export const RuleSchema = z
  .object({
    id: z.string(),
    tool: z.string(),
    match: RuleMatchSchema,
    action: z.enum(['allow', 'deny']),
    scope: z.enum(['user', 'conversation']),
    conversationId: z.string().nullable(),
    createdAt: Time,
    expiresAt: Time.nullable(),
    usedCount: z.int().describe('How many calls it has allowed or denied.'),
  })
  .meta({ id: 'ToolRule' });

/** What would happen to a call. */
export const DecisionSchema = z
  .object({
    decision: z.enum(['allow', 'ask', 'refuse']),
    rule: z.string().nullable().describe('The id of the rule that decides; null: none does.'),
    reason: z.string().describe('For a person.'),
  })
  .meta({ id: 'ToolDecision' });
