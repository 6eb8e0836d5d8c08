import type { StopReason } from '../storage/run-schema.ts';

/**
 * How a call of the last step stands: `new` (nothing was done), `allowed` or `refused` (a person has answered),
 * `asked` (nobody has yet), `interrupted` (it had begun when its process died), `over`.
 */
export type CallStage = 'new' | 'allowed' | 'refused' | 'asked' | 'interrupted' | 'over';

/** What a turn may take at most. */
export interface Limits {
  /** Calls of the model with tools. */
  maxSteps: number;
  /** Is the model, when it may not call tools any more, asked once without them, so that there is an answer? */
  closes: boolean;
  /** Tokens. */
  maxBudget?: number | undefined;
}

/** A call that is over: equal calls have equal names and arguments. */
export interface PastCall {
  step: number;
  call: string;
  isFailed: boolean;
}

/** Where a turn stands. */
export interface TurnState {
  limits: Limits;
  /** Answers of the model so far. */
  steps: number;
  /** The calls of the last one that are ours to carry out. */
  calls: readonly CallStage[];
  /** All calls of the turn that are over, in order. */
  past: readonly PastCall[];
  /** The model has said that it is done. */
  isDone: boolean;
  /** There are messages that the model has not seen. */
  hasMessages: boolean;
  /** Used so far, and what the next call of the model will at least read. */
  usedTokens: number;
  nextTokens: number;
}

/** What is to be done next. `position`: of a call in the last step. */
export type Next =
  | { do: 'ask'; withTools: boolean }
  | { do: 'call'; position: number }
  | { do: 'wait' }
  | { do: 'finish'; reason: StopReason };

/** So many equal calls in a row, or failed ones, and it is not getting anywhere. */
const STUCK = 3;

const TO_DO: ReadonlySet<CallStage> = new Set<CallStage>(['new', 'allowed', 'refused', 'interrupted']);

/** The whole course of a turn: what is next, out of nothing but where it stands. */
export function decide(state: TurnState): Next {
  const { calls, steps, limits } = state;
  const position = calls.findIndex((stage) => TO_DO.has(stage));
  if (position !== -1) return { do: 'call', position };
  if (calls.includes('asked')) return { do: 'wait' };
  if (state.isDone && !state.hasMessages) return { do: 'finish', reason: 'completed' };
  if (steps === 0) return { do: 'ask', withTools: true };
  const isAnswered = calls.length === 0;
  if (isAnswered && !state.hasMessages) return { do: 'finish', reason: closedFor(state) };
  const reason = reasonToStop(state);
  if (!reason) return { do: 'ask', withTools: true };
  // One more than that is the one without tools.
  if (limits.closes && !isAnswered && steps <= limits.maxSteps) return { do: 'ask', withTools: false };
  return { do: 'finish', reason };
}

/** Why the last answer was asked for without tools; `completed` if it was not. */
function closedFor({ limits, steps, past }: TurnState): StopReason {
  if (!limits.closes) return 'completed';
  if (steps > limits.maxSteps) return 'max_steps';
  return isStuck(past) ? 'no_progress' : 'completed';
}

function reasonToStop({ limits, steps, past, usedTokens, nextTokens }: TurnState): StopReason | undefined {
  if (steps >= limits.maxSteps) return 'max_steps';
  if (limits.maxBudget !== undefined && usedTokens + nextTokens >= limits.maxBudget) return 'budget';
  return isStuck(past) ? 'no_progress' : undefined;
}

function isStuck(past: readonly PastCall[]): boolean {
  const last = past.slice(-STUCK);
  // What was called at once the model has called without having seen how the others went.
  if (last.length < STUCK || last[0]?.step === last.at(-1)?.step) return false;
  return last.every(({ isFailed }) => isFailed) || last.every(({ call }) => call === last[0]?.call);
}
