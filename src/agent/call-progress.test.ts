import { afterEach, describe, expect, it } from 'vitest';
import { hide } from '../core/redactor.ts';
import { CallProgress } from './call-progress.ts';

afterEach(() => hide('test of progress', []));

function toldOf(pieces: readonly string[], late: readonly string[] = []): string[] {
  const told: string[] = [];
  const progress = new CallProgress((text) => told.push(text));
  for (const piece of pieces) progress.add(piece);
  progress.end();
  for (const piece of late) progress.add(piece);
  return told;
}

describe('what a call says on its way', () => {
  it('is passed on at once, and never as nothing', () => {
    expect(toldOf(['one\n', '', '\u001b[1m', 'two\n'])).toEqual(['one\n', 'two\n']);
  });

  it('is readable, wherever it is cut', () => {
    expect(
      toldOf(['a\u001b', '[3', '1mb\u001b]0;ti', 'tle\u001b', '\\c\r', '\nd\r', 'e\ud83d', '\udc69\r']).join(''),
    ).toBe('abc\nd\ne👩\n');
  });

  it('holds no secret: not one in two pieces, nor one with an escape in it', () => {
    hide('test of progress', ['sk-very-secret']);
    expect(toldOf(['a sk-ve', 'ry-sec', 'ret b']).join('')).toBe('a [secret] b');
    expect(toldOf(['a sk-ve\u001b[0', 'mry-\u0000sec', 'ret']).join('')).toBe('a [secret]');
    expect(toldOf(['a sk-very-secre']).join('')).toBe('a sk-very-secre');
  });

  it('ends with the call', () => {
    expect(toldOf(['a'], ['b'])).toEqual(['a']);
  });
});
