import type { Generated } from 'kysely';

/** How a run stands. The last three are its end. */
export const RUN_STATUSES = ['queued', 'running', 'waiting_approval', 'completed', 'failed', 'cancelled'] as const;

/** How an approval stands. All but the first are its end; the last one came with the end of its run. */
export const APPROVAL_STATUSES = ['pending', 'allowed', 'denied', 'expired', 'cancelled'] as const;

export type RunStatus = (typeof RUN_STATUSES)[number];
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number];

/** Why a run ended well. */
export type StopReason = 'completed' | 'max_steps' | 'budget' | 'no_progress';

/** The tables of runs, their events, approvals and rules; part of `Schema`. */
export interface RunSchema {
  runs: RunsTable;
  run_events: RunEventsTable;
  approvals: ApprovalsTable;
  steering: SteeringTable;
  tool_rules: ToolRulesTable;
  rule_sets: RuleSetsTable;
  tool_results: ToolResultsTable;
}

/** Token counts and `cost` are the run's own. */
interface RunsTable {
  id: string;
  owner: string;
  /** The conversation's number, and its id. */
  conversation: number;
  conversation_id: string;
  kind: 'tools' | 'agent';
  status: RunStatus;
  /** Whoever works on the run has taken this number; with an older one nothing can be written. */
  fence: Generated<number>;
  /** How often there was something to do for it. */
  pass: Generated<number>;
  /** How often it was taken up. */
  attempts: Generated<number>;
  /** How often since it last got any further. */
  tries: Generated<number>;
  /** Of its last event. */
  last_seq: Generated<number>;
  /** Steps that have begun. */
  steps: Generated<number>;
  /** Of the message that began it. */
  first_seq: number;
  prompt_tokens: Generated<number>;
  completion_tokens: Generated<number>;
  total_tokens: Generated<number>;
  /** Billionths of a US dollar, as in `conversations`. */
  cost: Generated<number>;
  priced: Generated<number>;
  unpriced: Generated<number>;
  /** Milliseconds that it ran, without waiting for people. */
  active_ms: Generated<number>;
  stop_reason: StopReason | null;
  /** `{code, message, details?, retryAfter?}` */
  error: string | null;
  /** The id of the message that it ended with. */
  message: string | null;
  created_at: string;
  updated_at: string;
  finished_at: string | null;
  /** When its deltas may be folded, in the database's milliseconds; null: not yet, or done. */
  fold_at: number | null;
  /** What it was asked, as JSON. */
  settings: string;
}

/** One after the other, without a gap, until they are folded. */
interface RunEventsTable {
  run: string;
  seq: number;
  owner: string;
  /** What can happen only once in a run has one. */
  key: string | null;
  /** Folded events: the first of those that it stands for; else the same as `seq`. */
  first_seq: number;
  type: string;
  /** JSON. */
  data: string;
  /** Milliseconds. */
  created_at: number;
}

/** A question to a person about one call. */
interface ApprovalsTable {
  id: string;
  owner: string;
  conversation: number;
  conversation_id: string;
  run: string;
  /** The place of the call. */
  message_seq: number;
  position: number;
  tool_call_id: string;
  tool: string;
  level: string;
  reason: string;
  status: ApprovalStatus;
  /** Of `arguments`, as `hashOf` of core/canonical.ts makes it. */
  arguments_hash: string;
  decided_by: string | null;
  created_at: string;
  decided_at: string | null;
  /** In the database's milliseconds. */
  expires_at: number;
  /** JSON objects. */
  arguments: string;
  edited_arguments: string | null;
  /** What the person said, as a JSON string. */
  note: string | null;
}

/** Messages to a run that its model has not seen yet. */
interface SteeringTable {
  run: string;
  /** Of the event that tells of it. */
  seq: number;
  id: string;
  owner: string;
  created_at: string;
  /** JSON. */
  content: string;
}

/** What is stored of `Rule` in tools/policy/rule.ts. */
interface ToolRulesTable {
  id: string;
  owner: string;
  /** A conversation's number, and its id; 0 and null: all of the owner's. */
  conversation: number;
  conversation_id: string | null;
  tool: string;
  action: 'allow' | 'deny';
  /** Of `match`: there is one rule of a kind. */
  match_hash: string;
  created_at: string;
  /** Milliseconds. */
  expires_at: number | null;
  /** How many calls it has allowed or denied. */
  used_count: Generated<number>;
  /** JSON. */
  match: string;
}

/** Goes up with every change of an owner's rules, so that whoever has read them knows whether they still hold. */
interface RuleSetsTable {
  owner: string;
  version: number;
}

/** Results of calls that are too long to be sent as a whole. */
interface ToolResultsTable {
  id: string;
  owner: string;
  /** The place of the answer that has made the call. */
  conversation: number;
  seq: number;
  created_at: string;
  text: string;
}
