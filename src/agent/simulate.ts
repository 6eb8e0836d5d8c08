import type { Kysely } from 'kysely';
import type { JsonObject } from '../core/json.ts';
import { approvalsOf } from '../storage/approvals.ts';
import { allMessages } from '../storage/messages.ts';
import { listRuns, type RunRow } from '../storage/runs.ts';
import type { Schema } from '../storage/schema.ts';
import { readCall } from '../tools/policy/call.ts';
import { type CompiledRule, compileRule } from '../tools/policy/compiled-rule.ts';
import { type Decision, decide } from '../tools/policy/decide.ts';
import type { PolicyContext } from '../tools/policy/judge.ts';
import type { Rule } from '../tools/policy/rule.ts';
import type { SecurityMode, Tool } from '../tools/tool.ts';
import { argumentsOf, callsOf } from './messages.ts';
import { settingsOf } from './settings.ts';

/** Whose calls, and with what they are decided on. */
export interface SimulationContext {
  db: Kysely<Schema>;
  owner: string;
  policy: PolicyContext;
  tools: readonly Tool[];
}

/** Rules, and what they are tried on. */
export interface Simulation {
  /** In place of those that are stored. */
  rules: readonly Pick<Rule, 'tool' | 'match' | 'action'>[];
  /** In place of each run's own. */
  mode?: SecurityMode | undefined;
  conversationId?: string | undefined;
  /** How many of the last runs. */
  runs: number;
}

/** A call that was made once, and what would happen to it now. `rule` of `proposed`: `new:0` is the first one given. */
export interface SimulatedCall {
  runId: string;
  conversationId: string;
  toolCallId: string;
  tool: string;
  arguments: JsonObject;
  /** What became of it. */
  status: string;
  /** By the rules as they are stored. */
  stored: Decision;
  /** By the rules that were given. */
  proposed: Decision;
}

/** Holds a new set of rules against calls of the past, the newest runs first. Paths are looked up as they are now. */
export async function simulate(context: SimulationContext, simulation: Simulation): Promise<SimulatedCall[]> {
  const { db, owner } = context;
  const rules = simulation.rules.map((rule, index) =>
    compileRule({ ...rule, id: `new:${index}`, conversation: 0, expiresAt: undefined }),
  );
  const { conversationId } = simulation;
  const filter = { conversationId, status: undefined, before: undefined };
  const calls: SimulatedCall[] = [];
  for (const run of await listRuns(db, owner, filter, simulation.runs))
    calls.push(...(await simulateRun(context, run, rules, simulation.mode)));
  return calls;
}

async function simulateRun(
  { db, owner, policy, tools: all }: SimulationContext,
  run: RunRow,
  rules: readonly CompiledRule[],
  given?: SecurityMode,
): Promise<SimulatedCall[]> {
  const mode = given ?? settingsOf(run).securityMode;
  const stored = await policy.rules.rulesFor(owner, run.conversation);
  const range = { owner, conversation: run.conversation, after: run.first_seq - 1, turn: run.id };
  const placed = callsOf(await allMessages(db, range), await approvalsOf(db, owner, run.id));
  const tools = new Map(all.map((tool): [string, Tool] => [tool.name, tool]));
  const simulated: SimulatedCall[] = [];
  for (const one of placed) {
    const args = argumentsOf(one);
    const tool = tools.get(one.call.name);
    if (!tool || tool.check(args).length > 0) continue;
    const call = await readCall(tool, args, policy);
    simulated.push({
      ...{ runId: run.id, conversationId: run.conversation_id, toolCallId: one.call.id },
      ...{ tool: tool.name, arguments: args, status: one.row.status },
      stored: decide(call, mode, stored),
      proposed: decide(call, mode, rules),
    });
  }
  return simulated;
}
