import { expect, it } from 'vitest';
import type { ChatRequest } from '../chat-model.ts';
import { callOptions } from './prompt.ts';

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
