import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../core/json.ts';
import { DeltaEnvelope } from './openai-responses-envelope.ts';

const event = (delta: string, more: JsonObject = {}) => ({
  type: 'response.output_text.delta',
  sequence_number: 4,
  item_id: 'msg_1',
  output_index: 0,
  content_index: 0,
  delta,
  logprobs: [],
  obfuscation: 'aB3',
  ...more,
});

function learned(first: JsonObject): DeltaEnvelope {
  const envelope = new DeltaEnvelope();
  envelope.learn(JSON.stringify(first), JSON.parse(JSON.stringify(first)));
  return envelope;
}

describe('DeltaEnvelope', () => {
  it('opens what differs in text, number and padding', () => {
    const envelope = learned(event('Yes'));
    const next = event(', ö 🙂', { sequence_number: 12, obfuscation: '' });
    expect(envelope.open(JSON.stringify(next))).toMatchObject({ delta: ', ö 🙂', item_id: 'msg_1' });
    const { obfuscation: _, ...plain } = event('Yes');
    expect(learned(plain).open(JSON.stringify({ ...plain, delta: '' }))?.delta).toBe('');
  });

  it.each([
    ['another item', event('No', { item_id: 'msg_2' })],
    ['another type', event('No', { type: 'response.refusal.delta' })],
    ['a text with an escape', event('N\no')],
    ['something more', event('No', { more: 1 })],
    ['something else than text', event('No', { delta: 5 })],
  ])('leaves %s to be parsed', (_, next) => {
    expect(learned(event('Yes')).open(JSON.stringify(next))).toBeUndefined();
  });

  it('opens nothing before it has learnt, or from what it cannot tell apart', () => {
    expect(new DeltaEnvelope().open(JSON.stringify(event('Yes')))).toBeUndefined();
    for (const first of [event('Y\ns'), event('Yes', { logprobs: [{ delta: 'Yes' }] })]) {
      expect(learned(first).open(JSON.stringify(first))).toBeUndefined();
    }
  });

  it.each([
    '{"other":{"delta":"Yes"},"delta" :"Yes"}',
    '{"delta":"Yes","\\u0064elta":"Yes"}',
    '{"delta":"Yes","delta":"Yes"}',
  ])('does not take one place for another in %s', (data) => {
    const envelope = new DeltaEnvelope();
    envelope.learn(data, JSON.parse(data));
    expect(envelope.open(data.replace('Yes', 'No'))).toBeUndefined();
  });

  it('gives up on a provider that changes something else every time', () => {
    const envelope = new DeltaEnvelope();
    const data = (stamp: number) => JSON.stringify(event('Yes', { stamp }));
    for (let stamp = 0; stamp < 20; stamp++) envelope.learn(data(stamp), JSON.parse(data(stamp)));
    expect(envelope.open(data(19))).toBeUndefined();
  });

  it('says nothing that JSON.parse does not say', () => {
    const key = fc.constantFrom('delta', 'sequence_number', 'obfuscation', 'type', 'item_id', 'logprobs', 'x');
    const value = fc.oneof(fc.string(), fc.nat(), fc.constantFrom('","delta":"', '"}', '\\', '{', '\u0000', [], {}));
    const events = fc.array(fc.tuple(key, value), { maxLength: 7 }).map((fields) => Object.fromEntries(fields));
    const near = fc.tuple(fc.string(), fc.nat(), fc.string());
    const edit = fc.record({ at: fc.nat(), cut: fc.nat(2), put: fc.constantFrom('', '"', '\\', '0', ',', '}', '\t') });
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(event('Yes')), events),
        fc.array(near),
        fc.array(edit),
        (first, texts, edits) => {
          const envelope = learned(first);
          const like = texts.map(([delta, sequence_number, obfuscation]) => ({
            ...first,
            ...('delta' in first ? { delta } : {}),
            ...('sequence_number' in first ? { sequence_number } : {}),
            ...('obfuscation' in first ? { obfuscation } : {}),
          }));
          const all = [first, ...like].map((one) => JSON.stringify(one));
          const broken = edits.flatMap(({ at, cut, put }) =>
            all.map((data) => data.slice(0, at % data.length) + put + data.slice((at % data.length) + cut)),
          );
          for (const data of [...all, ...broken]) {
            const opened = envelope.open(data);
            if (opened === undefined) continue;
            const { sequence_number: _, obfuscation: __, ...said } = JSON.parse(data);
            expect(opened).toMatchObject(said);
            expect(opened.delta).toBe(said.delta);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
