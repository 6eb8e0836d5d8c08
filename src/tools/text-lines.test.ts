import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LineRange, takeLines } from './text-lines.ts';

const ALL: LineRange = { offset: 1, limit: Number.POSITIVE_INFINITY, maxChars: 1000 };

async function* each(pieces: readonly string[]): AsyncGenerator<string> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

const take = (text: string, range: Partial<LineRange>) => takeLines(each([text]), { ...ALL, ...range });

describe('takeLines', () => {
  it.each([
    ['a\nb\nc\n', {}, { shown: 'a\nb\nc\n', isCut: false }],
    ['a\nb\nc', {}, { shown: 'a\nb\nc', isCut: false }],
    ['a\nb\nc\n', { offset: 2 }, { shown: 'b\nc\n', isCut: false }],
    ['a\nb\nc\n', { limit: 2 }, { shown: 'a\nb\n', next: 3, isCut: false }],
    ['a\nb\nc\n', { offset: 2, limit: 1 }, { shown: 'b\n', next: 3, isCut: false }],
    ['a\nb\nc\n', { offset: 2, limit: 2 }, { shown: 'b\nc\n', isCut: false }],
    ['a\nb\nc\n', { offset: 4 }, { shown: '', isCut: false }],
    ['a\nb\nc\n', { offset: 9 }, { shown: '', isCut: false }],
    ['\n\n\n', { offset: 2, limit: 1 }, { shown: '\n', next: 3, isCut: false }],
    ['aaaa\nbbbb\ncccc\n', { maxChars: 12 }, { shown: 'aaaa\nbbbb\n', next: 3, isCut: false }],
    ['aaaa\nbbbb\n', { maxChars: 10 }, { shown: 'aaaa\nbbbb\n', isCut: false }],
    ['aaaa\nb', { offset: 1, maxChars: 3 }, { shown: 'aaa', next: 2, isCut: true }],
    ['aa😀\nb', { maxChars: 3 }, { shown: 'aa', next: 2, isCut: true }],
  ])('of %j with %j', async (text, range, lines) => {
    expect(await take(text, range)).toEqual(lines);
  });

  it('does not depend on the pieces', async () => {
    const some = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'é'), maxLength: 5 }), { maxLength: 12 });
    const range = fc.record({
      offset: fc.integer({ min: 1, max: 6 }),
      limit: fc.integer({ min: 1, max: 6 }),
      maxChars: fc.integer({ min: 1, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(some, range, async (pieces, chosen) => {
        expect(await takeLines(each(pieces), chosen)).toEqual(await take(pieces.join(''), chosen));
      }),
    );
  });

  it('gives the whole text, read on from where it stopped', async () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 9 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 3 }), async (some, limit) => {
        const text = some.join('\n');
        let read = '';
        for (let next: number | undefined = 1; next !== undefined; ) {
          const range: LineRange = { offset: next, limit, maxChars: 12 };
          const found = await take(text, range);
          read += found.shown;
          next = found.next;
        }
        expect(read).toBe(text);
      }),
    );
  });

  it('reads no further than it must', async () => {
    async function* endless(): AsyncGenerator<string> {
      for (;;) yield await Promise.resolve('line\n');
    }
    expect(await takeLines(endless(), { ...ALL, limit: 3 })).toMatchObject({ shown: 'line\nline\nline\n', next: 4 });
    expect(await takeLines(endless(), ALL)).toMatchObject({ next: 201 });
  });
});
