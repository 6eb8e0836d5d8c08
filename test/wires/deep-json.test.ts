import { describe, expect, it } from 'vitest';
import type { WireName } from '../../src/providers/profiles.ts';
import { PROTOCOLS } from '../../src/providers/wire/wires.ts';
import { readStream, readWhole } from './reading.ts';

// JSON that is nested too deeply to be written again must be a provider's failure, not ours.

const LEVELS = 50_000;
const WIRES = Object.keys(PROTOCOLS) as WireName[];

const arrays: unknown = JSON.parse(`${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`);
const objects: unknown = JSON.parse(`${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`);
const raws: unknown = JSON.parse(`${'{"metadata":{"raw":'.repeat(LEVELS)}{}${'}}'.repeat(LEVELS)}`);

describe.each(WIRES)('%s', (wire) => {
  it.each([
    ['arrays', arrays],
    ['objects', objects],
  ])('an error of deep %s', (_, error) => {
    expect(readWhole(wire, { error }).broken).toBeDefined();
    // Written by hand: JSON.stringify cannot.
    const deep = Array.isArray(error)
      ? `${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`
      : `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`;
    const line = `{"error":${deep}}`;
    const body = PROTOCOLS[wire].framing === 'sse' ? `data: ${line}\n\n` : `${line}\n`;
    expect(readStream(wire, body).broken).toBeDefined();
  });

  it('the body of a refusal', () => {
    const { readError } = PROTOCOLS[wire];
    expect(readError(arrays)).toBeUndefined();
    expect(readError(raws)).toBeUndefined();
    expect(readError({ error: { message: 'M', metadata: { raw: objects } } })?.message).toBe('M');
    expect(readError({ error: { message: 'M', metadata: { raw: { error: raws } } } })?.message).toBe('M');
    expect(readError({ detail: [{ loc: [arrays, 'n'], msg: 'M' }] })?.message).toBe('n: M');
  });
});

describe('arguments', () => {
  const fn = { name: 'f', arguments: arrays };
  const ANSWERS: [WireName, unknown][] = [
    ['openai-chat', { choices: [{ message: { tool_calls: [{ id: 'a', function: fn }] }, finish_reason: 'stop' }] }],
    ['openai-responses', { output: [{ type: 'function_call', call_id: 'a', ...fn }] }],
    [
      'anthropic-messages',
      { content: [{ type: 'tool_use', id: 'a', name: 'f', input: arrays }], stop_reason: 'tool_use' },
    ],
    [
      'gemini',
      {
        candidates: [
          { content: { parts: [{ functionCall: { id: 'a', name: 'f', args: arrays } }] }, finishReason: 'STOP' },
        ],
      },
    ],
    ['ollama-chat', { message: { tool_calls: [{ id: 'a', function: fn }] }, done: true }],
    ['cohere-chat', { message: { tool_calls: [{ id: 'a', function: fn }] }, finish_reason: 'TOOL_CALL' }],
  ];

  it.each(ANSWERS)('%s: a deep array', (wire, body) => {
    expect(readWhole(wire, body).calls).toEqual([['a', 'f', expect.stringMatching(/nested more than 100 levels/)]]);
  });

  it('told twice, deep objects', () => {
    const call = { id: 'a', function: { name: 'f', arguments: objects } };
    const body = { choices: [{ message: { tool_calls: [call, call] }, finish_reason: 'stop' }] };
    expect(readWhole('openai-chat', body).calls).toHaveLength(1);
  });
});

describe('openai-chat', () => {
  const answer = (message: object) => ({
    choices: [{ message: { content: 'Yes', ...message }, finish_reason: 'stop' }],
  });

  it('reasoning_details are not kept if they could not go back', () => {
    const data = (details: unknown) =>
      PROTOCOLS['openai-chat'].read(answer({ reasoning_details: [details] }), {}).some((event) => 'data' in event);
    expect(data({ type: 'reasoning.text', text: 'Hm', deep: objects })).toBe(false);
    expect(data({ type: 'reasoning.text', text: 'Hm' })).toBe(true);
  });

  it('content inside content', () => {
    const content: unknown = JSON.parse(`${'[{"type":"text","text":'.repeat(LEVELS)}"no"${'}]'.repeat(LEVELS)}`);
    expect(readWhole('openai-chat', answer({ content }))).toEqual({ finish: 'stop' });
  });
});
