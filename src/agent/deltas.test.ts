import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../storage/run-events.ts';
import { addDelta, continues } from './deltas.ts';

function content(text: string, step = 1): NewEvent {
  return { type: 'content', data: { step, text } };
}

function thought(text: string, step = 1): NewEvent {
  return { type: 'thinking:update', data: { step, text } };
}

function progress(text: string, toolCallId = 'a'): NewEvent {
  return { type: 'tool:progress', data: { toolCallId, text } };
}

const END: NewEvent = { type: 'thinking:end', data: { step: 1, duration: 3 } };

function added(...events: NewEvent[]): NewEvent[] {
  const all: NewEvent[] = [];
  for (const event of events) addDelta(all, event);
  return all;
}

describe('deltas', () => {
  it('of one text become one', () => {
    expect(added(content('Once '), content('upon '), content('a time'))).toEqual([content('Once upon a time')]);
    expect(added(thought('Let '), thought('me see'))).toEqual([thought('Let me see')]);
    expect(added(progress('1\n'), progress('2\n'))).toEqual([progress('1\n2\n')]);
  });

  it.each<[string, ...NewEvent[]]>([
    ['of two steps', content('a', 1), content('b', 2)],
    ['of two commands', progress('a', 'a'), progress('b', 'b')],
    ['of reasoning and answer', thought('a'), content('b')],
    ['of one step with something between them', content('a'), END, content('b')],
    [
      'of another kind, even if they look alike',
      { type: 'tool:call', data: { step: 1 } },
      { type: 'tool:call', data: { step: 1 } },
    ],
  ])('%s stay apart', (_, ...events: NewEvent[]) => {
    expect(added(...events)).toEqual(events);
  });

  it('count the characters that they bring', () => {
    const events: NewEvent[] = [];
    expect([content('four'), content('more'), END, content('')].map((event) => addDelta(events, event))).toEqual([
      4, 4, 0, 0,
    ]);
  });

  it('leave the events that they are given as they are', () => {
    const [first, second] = [content('a'), content('b')];
    added(first, second);
    expect([first, second]).toEqual([content('a'), content('b')]);
  });

  it('keep the key of the first, which a repeated commit is known by', () => {
    const events: NewEvent[] = [{ ...content('a'), key: 'batch' }];
    addDelta(events, content('b'));
    expect(events).toEqual([{ ...content('ab'), key: 'batch' }]);
  });

  it('never lose, add or reorder text', () => {
    const anyEvent = fc.oneof(
      fc
        .tuple(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 2 }))
        .map(([text, step]) => content(text, step)),
      fc
        .tuple(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 2 }))
        .map(([text, step]) => thought(text, step)),
      fc.tuple(fc.string(), fc.constantFrom('a', 'b')).map(([text, id]) => progress(text, id)),
      fc.constant(END),
    );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        const all = added(...events);
        // Character by character, with where each belongs to.
        const spelt = (some: readonly NewEvent[]): string[] =>
          some.flatMap(({ type, data: { text = '', ...place } }) => {
            const of = JSON.stringify([type, place]);
            return type === 'thinking:end'
              ? [of]
              : String(text)
                  .split('')
                  .map((unit) => of + unit);
          });
        expect(spelt(all)).toEqual(spelt(events));
        for (const [index, event] of all.entries()) {
          const before = all[index - 1];
          if (before) expect(continues(before, event)).toBe(false);
        }
      }),
    );
  });
});
