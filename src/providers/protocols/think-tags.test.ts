import { describe, expect, it } from 'vitest';
import { thinkSplitter } from './think-tags.ts';

function split(...pieces: string[]): { text: string; reasoning: string } {
  const splitter = thinkSplitter();
  const out = { text: '', reasoning: '' };
  for (const event of [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]) {
    if (event.type === 'text' || event.type === 'reasoning') out[event.type] += event.text;
  }
  return out;
}

describe('thinkSplitter', () => {
  it.each([
    ['<think>Hm</think>\n\nYes', 'Hm', 'Yes'],
    ['\n<think>a < b </ c</think>Yes <think>no</think>', 'a < b </ c', 'Yes <think>no</think>'],
    ['Yes <think>no</think>', '', 'Yes <think>no</think>'],
    ['<thing>', '', '<thing>'],
    ['<thi', '', '<thi'],
    ['<think>never closed</thi', 'never closed</thi', ''],
    ['<think></think>', '', ''],
    ['  Yes', '', '  Yes'],
  ])('splits %j at every place it may be cut', (whole, reasoning, text) => {
    for (let at = 0; at <= whole.length; at++) {
      expect(split(whole.slice(0, at), whole.slice(at)), `cut at ${at}`).toEqual({ text, reasoning });
    }
    expect(split(...whole)).toEqual({ text, reasoning });
  });

  it('does not hold back what is sure', () => {
    const splitter = thinkSplitter();
    expect(splitter.push('<think>Hm')).toEqual([{ type: 'reasoning', text: 'Hm' }]);
    expect(splitter.push('</think>Yes')).toEqual([{ type: 'text', text: 'Yes' }]);
  });
});
