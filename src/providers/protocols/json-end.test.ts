import { describe, expect, it } from 'vitest';
import { JsonEnd } from './json-end.ts';

describe('JsonEnd', () => {
  it.each<[boolean, string]>([
    [true, '{}'],
    [true, ' {"a": {"b": "}"}} '],
    [true, '{"a":"\\\\"}'],
    [false, ''],
    [false, '{"a":"}'],
    [false, '{"a":"\\"}'],
    [false, '{"a":{}'],
    [false, '[1]'],
    [false, '"{}'],
  ])('%s for %s, however it is cut', (whole, text) => {
    expect(new JsonEnd().isAt([text])).toBe(whole);
    const pieces: string[] = [];
    const end = new JsonEnd();
    for (const char of text) {
      pieces.push(char);
      end.isAt(pieces);
    }
    expect(end.isAt(pieces)).toBe(whole);
  });
});
