import type { MessageContent, RunEvent, RunEventData } from './run-events.ts';
import type { Approval } from './types.ts';

/** What a step consists of, in the order in which it came. */
export type StepItem = ReasoningItem | TextItem | CallItem | SaidItem | NoteItem;

export interface ReasoningItem {
  type: 'reasoning';
  text: string;
  /** Milliseconds; undefined while it goes on. */
  duration: number | undefined;
}

export interface TextItem {
  type: 'text';
  text: string;
}

export interface CallItem {
  type: 'call';
  id: string;
  name: string;
  arguments: Record<string, unknown>;
  status: 'running' | 'success' | 'error' | 'denied' | 'cancelled';
  /** What it has put out so far. */
  progress: string;
  result: string | undefined;
  /** There if `result` is only a part: GET /api/chat/tools/results/{id} has all of it. */
  resultId: string | undefined;
  /** Milliseconds; undefined while it goes on. */
  duration: number | undefined;
}

/** What a person said to the run. */
export interface SaidItem {
  type: 'said';
  id: string;
  content: MessageContent;
}

/** What happened besides: an attempt that was given up, a compaction. */
export interface NoteItem {
  type: 'note';
  text: string;
  /** The attempt at the step that begins with it; 1 after the server died. */
  attempt?: number;
}

/** How often a step is tried while its provider fails: docs/runs.md, "When it fails". */
const MOST_ATTEMPTS = 3;

/** One answer of the model, with the calls that it asked for. */
export interface StepState {
  /** From 1. */
  step: number;
  items: readonly StepItem[];
  /** Milliseconds; undefined while it goes on. */
  duration: number | undefined;
  finishReason: string | undefined;
  /** Of the stored message; undefined while it goes on. */
  messageId: string | undefined;
  /** When it began, in milliseconds since 1970. */
  startedAt: number;
}

/** A question about a call; `status` is kept as it is answered. */
export type ApprovalState = Approval;

/** All that a run has told so far. */
export interface RunState {
  /** Undefined until it has begun. */
  session: RunEventData['session:start'] | undefined;
  /** What began it; undefined before its first event. */
  user: { id: string; content: MessageContent } | undefined;
  steps: readonly StepState[];
  approvals: readonly ApprovalState[];
  /** Nothing goes on until an approval is answered. */
  isWaiting: boolean;
  usedBudget: number;
  summary: RunEventData['summary'] | undefined;
  end:
    | { type: 'complete'; data: RunEventData['complete'] }
    | { type: 'error'; data: RunEventData['error'] }
    | undefined;
  /** The number of the last event that is in it. */
  lastEventId: number;
}

/** Of a run that has told nothing yet. */
export const NO_EVENTS: RunState = {
  session: undefined,
  user: undefined,
  steps: [],
  approvals: [],
  isWaiting: false,
  usedBudget: 0,
  summary: undefined,
  end: undefined,
  lastEventId: 0,
};

/** @returns the state after some more events; what they do not change stays the same object. */
export function withEvents(state: RunState, events: readonly RunEvent[]): RunState {
  return events.reduce(withEvent, state);
}

function withEvent(state: RunState, event: RunEvent): RunState {
  if (event.type === 'reset') {
    const events = event.data.events.map(({ id, event: stored }) => ({ ...stored, id }) as RunEvent);
    return { ...withEvents(NO_EVENTS, events), lastEventId: event.data.lastEventId };
  }
  return { ...changed(state, event), lastEventId: event.id };
}

function changed(state: RunState, event: Exclude<RunEvent, { type: 'reset' }>): RunState {
  switch (event.type) {
    case 'user_message': {
      const { id, content, steering } = event.data;
      if (!steering) return { ...state, user: { id, content } };
      // What is said before the first step is held by that.
      const begun = state.steps.length === 0 ? withStep(state, 1, event.timestamp) : state;
      return withItem(begun, { type: 'said', id, content });
    }
    case 'session:start':
      return { ...state, session: event.data };
    case 'step:start':
      return withStep(
        { ...state, isWaiting: false, usedBudget: event.data.usedBudget },
        event.data.step,
        event.timestamp,
      );
    case 'step:complete': {
      const { step, duration, finishReason, messageId, usedBudget } = event.data;
      return inStep({ ...state, usedBudget }, step, (one) => ({ ...one, duration, finishReason, messageId }));
    }
    case 'compaction':
      return withItem(state, {
        type: 'note',
        text: `The conversation was made shorter: ${event.data.originalCount} messages are ${event.data.compactedCount} to the model`,
      });
    case 'thinking:start':
      return withItem(state, { type: 'reasoning', text: '', duration: undefined });
    case 'thinking:update':
      return withText(state, 'reasoning', event.data.text);
    case 'thinking:end':
      return inLastStep(state, (items) =>
        replaceLast(items, isReasoning, (item) => ({ ...item, duration: event.data.duration })),
      );
    case 'content':
      return withText(state, 'text', event.data.text);
    case 'attempt:reset': {
      const { step, ...why } = event.data;
      return inStep(state, step, ({ items, ...one }) => ({
        ...one,
        items: [...items.filter(staysAfterReset), resetNote(items, why)],
      }));
    }
    case 'summary':
      return { ...state, summary: event.data };
    case 'complete':
      return {
        ...state,
        isWaiting: false,
        usedBudget: event.data.totalTokens,
        end: { type: 'complete', data: event.data },
      };
    case 'error':
      return { ...state, isWaiting: false, end: { type: 'error', data: event.data } };
    case 'message_saved':
      return state;
    default:
      return afterCallEvent(state, event);
  }
}

type CallEvent = Extract<
  RunEvent,
  { type: 'tool:call' | 'tool:progress' | 'tool:result' | 'approval:required' | 'approval:resolved' | 'waiting' }
>;

/** What has become of the calls, and of the questions about them. */
function afterCallEvent(state: RunState, event: CallEvent): RunState {
  switch (event.type) {
    case 'tool:call': {
      const { toolCallId: id, name, arguments: given } = event.data;
      // A call that had begun when the server died is told of again.
      if (callOf(state, id)) return inCall(state, id, (call) => ({ ...call, status: 'running', progress: '' }));
      const open = { progress: '', result: undefined, resultId: undefined, duration: undefined };
      return withItem(state, { type: 'call', id, name, arguments: given, status: 'running', ...open });
    }
    case 'tool:progress':
      return inCall(state, event.data.toolCallId, (call) => ({ ...call, progress: call.progress + event.data.text }));
    case 'tool:result': {
      const { toolCallId, result, status, duration, resultId } = event.data;
      return inCall(state, toolCallId, (call) => ({ ...call, result, status, duration, resultId }));
    }
    case 'approval:required':
      return { ...state, approvals: [...state.approvals.filter(({ id }) => id !== event.data.id), event.data] };
    case 'approval:resolved': {
      const { id, decision, by } = event.data;
      const approvals = state.approvals.map((one) =>
        one.id === id ? { ...one, status: STATUS_OF[decision], decidedBy: by } : one,
      );
      return { ...state, isWaiting: false, approvals };
    }
    case 'waiting':
      return { ...state, isWaiting: true };
  }
}

const STATUS_OF = {
  'allow-once': 'allowed',
  'allow-always': 'allowed',
  deny: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
} as const;

function withStep(state: RunState, step: number, startedAt: number): RunState {
  if (state.steps.some((one) => one.step === step)) return state;
  const open = { duration: undefined, finishReason: undefined, messageId: undefined };
  return { ...state, steps: [...state.steps, { step, items: [], startedAt, ...open }] };
}

function inStep(state: RunState, step: number, change: (step: StepState) => StepState): RunState {
  return { ...state, steps: state.steps.map((one) => (one.step === step ? change(one) : one)) };
}

function inLastStep(state: RunState, change: (items: readonly StepItem[]) => readonly StepItem[]): RunState {
  const last = state.steps.at(-1);
  if (!last) return state;
  return { ...state, steps: [...state.steps.slice(0, -1), { ...last, items: change(last.items) }] };
}

function withItem(state: RunState, item: StepItem): RunState {
  return inLastStep(state, (items) => [...items, item]);
}

function withText(state: RunState, type: 'text' | 'reasoning', text: string): RunState {
  return inLastStep(state, (items) => {
    const last = items.at(-1);
    if (last?.type === type) return [...items.slice(0, -1), { ...last, text: last.text + text }];
    return [...items, type === 'text' ? { type, text } : { type, text, duration: undefined }];
  });
}

function callOf(state: RunState, id: string): CallItem | undefined {
  for (const { items } of state.steps)
    for (const item of items) if (item.type === 'call' && item.id === id) return item;
  return undefined;
}

function inCall(state: RunState, id: string, change: (call: CallItem) => CallItem): RunState {
  const isIt = (item: StepItem): boolean => item.type === 'call' && item.id === id;
  const steps = state.steps.map((step) => {
    if (!step.items.some(isIt)) return step;
    return { ...step, items: step.items.map((item) => (item.type === 'call' && item.id === id ? change(item) : item)) };
  });
  return { ...state, steps };
}

function isReasoning(item: StepItem): item is ReasoningItem {
  return item.type === 'reasoning';
}

/** Says that a step begins anew; a server that takes the run up counts its attempts from 1 again. */
function resetNote(items: readonly StepItem[], { reason, message }: { reason: string; message?: string }): NoteItem {
  if (reason === 'interrupted') return { type: 'note', text: `Begun anew: ${message ?? reason}`, attempt: 1 };
  const before = items.flatMap((item) => (item.type === 'note' ? (item.attempt ?? []) : [])).at(-1);
  const attempt = (before ?? 1) + 1;
  return { type: 'note', text: `Attempt ${attempt} of ${MOST_ATTEMPTS}: ${message ?? reason}`, attempt };
}

/** What the model has said is void, what people and the server have said is not. */
function staysAfterReset({ type }: StepItem): boolean {
  return type === 'said' || type === 'note';
}

function replaceLast<I extends StepItem>(
  items: readonly StepItem[],
  isIt: (item: StepItem) => item is I,
  change: (item: I) => I,
): readonly StepItem[] {
  const index = items.findLastIndex(isIt);
  return items.map((item, at) => (at === index && isIt(item) ? change(item) : item));
}
