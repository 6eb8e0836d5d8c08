import type { ConversationContext } from '../conversations/context.ts';
import type { Budgets } from '../limits/budget.ts';
import type { PolicyContext } from '../tools/policy/judge.ts';
import type { Tool } from '../tools/tool.ts';
import type { DurableEngine } from './engine/engine.ts';
import type { EventLog } from './event-log.ts';

/** What runs work with, whoever's they are. Times in milliseconds. */
export interface RunServices extends Omit<ConversationContext, 'owner' | 'budget' | 'newId'> {
  budgets: Budgets;
  engine: DurableEngine;
  events: EventLog;
  /** Those that there are now. */
  tools(): readonly Tool[];
  policy: PolicyContext;
  /** How long a run may run, without waiting for people. */
  runTimeoutMs: number;
  /** How long a person has to answer. */
  approvalLifeMs: number;
  /** After the end of a run: for how long its deltas stay as they came. */
  foldAfterMs: number;
  /** Aborted when this node takes up nothing new: watchers come back to another one. */
  stopping: AbortSignal;
  /** Aborted when it cannot wait any longer for what is under way. */
  interrupting: AbortSignal;
}

/** What a verb of this folder needs, for one request. */
export interface AgentContext extends ConversationContext {
  runs: RunServices;
  /** Who answers or cancels, as it is written down. */
  actor: string;
  /** As in `RunSettings`. */
  budgets: readonly string[];
}
