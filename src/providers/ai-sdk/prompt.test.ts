import { expect, it } from 'vitest';
import type { ChatRequest } from '../chat-model.ts';
import { callOptions } from './prompt.ts';

it('pictures of results stand behind them', () => {
  const media = [{ type: 'image' as const, media: { data: 'AAAA', mediaType: 'image/png' } }];
  const request: ChatRequest = {
    messages: [{ role: 'tool', toolCallId: 'a', toolName: 'look', text: 'seen', media }],
    ...{ model: 'm', tools: [], toolChoice: undefined, temperature: undefined, maxTokens: 5, stream: false },
  };
  expect(callOptions(request, 'v4', []).prompt).toEqual([
    {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'a', toolName: 'look', output: { type: 'text', value: 'seen' } }],
    },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What look gave with its result "a":' },
        { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'AAAA' } },
      ],
    },
  ]);
});

it('an effort is left out: some packages pass it on to every model, and not every model takes it', () => {
  const request: ChatRequest = {
    model: 'm',
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    tools: [],
    toolChoice: undefined,
    temperature: undefined,
    maxTokens: 5,
    effort: 'high',
    stream: false,
  };
  const prompt = [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }];
  for (const version of ['v2', 'v3', 'v4'] as const) {
    expect(callOptions(request, version, [])).toEqual({ prompt, maxOutputTokens: 5 });
  }
});
