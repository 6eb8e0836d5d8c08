import type { ApprovalDecision, RunEvent, RunEventData } from '../../../src/client/run-events.ts';
import { NO_EVENTS, type RunState, withEvents } from '../../../src/client/run-state.ts';

/** A stretch of time that a run has spent on one thing. */
export interface Span {
  /** Of the event by which it began, and so its own. */
  id: number;
  kind: 'model' | 'call' | 'wait';
  step: number;
  label: string;
  /** Of the call that it is, or that is asked about. */
  callId: string | undefined;
  /** Of the question that it waits for. */
  approvalId: string | undefined;
  /** Milliseconds since 1970. */
  from: number;
  /** The same; undefined while it goes on. */
  to: number | undefined;
  /** How it ended, in words; undefined while it goes on. */
  outcome: string | undefined;
  tone: 'good' | 'bad' | 'warn' | undefined;
}

/** A run with what it has spent its time on. */
export interface TimedRun {
  state: RunState;
  /** In the order in which they began. */
  spans: readonly Span[];
  startedAt: number | undefined;
  endedAt: number | undefined;
}

/** Before the first event. */
export const NO_TIME: TimedRun = { state: NO_EVENTS, spans: [], startedAt: undefined, endedAt: undefined };

/** @returns the run after some more events. */
export function withTimes(timed: TimedRun, events: readonly RunEvent[]): TimedRun {
  const state = withEvents(timed.state, events);
  const times = events.reduce(timesAfter, timed);
  return { ...times, state };
}

function timesAfter(timed: TimedRun, event: RunEvent): TimedRun {
  if (event.type === 'reset') {
    const events = event.data.events.map(({ id, event: stored }) => ({ ...stored, id }) as RunEvent);
    return events.reduce(timesAfter, NO_TIME);
  }
  const startedAt = timed.startedAt ?? event.timestamp;
  const isEnd = event.type === 'complete' || event.type === 'error';
  const endedAt = isEnd ? event.timestamp : undefined;
  const spans = spansAfter(timed.spans, event);
  if (spans === timed.spans && startedAt === timed.startedAt && endedAt === timed.endedAt) return timed;
  return { ...timed, spans, startedAt, endedAt };
}

function spansAfter(spans: readonly Span[], event: RunEvent): readonly Span[] {
  const { timestamp: at } = event;
  switch (event.type) {
    case 'step:start':
      return [...spans, opened({ kind: 'model', step: event.data.step, label: 'Model', from: at }, event)];
    case 'step:complete':
      return closed(spans, isModel, { to: at, outcome: outcomeOf(event.data.finishReason), tone: 'good' });
    case 'attempt:reset': {
      const { step, reason, message } = event.data;
      const end: Omit<End, 'to'> =
        reason === 'interrupted' ? DIED : { outcome: `Given up: ${message ?? reason}`, tone: 'bad' };
      const ended = closed(spans, isModel, { to: at, ...end });
      return [...ended, opened({ kind: 'model', step, label: 'Model, once more', from: at }, event)];
    }
    case 'tool:call': {
      const { toolCallId, name, step } = event.data;
      const isIt = ({ callId }: Span): boolean => callId === toolCallId;
      const before = closed(modelEnded(spans, at), isIt, { to: at, ...DIED });
      const label = spans.some(isIt) ? `${name}, once more` : name;
      return [...before, opened({ kind: 'call', step, label, from: at, callId: toolCallId }, event)];
    }
    case 'tool:result': {
      const { toolCallId, status, duration } = event.data;
      const isIt = ({ callId, kind }: Span): boolean => callId === toolCallId && kind === 'call';
      // Between an answer and the call there may be a while, in which the run is taken up.
      const begun = spans.map((one) =>
        isIt(one) && one.to === undefined ? { ...one, from: Math.max(one.from, at - duration) } : one,
      );
      return closed(begun, isIt, { to: at, ...CALL_ENDS[status] });
    }
    case 'approval:required':
      return askedAbout(spans, event);
    case 'approval:resolved':
      return answered(spans, event);
    case 'complete':
      return closed(spans, () => true, { to: at, outcome: 'Ended', tone: undefined });
    case 'error':
      return closed(spans, () => true, { to: at, outcome: 'Broken off', tone: 'bad' });
    default:
      return spans;
  }
}

type End = Pick<Span, 'to' | 'outcome' | 'tone'>;

const DIED = { outcome: 'Broken off: the server died', tone: 'bad' } as const;

const CALL_ENDS: Record<RunEventData['tool:result']['status'], Omit<End, 'to'>> = {
  success: { outcome: 'Done', tone: 'good' },
  error: { outcome: 'Failed', tone: 'bad' },
  denied: { outcome: 'Not carried out', tone: 'warn' },
  cancelled: { outcome: 'Cancelled', tone: 'warn' },
};

const ANSWERS: Record<ApprovalDecision, Omit<End, 'to'>> = {
  'allow-once': { outcome: 'Allowed once', tone: 'good' },
  'allow-always': { outcome: 'Allowed always', tone: 'good' },
  deny: { outcome: 'Denied', tone: 'warn' },
  expired: { outcome: 'Nobody has answered in time', tone: 'warn' },
  cancelled: { outcome: 'Cancelled', tone: 'warn' },
};

function outcomeOf(finishReason: string): string {
  return finishReason === 'length' ? 'Cut off: it reached its most tokens' : 'Answered';
}

function opened(
  span: Pick<Span, 'kind' | 'step' | 'label' | 'from'> & Partial<Pick<Span, 'callId' | 'approvalId'>>,
  { id }: RunEvent,
): Span {
  return { callId: undefined, approvalId: undefined, ...span, id, to: undefined, outcome: undefined, tone: undefined };
}

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/** A person is asked about a call: it has been told of, but has not begun, unless the server has died in it. */
function askedAbout(spans: readonly Span[], event: Of<'approval:required'>): readonly Span[] {
  const { id: approvalId, toolCallId: callId, toolName, createdAt } = event.data;
  const isIt = (span: Span): boolean => span.callId === callId && span.kind === 'call' && span.to === undefined;
  const step = spans.find((span) => span.callId === callId)?.step ?? spans.at(-1)?.step ?? 1;
  // The call and the question are told of together.
  const begun = spans.filter((span) => !(isIt(span) && span.id === event.id - 1));
  const ended = closed(modelEnded(begun, event.timestamp), isIt, { to: event.timestamp, ...DIED });
  const label = `Asks a person: ${toolName}`;
  return [...ended, opened({ kind: 'wait', step, label, from: Date.parse(createdAt), callId, approvalId }, event)];
}

function answered(spans: readonly Span[], event: Of<'approval:resolved'>): readonly Span[] {
  const { id, decision } = event.data;
  const wait = spans.find(({ approvalId }) => approvalId === id);
  const ended = closed(spans, (span) => span === wait, { to: event.timestamp, ...ANSWERS[decision] });
  if (!wait || !decision.startsWith('allow')) return ended;
  const { step, callId } = wait;
  const label = wait.label.replace(/^[^:]*: /, '');
  return [...ended, opened({ kind: 'call', step, label, from: event.timestamp, callId }, event)];
}

function isModel({ kind }: Span): boolean {
  return kind === 'model';
}

/** Once calls begin, the model has answered. */
function modelEnded(spans: readonly Span[], at: number): readonly Span[] {
  return closed(spans, isModel, { to: at, outcome: 'Called tools', tone: 'good' });
}

/** Closes those of them that are still open. */
function closed(spans: readonly Span[], isIt: (span: Span) => boolean, end: End): readonly Span[] {
  const isOpen = (span: Span): boolean => span.to === undefined && isIt(span);
  if (!spans.some(isOpen)) return spans;
  return spans.map((span) => (isOpen(span) ? { ...span, ...end } : span));
}
