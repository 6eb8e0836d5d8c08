import { describe, expect, it } from 'vitest';
import { detailsData, ReasoningDetails } from './openai-chat-reasoning-details.ts';

function gather(...pieces: unknown[]): unknown {
  const details = new ReasoningDetails();
  for (const piece of pieces) details.add([piece]);
  return details.take()?.reasoning_details;
}

describe('ReasoningDetails', () => {
  it('joins text and signature of one block, and keeps what is unknown', () => {
    const type = 'reasoning.text';
    expect(
      gather(
        { type, text: 'a', index: 0, format: null, x: 1 },
        { type, text: 'b', index: 0, format: 'f' },
        { type, signature: 's', index: 0 },
      ),
    ).toEqual([{ type, text: 'ab', index: 0, format: 'f', x: 1, signature: 's' }]);
  });

  it('keeps apart other types, indexes and ids, and text after a signature', () => {
    const pieces = [
      { type: 'reasoning.summary', summary: 'a', index: 0 },
      { type: 'reasoning.encrypted', data: 'b', index: 0, id: '1' },
      { type: 'reasoning.encrypted', data: 'c', index: 0, id: '2' },
      { type: 'reasoning.text', text: 'd', signature: 's', index: 1 },
      { type: 'reasoning.text', text: 'e', index: 1 },
      { type: 'reasoning.encrypted', data: 'f' },
      { type: 'reasoning.encrypted', data: 'g' },
    ];
    expect(gather(...pieces)).toEqual(pieces);
  });

  it('joins encrypted data that comes in pieces, not what comes twice', () => {
    const block = { type: 'reasoning.encrypted', index: 0, id: '1' };
    expect(gather({ ...block, data: 'a' }, { ...block, data: 'b' })).toEqual([{ ...block, data: 'ab' }]);
    expect(gather({ ...block, data: 'a' }, { ...block, data: 'a' })).toEqual([{ ...block, data: 'a' }]);
  });

  it('joins pieces of blocks that come side by side under one index', () => {
    const piece = (id: string, data: string) => ({ type: 'reasoning.encrypted', index: 0, id, data });
    expect(gather(piece('1', 'a'), piece('2', 'b'), piece('1', 'c'), piece('2', 'd'))).toEqual([
      piece('1', 'ac'),
      piece('2', 'bd'),
    ]);
  });

  it('gives none rather than some of more than 1,000', () => {
    const blocks = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ type: 'reasoning.text', index, text: 'a' }));
    expect(gather(...blocks(1000))).toHaveLength(1000);
    expect(gather(...blocks(1001))).toBeUndefined();
    expect(detailsData(blocks(1001))).toBeUndefined();
  });

  it('is empty again once taken, and bears what is no detail', () => {
    const details = new ReasoningDetails();
    details.add([null, 'x']);
    details.add(undefined);
    expect(details.take()).toBeUndefined();
    details.add([{ type: 'reasoning.text', text: 'a' }]);
    expect(details.take()).toBeDefined();
    expect(details.take()).toBeUndefined();
  });
});
