import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/client/run-events.ts';
import { axisOf } from '../../web/src/runs/time-axis.ts';
import { NO_TIME, type Span, withTimes } from '../../web/src/runs/timeline.ts';

const BEGUN = Date.parse('2026-01-01T00:00:00Z');
const AT = { step: 1, maxSteps: 20, usedBudget: 0, maxBudget: null };
const DONE = { ...AT, toolCallsInStep: 1, finishReason: 'tool-calls', duration: 1, messageId: 'msg_1' };
const CALL = { toolCallId: 'call_1', name: 'exec', arguments: {}, step: 1 };
const RESULT = { toolCallId: 'call_1', name: 'exec', result: '', status: 'success' };

/** Events at seconds after the beginning, numbered as they come. */
const told = (...events: [number, string, object][]): RunEvent[] =>
  events.map(
    ([seconds, type, data], index) => ({ id: index + 1, type, data, timestamp: BEGUN + seconds * 1000 }) as RunEvent,
  );
const spansOf = (...events: [number, string, object][]) =>
  withTimes(NO_TIME, told(...events)).spans.map(({ label, from, to, outcome }) => [
    label,
    (from - BEGUN) / 1000,
    to === undefined ? undefined : (to - BEGUN) / 1000,
    outcome,
  ]);
const question = (seconds: number) => ({
  id: 'approval_1',
  toolCallId: 'call_1',
  toolName: 'exec',
  createdAt: new Date(BEGUN + seconds * 1000).toISOString(),
});

describe('what a run has spent its time on', () => {
  it('is the model until its first call, and then the calls', () => {
    expect(
      spansOf(
        [0, 'step:start', AT],
        [2, 'content', { step: 1, text: 'Let me look' }],
        [3, 'tool:call', CALL],
        [5, 'tool:result', { ...RESULT, duration: 2000 }],
        [6, 'step:complete', DONE],
      ),
    ).toEqual([
      ['Model', 0, 3, 'Called tools'],
      ['exec', 3, 5, 'Done'],
    ]);
  });

  it('is a person while one is asked, and the call only after the answer', () => {
    expect(
      spansOf(
        [0, 'step:start', AT],
        [1, 'tool:call', CALL],
        [1, 'approval:required', question(1)],
        [1, 'waiting', { approvals: ['approval_1'] }],
        [61, 'approval:resolved', { id: 'approval_1', decision: 'allow-once', by: 'local' }],
        [65, 'tool:result', { ...RESULT, duration: 3000 }],
      ),
    ).toEqual([
      ['Model', 0, 1, 'Called tools'],
      ['Asks a person: exec', 1, 61, 'Allowed once'],
      ['exec', 62, 65, 'Done'],
    ]);
  });

  it('has no call that was denied, and none that nobody has answered', () => {
    const asked: [number, string, object][] = [
      [0, 'tool:call', CALL],
      [0, 'approval:required', question(0)],
    ];
    const deny = { id: 'approval_1', decision: 'deny', by: 'local' };
    expect(spansOf(...asked)).toEqual([['Asks a person: exec', 0, undefined, undefined]]);
    expect(
      spansOf(
        ...asked,
        [9, 'approval:resolved', deny],
        [9, 'tool:result', { ...RESULT, status: 'denied', duration: 0 }],
      ),
    ).toEqual([['Asks a person: exec', 0, 9, 'Denied']]);
  });

  it('names attempts that were given up, and servers that died', () => {
    const failed = {
      step: 1,
      reason: 'provider_unavailable',
      message: 'The provider is overloaded',
      from: 'a',
      to: 'a',
    };
    expect(
      spansOf(
        [0, 'step:start', AT],
        [2, 'attempt:reset', failed],
        [4, 'attempt:reset', { step: 1, reason: 'interrupted', from: 'a', to: 'a' }],
        [5, 'tool:call', CALL],
        [9, 'tool:call', CALL],
        [10, 'tool:result', { ...RESULT, duration: 1000 }],
      ),
    ).toEqual([
      ['Model', 0, 2, 'Given up: The provider is overloaded'],
      ['Model, once more', 2, 4, 'Broken off: the server died'],
      ['Model, once more', 4, 5, 'Called tools'],
      ['exec', 5, 9, 'Broken off: the server died'],
      ['exec, once more', 9, 10, 'Done'],
    ]);
  });

  it('keeps a call in which the server died when a person is asked whether to repeat it', () => {
    expect(
      spansOf(
        [0, 'tool:call', CALL],
        [3, 'tool:progress', { toolCallId: 'call_1', text: 'x' }],
        [9, 'approval:required', question(9)],
      ),
    ).toEqual([
      ['exec', 0, 9, 'Broken off: the server died'],
      ['Asks a person: exec', 9, undefined, undefined],
    ]);
  });

  it('is the same in one go, event by event, and after a reset', () => {
    const events = told(
      [0, 'step:start', AT],
      [1, 'tool:call', CALL],
      [4, 'error', { message: 'Off', code: 'CANCELLED' }],
    );
    const whole = withTimes(NO_TIME, events);
    expect(whole).toMatchObject({ startedAt: BEGUN, endedAt: BEGUN + 4000 });
    expect(events.reduce((state, event) => withTimes(state, [event]), NO_TIME)).toEqual(whole);
    const stored = events.map(({ id, ...event }) => ({ id, event }));
    const reset = {
      id: 3,
      type: 'reset',
      data: { reason: '', lastEventId: 3, events: stored },
      timestamp: BEGUN + 9e6,
    };
    expect(withTimes(whole, [reset as RunEvent])).toEqual(whole);
  });
});

describe('the axis of the bars', () => {
  const span = (kind: Span['kind'], from: number, to: number | undefined): Span => ({
    ...{ id: from, kind, step: 1, label: '', from, to, outcome: '', tone: undefined },
    ...{ callId: undefined, approvalId: undefined },
  });

  it('is true to the time as long as there is work', () => {
    const axis = axisOf([span('model', 0, 1000), span('call', 1000, 4000)], 9000);
    expect([0, 500, 1000, 4000].map(axis.place)).toEqual([0, 0.125, 0.25, 1]);
    expect(axis.isShortened).toBe(false);
  });

  it('draws hours of waiting shorter, so that seconds of work stay visible', () => {
    const hours = 3_600_000;
    const axis = axisOf([span('model', 0, 1000), span('wait', 1000, hours), span('call', hours, hours + 1000)], 0);
    expect(axis.isShortened).toBe(true);
    expect(axis.place(1000)).toBeCloseTo(1000 / 2400);
    expect(axis.place(hours)).toBeCloseTo(1400 / 2400);
    expect(axis.place(hours + 1000)).toBe(1);
  });

  it('goes to now for what goes on', () => {
    expect(axisOf([span('model', 0, 1000), span('call', 1000, undefined)], 2000).place(1500)).toBe(0.75);
  });
});
