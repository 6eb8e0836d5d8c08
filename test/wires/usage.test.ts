import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { Usage } from '../../src/providers/chat-model.ts';
import type { WireName } from '../../src/providers/profiles.ts';
import { PROTOCOLS } from '../../src/providers/wire/wires.ts';

// Counts that a provider did not give are not made up.

const WIRES: [WireName, (usage: JsonObject) => unknown, prompt: string, completion: string][] = [
  [
    'openai-chat',
    (usage) => ({ choices: [{ message: { content: 'Yes' }, finish_reason: 'stop' }], usage }),
    'prompt_tokens',
    'completion_tokens',
  ],
  ['openai-responses', (usage) => ({ status: 'completed', output: [], usage }), 'input_tokens', 'output_tokens'],
  ['anthropic-messages', (usage) => ({ content: [], stop_reason: 'end_turn', usage }), 'input_tokens', 'output_tokens'],
  [
    'gemini',
    (usageMetadata) => ({ candidates: [{ finishReason: 'STOP' }], usageMetadata }),
    'promptTokenCount',
    'candidatesTokenCount',
  ],
  ['ollama-chat', (usage) => ({ message: {}, done: true, ...usage }), 'prompt_eval_count', 'eval_count'],
  [
    'cohere-chat',
    (tokens) => ({ message: {}, finish_reason: 'COMPLETE', usage: { tokens } }),
    'input_tokens',
    'output_tokens',
  ],
];

describe.each(WIRES)('%s', (wire, answer, prompt, completion) => {
  const read = (usage: JsonObject): (Usage | undefined)[] =>
    PROTOCOLS[wire].read(answer(usage), {}).flatMap((event) => (event.type === 'usage' ? [event.usage] : []));

  it('gives counts that are there', () => {
    expect(read({ [prompt]: 3, [completion]: 2 })).toEqual([{ promptTokens: 3, completionTokens: 2, totalTokens: 5 }]);
    expect(read({ [prompt]: 3 })).toEqual([{ promptTokens: 3, completionTokens: 0, totalTokens: 3 }]);
  });

  it('gives none if there are none, or only nonsense', () => {
    expect(read({})).toEqual([]);
    expect(read({ [prompt]: 'many', [completion]: null })).toEqual([]);
  });
});
