import { describe, expect, it } from 'vitest';
import { type Frame, type Framer, LineTooLongError, MAX_LINE_CHARS, ndjsonFramer, sseFramer } from './framing.ts';

function frames(framer: Framer, ...pieces: string[]): Frame[] {
  return [...pieces.flatMap((piece) => framer.push(piece)), ...framer.end()];
}

const STREAM =
  ': keep-alive\r\n\r\nevent: a\r\ndata: {"n":1}\r\n\r\n\n\ndata:x\ndata:  y\nid: 7\nretry: 5\n\nevent:b\n\ndata\n\ndata: é🗼\n\ndata: [DONE]';
const EXPECTED = [
  { event: 'a', data: '{"n":1}' },
  { event: '', data: 'x\n y' },
  { event: '', data: 'é🗼' },
  { event: '', data: '[DONE]' },
];

describe('sseFramer', () => {
  it('reads the same frames wherever the text is cut', () => {
    for (let at = 0; at <= STREAM.length; at++) {
      expect(frames(sseFramer(), STREAM.slice(0, at), STREAM.slice(at)), `cut at ${at}`).toEqual(EXPECTED);
    }
    expect(frames(sseFramer(), ...STREAM.split(''))).toEqual(EXPECTED);
  });

  it('gives a frame as soon as its blank line is there', () => {
    const framer = sseFramer();
    expect(framer.push('data: x\n')).toEqual([]);
    expect(framer.push('\n')).toEqual([{ event: '', data: 'x' }]);
    expect(framer.end()).toEqual([]);
  });

  it('survives bytes cut inside a character', () => {
    const bytes = Buffer.from(STREAM);
    for (let at = 0; at <= bytes.length; at++) {
      const decoder = new TextDecoder();
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)].map((piece) =>
        decoder.decode(piece, { stream: true }),
      );
      expect(frames(sseFramer(), ...pieces), `cut at ${at}`).toEqual(EXPECTED);
    }
  });
});

describe('ndjsonFramer', () => {
  it('reads a frame for every line that is not blank, wherever the text is cut', () => {
    const text = '{"n":1}\r\n\n  \n{"n":2}\n{"n":3}';
    const expected = [1, 2, 3].map((n) => ({ event: '', data: `{"n":${n}}` }));
    for (let at = 0; at <= text.length; at++) {
      expect(frames(ndjsonFramer(), text.slice(0, at), text.slice(at)), `cut at ${at}`).toEqual(expected);
    }
  });
});

describe('long lines', () => {
  it('cost in proportion to their length when they come in single characters', () => {
    // Work in proportion to the square of this length would outlast the test by far.
    const length = 1 << 19;
    const framer = ndjsonFramer();
    for (let i = 0; i < length; i++) framer.push('x');
    const [frame, ...more] = framer.push('\n');
    // Not toEqual: its message would be as long.
    expect([frame?.data === 'x'.repeat(length), more]).toEqual([true, []]);
  });

  it('have an end', () => {
    const framer = sseFramer();
    const piece = 'x'.repeat(MAX_LINE_CHARS / 4);
    expect(() => {
      for (let i = 0; i < 5; i++) framer.push(piece);
    }).toThrow(LineTooLongError);
  });
});
