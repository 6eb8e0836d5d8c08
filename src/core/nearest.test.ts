import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

const NAMES = ['claude-sonnet-5', 'claude-opus-5', 'gpt-4o', 'gpt-4o-mini', 'gemini-pro', 'sonnet', 'opus'];

describe('nearest', () => {
  it.each<[string, string[]]>([
    ['claude-sonet-5', ['claude-sonnet-5', 'claude-opus-5']],
    ['gtp-4o', ['gpt-4o']],
    ['GPT-4O', ['gpt-4o', 'gpt-4o-mini']],
    ['sonne', ['claude-sonnet-5', 'sonnet']],
    ['opuss', ['opus']],
    ['zzzzzzzzzz', []],
  ])('%s is near to %j', (word, expected) => {
    expect(nearest(word, NAMES, 5).slice(0, expected.length)).toEqual(expected);
    if (expected.length === 0) expect(nearest(word, NAMES, 5)).toEqual([]);
  });

  it('gives at most the number asked for, each once, ties in alphabetical order', () => {
    expect(nearest('ac', ['ad', 'ab', 'ab', 'aa'], 2)).toEqual(['aa', 'ab']);
    expect(nearest('x', [], 5)).toEqual([]);
    expect(nearest('gpt', NAMES, 0)).toEqual([]);
  });

  it('does not compare the whole of a very long word', () => {
    // That would outlast the test by far.
    const candidates = Array.from({ length: 1000 }, (_, i) => `candidate-number-${i}`);
    expect(nearest('x'.repeat(500_000), candidates, 5)).toEqual([]);
  });
});
