import { expect, it } from 'vitest';
import { isNestedAtMost } from './nesting.ts';

it.each([
  ['text', 0, true],
  [null, 0, true],
  [{}, 0, false],
  [{}, 1, true],
  [[[1]], 1, false],
  [[[1]], 2, true],
  [{ a: [{ b: 1 }], c: 2 }, 2, false],
  [{ a: [{ b: 1 }], c: 2 }, 3, true],
])('%j within %i levels: %s', (value, levels, expected) => expect(isNestedAtMost(value, levels)).toBe(expected));

it('does not itself run out of stack', () => {
  expect(isNestedAtMost(JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)), 100)).toBe(false);
});
