import type { JsonObject } from '../../core/json.ts';
import type { Grant, SecurityMode, Tool, ToolContext } from '../tool.ts';
import { readCall } from './call.ts';
import { type Decision, decide } from './decide.ts';
import { grantOf } from './grant.ts';
import type { RuleBook } from './rule-book.ts';

/** A call that is to be decided on. */
export interface Question {
  owner: string;
  /** The conversation's number; undefined: in none, so that only rules for all conversations count. */
  conversation: number | undefined;
  tool: Tool;
  /** Arguments that fit the tool. */
  given: JsonObject;
  mode: SecurityMode;
}

/** What the policy needs to know of the server. */
export interface PolicyContext extends Pick<ToolContext, 'workspace' | 'hidden'> {
  rules: RuleBook;
}

/** What is to happen to a call, and what is left for the tool to check if it is carried out. */
export interface Judgement extends Decision {
  grant: Grant;
}

/**
 * Reads a call and decides on it, by the rules as they are now. Both what explains a call and what carries it out go
 * this way, so they cannot differ.
 * @param isApproved a person has allowed exactly this call.
 */
export async function judge(policy: PolicyContext, question: Question, isApproved = false): Promise<Judgement> {
  const { owner, conversation, tool, given, mode } = question;
  const [rules, call] = await Promise.all([policy.rules.rulesFor(owner, conversation), readCall(tool, given, policy)]);
  const decision = decide(call, mode, rules);
  const isAllowed = decision.decision === 'allow' || isApproved;
  return { ...decision, grant: grantOf(call, rules, mode, isAllowed) };
}
