import type { Kysely } from 'kysely';
import { AppError, InvalidRequestError, type Issue } from '../../errors.ts';
import type { Schema } from '../../storage/schema.ts';
import { countToolRules, insertToolRule, type NewToolRule, type ToolRuleRow } from '../../storage/tool-rules.ts';
import { unknownTool } from '../registry.ts';
import type { Tool } from '../tool.ts';
import { compileRule } from './compiled-rule.ts';
import type { Rule, RuleMatch } from './rule.ts';

/** Rules of one owner: with so many, a call is still decided on in less than a millisecond. */
const MOST_RULES = 1000;

/**
 * Stores a rule. To be called in a transaction.
 * @throws AppError `conflict` if the owner has as many as there may be.
 */
export async function addRule(
  tx: Kysely<Schema>,
  rule: Omit<NewToolRule, 'match'> & { match: RuleMatch },
): Promise<ToolRuleRow> {
  const row = await insertToolRule(tx, { ...rule, match: { ...rule.match } });
  if ((await countToolRules(tx, rule.owner, Date.now())) > MOST_RULES)
    throw new AppError('conflict', `There are ${MOST_RULES} rules already, and may not be more: delete one first`);
  return row;
}

/**
 * @param tools those that there are.
 * @param before what stands before `tool` and `match` in the request, of the rule at a place.
 * @throws InvalidRequestError with all that is wrong with what rules say: a rule that never applies is thought to.
 */
export function checkRules(
  rules: readonly Pick<Rule, 'tool' | 'match'>[],
  tools: readonly Tool[],
  before: (index: number) => string,
): void {
  const issues = rules.flatMap((rule, index) =>
    ruleIssues(rule, tools).map(({ path, message }) => ({ path: `${before(index)}${path}`, message })),
  );
  if (issues.length > 0) throw new InvalidRequestError(issues);
}

function ruleIssues({ tool, match }: Pick<Rule, 'tool' | 'match'>, tools: readonly Tool[]): Issue[] {
  const { command, path, host } = match;
  const malformed = [
    ...issueOf('tool', { tool, match: {} }),
    ...(command === undefined ? [] : issueOf('match.command', { tool: '*', match: { command } })),
    ...(path === undefined ? [] : issueOf('match.path', { tool: '*', match: { path } })),
    ...(host === undefined ? [] : issueOf('match.host', { tool: '*', match: { host } })),
  ];
  return malformed.length > 0 ? malformed : neverIssues({ tool, match }, tools);
}

/** Of a tool that is named; those of servers may come later. */
function neverIssues({ tool: name, match }: Pick<Rule, 'tool' | 'match'>, tools: readonly Tool[]): Issue[] {
  if (name.includes('*') || name.startsWith('mcp__')) return [];
  const tool = tools.find((one) => one.name === name);
  if (!tool) return [unknownTool(name, 'tool', tools)];
  return (['command', 'path', 'host'] as const)
    .filter((kind) => match[kind] !== undefined && !tool.rulesOn.includes(kind))
    .map((kind) => ({
      path: `match.${kind}`,
      message: `calls of ${name} are about no ${kind}: the rule would never apply`,
    }));
}

function issueOf(path: string, rule: Pick<Rule, 'tool' | 'match'>): Issue[] {
  try {
    compileRule({ id: '', action: 'allow', conversation: 0, ...rule });
    return [];
  } catch (error) {
    return [{ path, message: error instanceof Error ? error.message : String(error) }];
  }
}
