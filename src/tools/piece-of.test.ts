import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pieceOf } from './piece-of.ts';

describe('a piece of a text', () => {
  it('is where it was asked for, and says where the next one begins', () => {
    expect(pieceOf('abcdef', 1, 3)).toEqual({ piece: 'bcd', next: 4 });
    expect(pieceOf('abcdef', 4, 3)).toEqual({ piece: 'ef', next: null });
    expect(pieceOf('abcdef', 3, 3)).toEqual({ piece: 'def', next: null });
    expect(pieceOf('abcdef', 9, 3)).toEqual({ piece: '', next: null });
  });

  it('does not cut a character in two, unless it can give nothing else', () => {
    expect(pieceOf('ab👩c', 0, 3)).toEqual({ piece: 'ab', next: 2 });
    expect(pieceOf('ab👩c', 2, 2)).toEqual({ piece: '👩', next: 4 });
    expect(pieceOf('👩c', 0, 1)).toEqual({ piece: '\ufffd', next: 1 });
  });

  it('one after the other they are the whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 9 }), (text, limit) => {
        let read = '';
        for (let offset: number | null = 0; offset !== null; ) {
          const { piece, next }: ReturnType<typeof pieceOf> = pieceOf(text, offset, limit);
          expect(piece.length).toBeLessThanOrEqual(limit);
          read += piece;
          offset = next;
        }
        expect(read).toBe(text.toWellFormed());
      }),
    );
  });
});
