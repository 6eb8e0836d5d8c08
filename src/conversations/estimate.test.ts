import { describe, expect, it } from 'vitest';
import { assistantTokens, contentTokens, textTokens, toolTokens } from './estimate.ts';

const data = (type: string, characters: number): string => `data:${type};base64,${'A'.repeat(characters)}`;

describe('the estimate', () => {
  it.each([
    ['', 0],
    ['a', 1],
    ['abcd', 1],
    ['abcde', 2],
    ['漢字漢字', 3],
    ['👍', 1],
    ['\ud83d', 1],
  ])('counts four bytes of %j as a token', (text, tokens) => {
    expect(textTokens(text)).toBe(tokens);
  });

  it('counts a message beside its text', () => {
    expect(contentTokens('')).toBe(4);
    expect(contentTokens('abcd')).toBe(5);
    expect(contentTokens([{ type: 'text', text: 'abcd' }])).toBe(5);
  });

  it('counts a picture as vendors do and not by its bytes', () => {
    const link = 'https://example.com/a.png';
    for (const image of [data('image/png', 4), data('image/jpeg', 4_000_000), link]) {
      expect(contentTokens([{ type: 'image', image }])).toBe(1504);
      expect(contentTokens([{ type: 'file', file: image }])).toBe(1504);
    }
  });

  it('counts a text file by its bytes, and a document by its pages', () => {
    expect(contentTokens([{ type: 'file', file: data('text/plain', 40_000) }])).toBeGreaterThan(7500);
    expect(contentTokens([{ type: 'file', file: data('text/plain', 40_000) }])).toBeLessThan(7520);
    expect(contentTokens([{ type: 'file', file: data('application/pdf', 4) }])).toBe(1504);
    expect(contentTokens([{ type: 'file', file: data('application/pdf', 800_000) }])).toBeGreaterThan(15_000);
  });

  it('counts all parts together', () => {
    const image = { type: 'image' as const, image: data('image/png', 4) };
    expect(contentTokens([{ type: 'text', text: 'abcdefgh' }, image, image])).toBe(4 + 2 + 3000);
  });

  it('counts an answer’s text, calls, reasoning and what the provider wants back', () => {
    const call = { id: 'c', name: 'n', arguments: { a: 'x'.repeat(400) } };
    const calls = textTokens(JSON.stringify(call));
    expect(assistantTokens({ content: '' })).toBe(4);
    expect(assistantTokens({ content: 'abcd', toolCalls: [call] })).toBe(5 + calls);
    const parts = [
      { type: 'reasoning' as const, text: 'r'.repeat(40), data: { signature: 's'.repeat(100) } },
      { type: 'text' as const, text: 'abcd' },
      { type: 'tool-call' as const, id: 'c' },
    ];
    const signature = textTokens(JSON.stringify({ signature: 's'.repeat(100) }));
    expect(assistantTokens({ content: 'abcd', toolCalls: [call], parts })).toBe(5 + calls + 10 + signature);
  });

  it('counts the tools that are offered', () => {
    expect(toolTokens()).toBe(0);
    const tool = { name: 'look', description: 'd'.repeat(400), parameters: { type: 'object' } };
    expect(toolTokens([tool])).toBe(textTokens(JSON.stringify(tool)));
    expect(toolTokens([tool, tool])).toBe(2 * toolTokens([tool]));
  });
});
