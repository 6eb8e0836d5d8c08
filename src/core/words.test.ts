import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordsOf } from './words.ts';

const ALL = 1_000_000;

describe('wordsOf', () => {
  it.each<[string, string[]]>([
    ['The quick, quick FOX', ['the', 'quick', 'fox']],
    ["don't foo_bar a-b c.d 3.14", ['don', 't', 'foo', 'bar', 'a', 'b', 'c', 'd', '3', '14']],
    ['', []],
    [' .,;!?"\'*()_-—…👩‍👩‍👧🏳️‍🌈\0\u0001\ufffe\uffff', []],
    ['a\0b', ['a', 'b']],
    ['\ud800a\udc00b\udc00\ud800', ['a', 'b']],
    ['é', ['e']],
    ['\ud800\0É', ['e']],
    ['Café cafe\u0301 CAFÉ', ['cafe']],
    ['Zażółć gęślą', ['zazołc', 'gesla']],
    ['ﬁne Ⅻ ｗｉｄｅ x² ½', ['fine', 'xii', 'wide', 'x2', '1', '2']],
    ['İstanbul ſ', ['istanbul', 's']],
    ['ΟΔΟΣ ὁδός οδοσ', ['οδοσ']],
    ['Война и мир', ['воина', 'и', 'мир']],
    ['日本語 and 日本', ['日', '本', '語', 'and']],
    ['abc日123', ['abc', '日', '123']],
    ['がカーﾊﾟ', ['か', 'カ', 'ー', 'ハ']],
    ['ひら カタ ーab', ['ひ', 'ら', 'カ', 'タ', 'ー', 'ab']],
    ['𠀀𠀁x', ['𠀀', '𠀁', 'x']],
    ['𝕏 𞤀', ['x', '𞤢']],
    ['한국어를 한국어를'.normalize('NFD'), ['한국어를']],
    ['สวัสดี', ['ส', 'ว', 'ด']],
    ['ລາວ ខ្មែរ မြန်', ['ລ', 'າ', 'ວ', 'ខ', 'ម', 'រ', 'မ', 'န']],
    ['हिन्दी', ['हनद']],
    ['سلام ١٢', ['سلام', '١٢']],
  ])('%j', (text, words) => expect(wordsOf(text, ALL)).toEqual(words));

  it('reads only the beginning', () => {
    expect(wordsOf('one two three', 7)).toEqual(['one', 'two']);
    expect(wordsOf('one two three', 6)).toEqual(['one', 'tw']);
    expect(wordsOf('é two three', 5)).toEqual(['e', 'two']);
    expect(wordsOf('é 𠀀', 3)).toEqual(['e']);
    expect(wordsOf('one', 0)).toEqual([]);
  });

  it('cuts a long word, between characters', () => {
    expect(wordsOf(`${'a'.repeat(64)} ${'a'.repeat(65)} ${'a'.repeat(1000)}`, ALL)).toEqual(['a'.repeat(64)]);
    expect(wordsOf(`x${'𞤀'.repeat(1000)}`, ALL)).toEqual([`x${'𞤢'.repeat(63)}`]);
  });

  it('gives no more than it reads, also of characters that stand for whole phrases', () => {
    // U+FDFA becomes 18 characters, U+FB2C one with two marks.
    expect(wordsOf('\ufdfa', 18).length).toBeGreaterThan(0);
    const text = Array.from({ length: 1000 }, (_, i) => `${i}\ufdfa`).join('');
    expect(wordsOf(text, 1000).join('').length).toBeLessThanOrEqual(1000);
    expect(wordsOf('\ufb2c', 1)).toEqual(['ש']);
  });

  it('is not slowed down by a long run of marks out of order', () => {
    // Sorting them would outlast the test by far.
    expect(wordsOf(`a${'\u0301\u0316'.repeat(300_000)}b`, 10_000_000)).toEqual(['ab']);
  });

  it('finds the same in its own words, whatever the text', () => {
    const unit = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
    const surrogates = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(fc.oneof(unit, surrogates), fc.nat(200), (text, maxChars) => {
        const words = wordsOf(text, maxChars);
        expect(new Set(words).size).toBe(words.length);
        expect(words.join('').length).toBeLessThanOrEqual(maxChars);
        for (const word of words) expect(word).toMatch(/^[\p{L}\p{N}]{1,64}$/u);
        expect(wordsOf(words.join(' '), ALL)).toEqual(words);
        expect(wordsOf(text.normalize('NFD'), ALL)).toEqual(wordsOf(text, ALL));
      }),
      { numRuns: 2000 },
    );
  });
});
