import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/client/run-events.ts';
import { NO_EVENTS, type RunState, withEvents } from '../../src/client/run-state.ts';
import type { Message } from '../../src/client/types.ts';
import { type ConversationParts, entriesOf, toldOf } from '../../web/src/conversation/entries.ts';
import { type History, type HistoryPage, withNewest, withOlder } from '../../web/src/conversation/history.ts';

const message = (seq: number, about: Partial<Message>): Message => ({
  ...{ id: `msg_${seq}`, conversationId: 'conv_1', seq, role: 'assistant', content: '', reasoning: null },
  ...{ model: 'demo', provider: 'demo', tokenUsage: null, cost: null, toolCalls: [], finishReason: 'stop' },
  ...{ duration: 5, status: 'complete', error: null, createdAt: new Date(seq * 1000).toISOString(), ...about },
});
const user = (seq: number, content: string, about: Partial<Message> = {}) =>
  message(seq, { role: 'user', content, ...about });

/** A run as its first events tell it, given without their numbers. */
function told(...events: { type: string; data: object }[]): RunState {
  const numbered = events.map((event, index) => ({ ...event, id: index + 1, timestamp: 0 })) as RunEvent[];
  return withEvents(NO_EVENTS, numbered);
}
const begins = { type: 'user_message', data: { id: 'msg_3', content: 'Go' } };
const step = (number: number) => ({ type: 'step:start', data: { step: number, usedBudget: 0 } });
const says = (number: number, text: string) => ({ type: 'content', data: { step: number, text } });
const ends = (number: number, messageId: string) => ({
  type: 'step:complete',
  data: { step: number, messageId, duration: 5, finishReason: 'stop', usedBudget: 0 },
});
const steers = { type: 'user_message', data: { id: 'msg_5', content: 'Faster', steering: true } };
const OLD = [user(1, 'Before'), message(2, { content: 'Was so.' })];

const parts = (about: Partial<ConversationParts>): ConversationParts => ({
  ...{ messages: OLD, live: undefined, told: new Map(), lastRun: undefined },
  ...about,
});

/** What is read, top to bottom. */
function read(given: ConversationParts): string[] {
  return entriesOf(given).map((entry) => {
    if (entry.type === 'user') return `> ${entry.content}`;
    if (entry.type === 'end') return `! ${entry.code}`;
    return entry.step.items.map((item) => ('text' in item ? item.text : item.type)).join(' ');
  });
}

describe('a live run beside stored messages', () => {
  const state = told(begins, step(1), says(1, 'One.'), ends(1, 'msg_4'), steers, step(2), says(2, 'Two'));
  const live = { id: 'run_1', state };

  it.each([
    ['nothing of it', OLD],
    ['its message', [...OLD, user(3, 'Go')]],
    ['its first step', [...OLD, user(3, 'Go'), message(4, { content: 'One.' })]],
    ['what was said to it', [...OLD, user(3, 'Go'), message(4, { content: 'One.' }), user(5, 'Faster')]],
  ])('is told once, where %s is stored', (_, messages) => {
    const given = parts({ messages, live });
    expect(read(given)).toEqual(['> Before', 'Was so.', '> Go', 'One.', '> Faster', 'Two']);
    expect(entriesOf(given).map(({ key }) => key)).toEqual(['msg_1', 'msg_2', 'msg_3', 'run_1 1', 'msg_5', 'run_1 2']);
  });

  it('keeps keys and what only it knew when its messages take its place', () => {
    const thought = { type: 'thinking:start', data: { step: 1 } };
    const after = { type: 'thinking:end', data: { step: 1, duration: 3000 } };
    const over = told(begins, step(1), thought, after, says(1, 'One.'), ends(1, 'msg_4'), {
      type: 'complete',
      data: { stopReason: 'completed', totalTokens: 0 },
    });
    const messages = [...OLD, user(3, 'Go'), message(4, { content: 'One.', reasoning: 'Hm' })];
    const before = parts({ messages, live: { id: 'run_1', state: over } });
    const settled = parts({ messages, told: new Map(toldOf(before)) });
    expect(entriesOf(settled).map(({ key }) => key)).toEqual(entriesOf(before).map(({ key }) => key));
    expect(entriesOf(settled).at(-1)).toMatchObject({ step: { items: [{ duration: 3000 }, { text: 'One.' }] } });
  });

  it('finds the answer that was broken off, whose message nobody has named', () => {
    const stopped = told(begins, step(1), says(1, 'On'), { type: 'error', data: { code: 'CANCELLED', message: '' } });
    const messages = [...OLD, user(3, 'Go'), message(4, { content: 'On', finishReason: 'cancelled' })];
    expect(read(parts({ messages, live: { id: 'run_1', state: stopped } }))).toEqual([
      ...['> Before', 'Was so.', '> Go', 'On', '! CANCELLED'],
    ]);
  });

  it('does not take a later answer for its own', () => {
    const failed = told(begins, step(1), { type: 'error', data: { code: 'provider_auth', message: 'No' } });
    const messages = [...OLD, user(3, 'Go'), user(4, 'Other'), message(5, { content: 'Other answer' })];
    expect(read(parts({ messages, live: { id: 'run_1', state: failed } }))).toContain('Other answer');
  });
});

describe('stored messages', () => {
  it('say why a turn failed, and can be tried again at the end only', () => {
    const error = { code: 'provider_auth', message: 'Wrong key' };
    const failed = (seq: number) => user(seq, `Q${seq}`, { status: 'failed', error });
    const entries = entriesOf(parts({ messages: [failed(1), failed(2)] }));
    expect(entries.flatMap((entry) => (entry.type === 'end' ? entry.isLast : []))).toEqual([false, true]);
  });

  it('give an answer of several steps one sum', () => {
    const usage = { prompt: 1, completion: 1, total: 2 };
    const one = message(2, { content: 'One.', tokenUsage: usage, cost: 0.5 });
    const two = message(3, { content: 'Two.', tokenUsage: usage, cost: null });
    const entries = entriesOf(parts({ messages: [user(1, 'Go'), one, two] }));
    expect(entries.map((entry) => (entry.type === 'step' ? entry.answer : null))).toEqual([
      null,
      undefined,
      expect.objectContaining({ text: 'One.\n\nTwo.', tokens: 4, cost: 0.5, isLast: true, userId: 'msg_1' }),
    ]);
  });
});

describe('pages of a history', () => {
  const conversation = { id: 'conv_1' } as History['conversation'];
  const page = (from: number, to: number, before: number | null): HistoryPage => ({
    conversation,
    messages: Array.from({ length: to - from + 1 }, (_, index) => user(from + index, `${from + index}`)),
    hasMore: before !== null,
    nextBefore: before,
  });
  const seqs = ({ messages }: History) => messages.map(({ seq }) => seq);

  it('join on to each other at both ends', () => {
    const first = withNewest(undefined, page(5, 8, 5));
    const both = withOlder(first, page(1, 4, null));
    expect(seqs(both)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(seqs(withNewest(both, page(7, 10, 7)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('begin anew where something is missing in between, or was deleted', () => {
    const first = withNewest(undefined, page(5, 8, 5));
    expect(seqs(withNewest(first, page(10, 12, 10)))).toEqual([10, 11, 12]);
    expect(seqs(withNewest(first, page(3, 6, 3)))).toEqual([3, 4, 5, 6]);
    expect(seqs(withNewest(first, page(1, 2, null)))).toEqual([1, 2]);
  });
});
