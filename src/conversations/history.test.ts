import { describe, expect, it } from 'vitest';
import { asToolData } from '../core/tool-data.ts';
import type { MessageRow, NewMessage } from '../storage/messages.ts';
import { textTokens } from './estimate.ts';
import { SHORT_RESULT_TOKENS, shortened, summaryMessage, toModelMessages } from './history.ts';
import { newAssistantMessage, newUserMessage } from './stored.ts';

function row(seq: number, { createdAt: created_at, calls, words: _, ...message }: NewMessage): MessageRow {
  const place = { owner: 'o', conversation: 1, seq };
  const toolCalls = calls.map((call, position) => ({ ...place, position, ...call }));
  return { ...place, ...message, turn: 't', size: 0, calls: calls.length, created_at, error: null, toolCalls };
}

const call = (id: string) => ({ id, name: `tool_${id}`, arguments: { id } });

describe('stored messages as the model gets them', () => {
  it('have every call followed by its result, in their order, with words where there is none', () => {
    const calls = [{ call: call('a'), result: 'A' }, { call: call('b') }, { call: call('c'), result: '' }];
    const rows = [
      row(1, newUserMessage('msg_1', { content: 'Hello' }, 'complete')),
      row(2, newAssistantMessage('msg_2', { content: 'Hm' }, calls, 'complete')),
      row(3, newAssistantMessage('msg_3', { content: '' }, [], 'complete')),
    ];
    expect(toModelMessages(rows)).toEqual([
      { role: 'user', parts: [{ type: 'text', text: 'Hello' }] },
      {
        role: 'assistant',
        parts: [{ type: 'text', text: 'Hm' }, ...calls.map(({ call: made }) => ({ type: 'tool-call', call: made }))],
      },
      { role: 'tool', toolCallId: 'a', toolName: 'tool_a', text: 'A' },
      { role: 'tool', toolCallId: 'b', toolName: 'tool_b', text: 'There is no result: the call was not carried out.' },
      { role: 'tool', toolCallId: 'c', toolName: 'tool_c', text: '' },
      { role: 'assistant', parts: [] },
    ]);
  });

  it('have results shortened up to a message, and not after it', () => {
    const result = 'x'.repeat(5000);
    const rows = [1, 2].map((seq) =>
      row(seq, newAssistantMessage(`msg_${seq}`, { content: '' }, [{ call: call('a'), result }], 'complete')),
    );
    const texts = toModelMessages(rows, 1).flatMap((message) => (message.role === 'tool' ? [message.text] : []));
    expect(texts).toEqual([shortened(result, 1250), result]);
    expect(texts[0]?.length).toBeLessThan(2000);
  });

  it('mark what a tool of ours has returned as data, and nothing else', () => {
    const calls = [
      { call: call('a'), result: 'ours', duration: 3 },
      { call: call('b'), result: 'ours', status: 'error' as const, duration: 0 },
      { call: call('c'), result: 'the caller’s' },
      { call: call('d'), result: 'a refusal', status: 'denied' as const, duration: 0 },
    ];
    const rows = [row(1, newAssistantMessage('msg_1', { content: '' }, calls, 'complete'))];
    const texts = toModelMessages(rows).flatMap((message) => (message.role === 'tool' ? [message.text] : []));
    expect(texts).toEqual([asToolData('ours', 'msg_1:0'), asToolData('ours', 'msg_1:1'), 'the caller’s', 'a refusal']);
  });

  it('keep the id of a result that is shortened, for whoever wants all of it', () => {
    const text = shortened('x'.repeat(5000), 1250, 'result_1');
    expect(text).toMatch(/^x{1200}\n\[… 3200 characters left out; the whole result has the id result_1 …\]\nx{600}$/);
    expect(textTokens(text)).toBeLessThanOrEqual(SHORT_RESULT_TOKENS);
  });

  it('keep the reasoning, with what its provider wants back', () => {
    const parts = [
      { type: 'reasoning' as const, text: 'Why not', origin: { provider: 'p', model: 'm' }, data: { signature: 's' } },
      { type: 'tool-call' as const, id: 'a' },
    ];
    const made = newAssistantMessage('msg_1', { content: '', parts }, [{ call: call('a'), result: 'A' }], 'complete');
    expect(toModelMessages([row(1, made)])[0]).toEqual({
      role: 'assistant',
      parts: [parts[0], { type: 'tool-call', call: call('a') }],
    });
  });
});

describe('a shortened result', () => {
  it('has its beginning and end, and says how much is missing', () => {
    const text = `BEGIN${'m'.repeat(100_000)}END`;
    const short = shortened(text, textTokens(text));
    expect(short).toMatch(/^BEGINm{1195}\n\[… 98208 characters left out …\]\nm{597}END$/);
  });

  it('is what it was if it is not long', () => {
    const text = 'x'.repeat(4 * SHORT_RESULT_TOKENS);
    expect(shortened(text, textTokens(text))).toBe(text);
    expect(shortened(`${text}y`, textTokens(`${text}y`))).not.toBe(`${text}y`);
  });

  it.each(['漢字とかなの文', '👩‍👩‍👧‍👦🎉', 'é\u0000"\\\n', '\ud83d'])(
    'is no longer than it is taken for, whatever it is of: %j',
    (unit) => {
      for (let length = 2001; length < 2040; length++) {
        const text = unit.repeat(length).slice(0, length);
        const tokens = textTokens(text);
        const short = shortened(text, tokens);
        expect(textTokens(short)).toBeLessThanOrEqual(Math.min(tokens, SHORT_RESULT_TOKENS));
        expect(short.isWellFormed()).toBe(true);
        expect(Number(/… (-?\d+) characters/.exec(short)?.[1])).toBeGreaterThan(0);
      }
    },
  );

  it('does not show half a character', () => {
    for (const unit of ['漢', '👍', 'é']) {
      for (let shift = 0; shift < 4; shift++) {
        const text = `${'a'.repeat(shift)}${unit.repeat(5000)}${'b'.repeat(shift)}`;
        expect(shortened(text, textTokens(text))).not.toContain('\ufffd');
      }
    }
  });
});

describe('what stands in for earlier messages', () => {
  it('is a user’s message, with the summary marked off, or with words that there is none', () => {
    expect(summaryMessage('They agreed.')).toEqual({
      role: 'user',
      parts: [{ type: 'text', text: expect.stringContaining('<summary>\nThey agreed.\n</summary>') }],
    });
    expect(summaryMessage(null)).toEqual({
      role: 'user',
      parts: [{ type: 'text', text: expect.stringContaining('left out') }],
    });
  });
});
