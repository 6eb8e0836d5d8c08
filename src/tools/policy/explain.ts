import type { JsonObject } from '../../core/json.ts';
import { toolsByName } from '../registry.ts';
import { describeIssues, type Tool } from '../tool.ts';
import type { Decision } from './decide.ts';
import { judge, type PolicyContext, type Question } from './judge.ts';

/** A call as somebody thinks of it. */
export interface SupposedCall extends Pick<Question, 'owner' | 'conversation' | 'mode'> {
  tool: string;
  arguments: JsonObject;
}

/**
 * What would happen to a call, by which rule, without doing it.
 * @throws InvalidRequestError if there is no such tool.
 */
export async function explainCall(
  policy: PolicyContext,
  tools: readonly Tool[],
  { tool: name, arguments: given, ...rest }: SupposedCall,
): Promise<Decision> {
  const [tool] = toolsByName(tools, [name], () => 'tool');
  if (!tool) throw new Error(`the tool ${name} is not there`);
  const issues = tool.check(given);
  if (issues.length > 0) return { decision: 'refuse', rule: null, reason: describeIssues(issues) };
  const { decision, rule, reason } = await judge(policy, { ...rest, tool, given });
  return { decision, rule, reason };
}
