import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedText } from './bounded-text.ts';

function of(max: number, ...pieces: string[]): BoundedText {
  const text = new BoundedText(max);
  for (const piece of pieces) text.add(piece);
  return text;
}

describe('BoundedText', () => {
  it('keeps what fits', () => {
    const text = of(10, 'abc', '', 'defghij');
    expect([text.toString(), text.isTruncated]).toEqual(['abcdefghij', false]);
  });

  it('keeps beginning and end of what does not, and counts the rest', () => {
    const text = of(4, 'abc', 'def', 'g');
    expect([text.toString(), text.isTruncated]).toEqual(['ab\n[… 3 characters left out …]\nfg', true]);
  });

  it('cuts no character in two', () => {
    expect(of(6, 'ab😀cdef😀gh').toString()).toBe('ab\n[… 8 characters left out …]\ngh');
  });

  it('does not depend on the pieces', () => {
    const pieces = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 40 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 2, max: 30 }), (some, max) => {
        expect(of(max, ...some).toString()).toBe(of(max, some.join('')).toString());
      }),
    );
  });
});
