import { expect, it } from 'vitest';
import { QuirksSchema, toQuirks } from './quirks.ts';

it('names of models are beginnings, not patterns', () => {
  const { reasoningModels } = toQuirks({ reasoningModels: ['acme-think', 'a.b(', '^(x+)+$'] });
  const taken = ['acme-think', 'acme-think-2', 'a.b(c', '^(x+)+$'];
  const others = ['my-acme-think', 'acme-thin', 'aXb(', 'xxx'];
  expect(taken.filter((name) => !reasoningModels?.test(name))).toEqual([]);
  expect(others.filter((name) => reasoningModels?.test(name))).toEqual([]);
});

it('ids of tool calls have exactly the length, in letters and digits', () => {
  const { toolCallIds } = toQuirks({ toolCallIds: { length: 9 } });
  expect(['abcDEF123', 'abcDEF12', 'abcDEF1234', 'abc_EF123'].map((id) => toolCallIds?.pattern.test(id))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

it('efforts have the words that are given, for models whose names begin so', () => {
  const given = { models: ['acme-think'], words: { low: 'some', max: 'all' }, as: 'reasoning', notWithTools: true };
  const { effort } = toQuirks(QuirksSchema.parse({ effort: [given, { words: { high: 'much' } }] }));
  expect(effort).toEqual([
    { models: /^(?:acme-think)/, words: { low: 'some', max: 'all' }, as: 'reasoning', notWithTools: true },
    { words: { high: 'much' } },
  ]);
  for (const wrong of [{ words: { none: 'x' } }, { words: { low: '' } }, { words: 'low' }, {}]) {
    expect(QuirksSchema.safeParse({ effort: [wrong] }).success, JSON.stringify(wrong)).toBe(false);
  }
});
