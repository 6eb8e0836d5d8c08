import { ask } from '../api/server.ts';
import type { RuleDraft } from './rule-draft.ts';
import type { Decision, Rule } from './rule-words.ts';

interface SimulatedCall {
  toolCallId: string;
  runId: string;
  tool: string;
  arguments: Record<string, unknown>;
  proposed: Decision;
}

/** A call of a past run on which a rule would have decided otherwise. */
export interface ChangedCall {
  id: string;
  runId: string;
  tool: string;
  arguments: Record<string, unknown>;
  before: Decision['decision'];
  after: Decision['decision'];
}

/** How many of the last runs are looked at. */
const RUNS = 50;

/**
 * What a rule would have changed about the calls of the last runs: how they would be decided on with it and without
 * it, both beside the other rules.
 * @throws RequestError if the rule is not good; the paths of its issues are those of the rule itself.
 */
export async function changesOf(
  draft: RuleDraft,
  rules: readonly Rule[],
): Promise<{ calls: number; changed: ChangedCall[] }> {
  const { tool, match, action, conversationId } = draft;
  const others = rules
    .filter((rule) => rule.scope === 'user' || rule.conversationId === conversationId)
    .filter(({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > Date.now())
    .map((rule) => ({ tool: rule.tool, match: rule.match, action: rule.action }));
  const simulate = (all: object[]): Promise<{ calls: SimulatedCall[] }> =>
    ask('/api/chat/tools/simulate', { method: 'POST', body: { rules: all, runs: RUNS, conversationId } });
  const [after, before] = await Promise.all([simulate([{ tool, match, action }, ...others]), simulate(others)]);
  const decisions = new Map(before.calls.map((call) => [call.toolCallId, call.proposed.decision]));
  const changed = after.calls.flatMap((call) => {
    const old = decisions.get(call.toolCallId);
    if (old === undefined || old === call.proposed.decision) return [];
    const { toolCallId: id, runId, proposed } = call;
    return [{ id, runId, tool: call.tool, arguments: call.arguments, before: old, after: proposed.decision }];
  });
  return { calls: after.calls.length, changed };
}
