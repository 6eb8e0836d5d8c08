import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openaiChat } from './openai-chat.ts';
import { Envelope } from './openai-chat-envelope.ts';

const chunk = (delta: object, more: object = {}): string =>
  JSON.stringify({
    id: 'x',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: null }],
    ...more,
  });

describe('the envelope of a chunk', () => {
  it('gives any text out of the same envelope, and nothing out of another', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ unit: 'binary' }), (first, second) => {
        const envelope = new Envelope();
        envelope.learn(chunk({ content: first }), first);
        expect(envelope.open(chunk({ content: second }))).toBe(second);
        expect(envelope.open(chunk({ content: second }, { usage: { total_tokens: 1 } }))).toBeUndefined();
        expect(envelope.open(chunk({ content: second, reasoning: 'r' }))).toBeUndefined();
      }),
    );
  });

  it('knows nothing before it has learned', () => {
    expect(new Envelope().open(chunk({ content: 'a' }))).toBeUndefined();
  });

  it('does not take another place for that of the text', () => {
    const envelope = new Envelope();
    const data = `{"note":{"content":"a"},${chunk({ content: 'a' }).slice(1)}`;
    envelope.learn(data, 'a');
    expect(envelope.open(data.replace('"a"', '"b"'))).toBeUndefined();
  });

  it('does not take more than a string for the text', () => {
    const envelope = new Envelope();
    envelope.learn(chunk({ content: 'a' }), 'a');
    expect(envelope.open(chunk({ content: 'a', refusal: 'no' }).replace('"refusal"', '"x","refusal"'))).toBeUndefined();
    expect(envelope.open(chunk({ content: null }))).toBeUndefined();
  });

  it('learns again when the envelope changes, but not for ever', () => {
    const envelope = new Envelope();
    for (let i = 0; i < 8; i++) {
      envelope.learn(chunk({ content: 'a' }, { i }), 'a');
      expect(envelope.open(chunk({ content: 'b' }, { i }))).toBe('b');
    }
    envelope.learn(chunk({ content: 'a' }, { i: 9 }), 'a');
    expect(envelope.open(chunk({ content: 'b' }, { i: 9 }))).toBeUndefined();
  });

  it('makes no difference to what a stream is read as', () => {
    const deltas = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.record({ content: fc.string({ unit: 'binary' }) }) },
        fc.record({ content: fc.constant('x'), reasoning: fc.string() }),
        fc.record({ tool_calls: fc.constant([{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }]) }),
      ),
    );
    fc.assert(
      fc.property(deltas, (all) => {
        const reader = openaiChat.reader({});
        const together = all.flatMap((delta) => reader.step({ event: '', data: chunk(delta) }));
        // A fresh reader has learned nothing.
        const apart = all.flatMap((delta) => openaiChat.reader({}).step({ event: '', data: chunk(delta) }));
        expect(together).toEqual(apart);
      }),
    );
  });
});
