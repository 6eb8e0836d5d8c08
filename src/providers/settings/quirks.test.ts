import { expect, it } from 'vitest';
import { toQuirks } from './quirks.ts';

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
