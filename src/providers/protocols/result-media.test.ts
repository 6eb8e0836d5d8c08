import { expect, it } from 'vitest';
import type { Message } from '../chat-model.ts';
import { PROFILES } from '../profiles.ts';
import { PROTOCOLS } from '../wire/wires.ts';
import { lowerMessagesRequest } from './anthropic-messages-request.ts';
import { mediaBehindResults } from './result-media.ts';

const IMAGE = { type: 'image', media: { data: 'AAAA', mediaType: 'image/png' } } as const;
const result = (toolCallId: string, more: object = {}): Message => ({
  ...{ role: 'tool', toolCallId, toolName: 'look', text: 'seen' },
  ...more,
});
const CALLS: Message = {
  role: 'assistant',
  parts: ['a', 'b'].map((id) => ({ type: 'tool-call', call: { id, name: 'look', arguments: {} } })),
};

it('pictures of results stand behind all results of their answer, each with its call', () => {
  const next: Message = { role: 'user', parts: [{ type: 'text', text: 'Well?' }] };
  const results = [result('a', { media: [IMAGE] }), result('b', { media: [IMAGE, IMAGE] })];
  expect(mediaBehindResults([CALLS, ...results, next])).toEqual([
    CALLS,
    ...results,
    {
      role: 'user',
      parts: [
        { type: 'text', text: 'What look gave with its result "a":' },
        IMAGE,
        { type: 'text', text: 'What look gave with its result "b":' },
        IMAGE,
        IMAGE,
      ],
    },
    next,
  ]);
});

it('also at the end; and without any, nothing is added', () => {
  expect(mediaBehindResults([result('a', { media: [IMAGE] })])).toHaveLength(2);
  const plain = [CALLS, result('a'), result('b')];
  expect(mediaBehindResults(plain)).toEqual(plain);
});

it('OpenAI’s results hold them; those of others on its wire do not', () => {
  const messages: Message[] = [CALLS, result('a', { media: [IMAGE] }), result('b', { text: '', media: [IMAGE] })];
  const request = { model: 'm', messages, tools: [], toolChoice: undefined, temperature: undefined, maxTokens: 99 };
  const { lower, takesResultMedia } = PROTOCOLS['openai-responses'];
  const { body } = lower({ ...request, stream: false }, PROFILES.openai.quirks);
  const picture = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' };
  expect(JSON.parse(JSON.stringify(body.input)).slice(2)).toEqual([
    { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'seen' }, picture] },
    { type: 'function_call_output', call_id: 'b', output: [picture] },
  ]);
  const takes = (['openai', 'azure', 'xai'] as const).map((type) => takesResultMedia?.(PROFILES[type].quirks));
  expect(takes).toEqual([true, false, false]);
});

it('Anthropic’s results hold them, and say that the tool has failed', () => {
  const messages: Message[] = [CALLS, result('a', { media: [IMAGE] }), result('b', { isError: true })];
  const request = { model: 'm', messages, tools: [], toolChoice: undefined, temperature: undefined, maxTokens: 9 };
  const { body } = lowerMessagesRequest({ ...request, stream: false }, {});
  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
  expect(JSON.parse(JSON.stringify(body.messages))[1].content).toMatchObject([
    { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'seen' }, picture] },
    { type: 'tool_result', tool_use_id: 'b', content: 'seen', is_error: true },
  ]);
});
