import { expect, it } from 'vitest';
import type { Message } from '../chat-model.ts';
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
