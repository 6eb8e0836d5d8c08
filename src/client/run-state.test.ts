import { describe, expect, it } from 'vitest';
import type { RunEvent, RunEventData } from './run-events.ts';
import { type CallItem, NO_EVENTS, type RunState, withEvents } from './run-state.ts';

/** Events in order, numbered from 1. */
function events(
  ...list: { [T in keyof RunEventData]: [T, Partial<RunEventData[T]>?] }[keyof RunEventData][]
): RunEvent[] {
  return list.map(([type, data = {}], index) => ({ id: index + 1, type, data, timestamp: 1000 + index }) as RunEvent);
}

function stateOf(list: RunEvent[]): RunState {
  return withEvents(NO_EVENTS, list);
}

function itemsOf({ steps }: RunState): unknown[] {
  return steps.flatMap(({ items }) => items);
}

const STEP: RunEvent[] = events(['user_message', { id: 'msg_1', content: 'Hi' }], ['step:start', { step: 1 }]);

/** The same with more events after the start of the first step. */
function inStep(...list: Parameters<typeof events>): RunState {
  const more = events(...list).map((event) => ({ ...event, id: event.id + STEP.length }));
  return stateOf([...STEP, ...more]);
}

describe('the state of a run', () => {
  it('joins the pieces of a text and of reasoning, in the order in which they came', () => {
    const state = inStep(
      ['thinking:start', { step: 1 }],
      ['thinking:update', { step: 1, text: 'Let ' }],
      ['thinking:update', { step: 1, text: 'me' }],
      ['thinking:end', { step: 1, duration: 5 }],
      ['content', { step: 1, text: 'One ' }],
      ['content', { step: 1, text: 'two' }],
    );
    expect(state.user).toEqual({ id: 'msg_1', content: 'Hi' });
    expect(itemsOf(state)).toEqual([
      { type: 'reasoning', text: 'Let me', duration: 5 },
      { type: 'text', text: 'One two' },
    ]);
    expect(state.lastEventId).toBe(8);
  });

  it('is the same however its events come', () => {
    const list = [...STEP, ...events(['content', { step: 1, text: 'a' }], ['content', { step: 1, text: 'b' }])];
    expect(list.reduce((state, event) => withEvents(state, [event]), NO_EVENTS)).toEqual(stateOf(list));
  });

  it('leaves alone what an event does not change', () => {
    const before = stateOf([...STEP, ...events(['step:start', { step: 2 }])]);
    const after = withEvents(before, events(['content', { step: 2, text: 'x' }]));
    expect(after.steps[0]).toBe(before.steps[0]);
    expect(after.approvals).toBe(before.approvals);
    expect(before.steps[1]?.items).toEqual([]);
  });

  it('voids what the model said before an attempt that begins anew, but not what people said', () => {
    const state = inStep(
      ['user_message', { id: 'msg_2', content: 'Hurry', steering: true }],
      ['content', { step: 1, text: 'Lost' }],
      ['attempt:reset', { step: 1, reason: 'interrupted' }],
      ['content', { step: 1, text: 'Found' }],
    );
    expect(itemsOf(state)).toEqual([
      { type: 'said', id: 'msg_2', content: 'Hurry' },
      { type: 'note', text: 'Begun anew: interrupted', attempt: 1 },
      { type: 'text', text: 'Found' },
    ]);
  });

  it('counts the attempts at a step, anew after the server died', () => {
    const failed = ['attempt:reset', { step: 1, reason: 'provider_unavailable', message: 'Boom' }] as const;
    const died = ['attempt:reset', { step: 1, reason: 'interrupted' }] as const;
    const { steps } = inStep([...failed], [...failed], [...died], [...failed]);
    const texts = steps.flatMap(({ items }) => items.map((item) => item.type === 'note' && item.text));
    expect(texts).toEqual([
      ...['Attempt 2 of 3: Boom', 'Attempt 3 of 3: Boom'],
      ...['Begun anew: interrupted', 'Attempt 2 of 3: Boom'],
    ]);
  });

  it('keeps what is said before the first step', () => {
    const said = ['user_message', { id: 'msg_2', content: 'Wait', steering: true }] as const;
    const state = stateOf(events([...said], ['step:start', { step: 1 }], ['content', { step: 1, text: 'Yes' }]));
    expect(itemsOf(state)).toMatchObject([
      { type: 'said', content: 'Wait' },
      { type: 'text', text: 'Yes' },
    ]);
    expect(state.steps).toHaveLength(1);
  });

  it('follows a call: its output, its result, and that it is told of again after a crash', () => {
    const call = ['tool:call', { toolCallId: 'c', name: 'exec', arguments: { command: 'ls' }, step: 1 }] as const;
    const running = inStep([...call], ['tool:progress', { toolCallId: 'c', text: 'half' }]);
    expect(itemsOf(running)).toMatchObject([{ type: 'call', id: 'c', status: 'running', progress: 'half' }]);
    const again = withEvents(running, events([...call]));
    expect(itemsOf(again)).toMatchObject([{ status: 'running', progress: '' }]);
    const result = { toolCallId: 'c', name: 'exec', result: 'a', status: 'success', duration: 3 } as const;
    const [done] = itemsOf(withEvents(again, events(['tool:result', result]))) as CallItem[];
    expect(done).toMatchObject({ status: 'success', result: 'a', duration: 3 });
  });

  it('keeps what became of an approval, and knows whether it waits', () => {
    const asked = inStep(['approval:required', { id: 'a', status: 'pending' }], ['waiting', { approvals: ['a'] }]);
    expect(asked).toMatchObject({ isWaiting: true, approvals: [{ id: 'a', status: 'pending' }] });
    const resolved = withEvents(asked, events(['approval:resolved', { id: 'a', decision: 'allow-always', by: 'x' }]));
    expect(resolved).toMatchObject({ isWaiting: false, approvals: [{ status: 'allowed', decidedBy: 'x' }] });
  });

  it('is what a reset says, and goes on after its last event', () => {
    const before = inStep(['content', { step: 1, text: 'On' }]);
    const stored = [...STEP, ...events(['content', { step: 1, text: 'One' }])].map(({ id, ...event }) => ({
      id,
      event,
    }));
    const reset = { reason: 'folded', lastEventId: 9, events: stored };
    const after = withEvents(before, events(['reset', reset], ['content', { step: 1, text: ' two' }]));
    expect(itemsOf(after)).toEqual([{ type: 'text', text: 'One two' }]);
    expect(withEvents(before, events(['reset', reset])).lastEventId).toBe(9);
  });

  it('knows its end, and nothing waits then', () => {
    const failed = inStep(['waiting', { approvals: [] }], ['error', { code: 'CANCELLED', message: 'Stopped' }]);
    expect(failed).toMatchObject({ isWaiting: false, end: { type: 'error', data: { code: 'CANCELLED' } } });
  });
});
