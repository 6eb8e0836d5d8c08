import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadableText, readableText } from './readable-text.ts';

/** Pieces that mean something to a terminal, to Unicode, or to both. */
const PIECES = [
  ...['\u001b', '\u001b[', '\u001b]', '\u001bP', '\u001b\\', '\u009b', '\u009d', '\u009c', '31', ';', 'm', '\u0007'],
  ...['\r', '\n', '\r\n', '\t', '\b', '\u007f', '\u0085', '\u2028', '\u0018', '(', 'B', ' '],
  ...['\u200d', '\u200c', '\u202e', '\ufe0f', '\ufeff', '\u{e0041}', '👩', '👧', 'می', '\ud83d', '\udc69', 'x', 'é'],
];

const anything = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary' })), { maxLength: 20 });

describe('text that people can read', () => {
  it.each<[what: string, given: string, readable: string]>([
    ['colours', '\u001b[1;31mred\u001b[0m and \u009b32mgreen', 'red and green'],
    ['the cursor', 'a\u001b[2J\u001b[1;1Hb\u001b[10Dc\u001b7\u001b8', 'abc'],
    ['a private mode', '\u001b[?1049h\u001b[?25lx\u001b[>0;276;0c', 'x'],
    ['a character set', '\u001b(Bx\u001b#8y', 'xy'],
    ['a title', 'a\u001b]0;evil title\u0007b\u001b]2;other\u001b\\c', 'abc'],
    ['a link', '\u001b]8;;https://evil.example\u001b\\here\u001b]8;;\u001b\\', 'here'],
    ['the clipboard', '\u001b]52;c;cm0gLXJmIC8=\u0007x\u009d52;c;YQ==\u009cy', 'xy'],
    [
      'a device string',
      'a\u001bPq#0;2;0;0;0#0~~\u001b\\b\u001b_app\u001b\\c\u001b^pm\u001b\\d\u001bXsos\u001b\\e',
      'abcde',
    ],
    ['one escape within another', 'a\u001b]0;t\u001b[31mb\u001b[3\u001b[0mc', 'abc'],
    ['an escape that is given up', 'a\u001b[31\u0018b\u001b]0;x\u001ac', 'abc'],
    ['an escape without an end', 'a\u001b[3', 'a'],
    ['a string without an end: it hides no more than its line', 'a\u001b]0;b\nc\u001bPd\re', 'a\nc\ne'],
    ['an escape that is none', 'a\u001bé\u001b\nb\u001b[é', 'aé\nbé'],
    ['control characters', 'a\u0000\u0001\u0007\b\u000e\u001f\u007f\u0080\u0099b\tc', 'ab\tc'],
    ['line ends of Windows and of old', 'a\r\nb\rc\r\r\nd\n\re\r', 'a\nb\nc\nd\n\ne\n'],
    ['other line ends', 'a\u000bb\u000cc\u0085d\u2028e\u2029f', 'a\nb\nc\nd\ne\nf'],
    ['what was written over', 'rm -rf /\rls      ', 'rm -rf /\nls      '],
    ['bidi overrides and isolates', 'a\u202eb\u202c\u2066c\u2069', 'a<U+202E>b<U+202C><U+2066>c<U+2069>'],
    ['zero width', 'pa\u200bss\u2060wo\ufeffrd\u00ad', 'pa<U+200B>ss<U+2060>wo<U+FEFF>rd<U+00AD>'],
    ['letters in tags', 'x\u{e0041}\u{e007f}', 'x<U+E0041><U+E007F>'],
    ['bytes in variation selectors', 'x\ufe0f\u2764\ufe0f\ufe01\u{e0101}', 'x<U+FE0F>\u2764\ufe0f<U+FE01><U+E0101>'],
    ['invisible letters', 'a\u3164b\u115f\u034f\u180e\ufff9', 'a<U+3164>b<U+115F><U+034F><U+180E><U+FFF9>'],
    ['joiners that join nothing', 'a\u200db\u200c \u200d', 'a<U+200D>b<U+200C> <U+200D>'],
    ['two joiners where one would do', '👩\u200d\u200d👧', '👩\u200d<U+200D>👧'],
    ['what is taken out between two that join', '👩\u0000\u001b[0m\u200d👧', '👩\u200d👧'],
    ['half a character', 'a\ud83d b\udc69', 'a\ufffd b\ufffd'],
  ])('%s', (_, given, readable) => {
    expect(readableText(given)).toBe(readable);
  });

  it.each([
    ['plain', 'Grüße, 世界!\n\tif (a < b) { "x" }\n'],
    ['emoji', '👩‍👩‍👧‍👦 👩🏽‍🚀 ❤️ 1️⃣ 🏳️‍🌈'],
    ['Persian and Hindi', 'می‌خواهم क्‍ष'],
    ['directions', 'שלום\u200f! \u200eabc \u061cعربي'],
    ['symbols of the private use area', '\ue0b0 \uf8ff'],
  ])('keeps what writing needs: %s', (_, text) => {
    expect(readableText(text)).toBe(text);
  });

  it('has nothing left that acts or hides, is the same again, and does not depend on how it is cut', () => {
    fc.assert(
      fc.property(anything, (pieces) => {
        const whole = readableText(pieces.join(''));
        expect(whole).not.toMatch(/(?![\n\t])\p{Cc}|[\u2028-\u202e\u2060-\u206f\u{e0000}-\u{e0fff}]/u);
        expect(whole.isWellFormed()).toBe(true);
        expect(readableText(whole)).toBe(whole);
        const cut = new ReadableText();
        expect(pieces.map((piece) => cut.add(piece)).join('') + cut.end()).toBe(whole);
        const units = new ReadableText();
        expect(
          pieces
            .join('')
            .split('')
            .map((unit) => units.add(unit))
            .join('') + units.end(),
        ).toBe(whole);
      }),
      { numRuns: 2000 },
    );
  });

  it('says what can be said at once', () => {
    const text = new ReadableText();
    expect(['10 %\r', '20 %\r', 'do', 'ne\u001b', '[0', 'm!\n'].map((piece) => text.add(piece))).toEqual([
      ...['10 %', '\n20 %', '\ndo', 'ne', '', '!\n'],
    ]);
    expect(text.end()).toBe('');
  });

  it.each(['\u001b[', '\u001b]', '\u001b', '\r', '\u200d', '\u202e', '\ud83d', 'x\u001b]0;'])(
    'reads 200,000 of %j in no more steps than there are characters',
    (piece) => {
      // What is quadratic would take minutes.
      expect(readableText(piece.repeat(200_000)).length).toBeLessThan(2_000_000);
    },
  );
});
