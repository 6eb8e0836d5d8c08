import { describe, expect, it } from 'vitest';
import type { WireName } from '../../src/providers/profiles.ts';
import { type Reading, readObjects, readWhole } from './reading.ts';

const usageMetadata = {
  promptTokenCount: 3,
  candidatesTokenCount: 2,
  thoughtsTokenCount: 2,
  toolUsePromptTokenCount: 9,
};
const said = (parts: object[], rest: object = {}) => ({ candidates: [{ content: { parts }, ...rest }], usageMetadata });
const last = said([], { finishReason: 'STOP', index: 0 });
/** Parts of Google's own tools and of pictures, between parts of the answer. */
const PARTS = [
  { text: 'Hm', thought: true },
  { executableCode: { language: 'PYTHON', code: 'print(1)' } },
  { codeExecutionResult: { outcome: 'OUTCOME_OK', output: 'no' } },
  { inlineData: { mimeType: 'image/png', data: 'AAAA' }, thoughtSignature: 's' },
  { fileData: { fileUri: 'u' } },
  { toolCall: { toolType: 'GOOGLE_SEARCH_WEB', args: {}, id: 'x' } },
  { toolResponse: { toolType: 'GOOGLE_SEARCH_WEB', id: 'x', response: {} } },
  { text: 'Yes' },
  { functionCall: { name: 'f', args: null } },
];
const ofParts: Reading = {
  reasoning: 'Hm',
  text: 'Yes',
  calls: [['made', 'f', {}]],
  usage: [3, 4],
  finish: 'tool-calls',
};

const delta = (content: object) => ({ type: 'content-delta', index: 0, delta: { message: { content } } });
const end = (finish_reason: string, rest: object = {}) => ({
  type: 'message-end',
  delta: { finish_reason, usage: { tokens: { input_tokens: 3, output_tokens: 4 } }, ...rest },
});

const line = (message: object, rest: object = {}) => ({
  message: { role: 'assistant', ...message },
  done: false,
  ...rest,
});
const done = { done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 4 };

const STREAMS: [string, WireName, unknown[], Reading][] = [
  ['parts of every kind', 'gemini', [...PARTS.map((part) => said([part])), last], ofParts],
  [
    'several candidates: the first only',
    'gemini',
    [
      said([{ text: 'Ye' }]),
      said([{ text: 'No' }], { index: 1 }),
      said([{ text: 's' }], { index: 0 }),
      last,
      said([], { index: 1, finishReason: 'MAX_TOKENS' }),
    ],
    { text: 'Yes', usage: [3, 4], finish: 'stop' },
  ],
  [
    'an error that is null',
    'gemini',
    [{ ...said([{ text: 'Y' }]), error: null }, last],
    { text: 'Y', usage: [3, 4], finish: 'stop' },
  ],
  [
    'an error',
    'gemini',
    [said([{ text: 'Y' }]), { error: { code: 503, message: 'gone' } }],
    { text: 'Y', usage: [3, 4], reported: 'gone' },
  ],
  [
    'half a frame after the end',
    'gemini',
    ['', said([{ text: 'Y' }]), last, '{"usage'],
    { text: 'Y', usage: [3, 4], finish: 'stop' },
  ],
  [
    'half a frame before the end',
    'gemini',
    [said([{ text: 'Y' }]), '{"usage', last],
    { text: 'Y', usage: [3, 4], broken: expect.stringContaining('not a JSON object') },
  ],
  [
    'no picture where one was wanted',
    'gemini',
    [said([], { finishReason: 'NO_IMAGE', finishMessage: 'none made' })],
    { reported: 'NO_IMAGE: none made' },
  ],
  [
    'a picture that failed',
    'gemini',
    [said([], { finishReason: 'IMAGE_OTHER', finishMessage: 'bad' })],
    { reported: 'IMAGE_OTHER: bad' },
  ],
  [
    'content that begins with a part',
    'cohere-chat',
    [
      '',
      { type: 'content-start', index: 0, delta: { message: { content: { type: 'thinking', thinking: 'H' } } } },
      delta({ thinking: 'm' }),
      { type: 'content-end', index: 0 },
      { type: 'content-start', index: 1, delta: { message: { content: { type: 'text', text: 'Ye' } } } },
      { type: 'debug', prompt: 'no' },
      delta({ text: 's' }),
      end('COMPLETE'),
      { message: 'after the end' },
      '{"type":',
    ],
    { reasoning: 'Hm', text: 'Yes', usage: [3, 4], finish: 'stop' },
  ],
  [
    'an error at the end',
    'cohere-chat',
    [delta({ text: 'Y' }), end('ERROR', { error: 'gone' })],
    { text: 'Y', reported: 'gone' },
  ],
  ['a time-out', 'cohere-chat', [delta({ text: 'Y' }), end('TIMEOUT')], { text: 'Y', usage: [3, 4], finish: 'error' }],
  [
    'thinking, and calls with the same index',
    'ollama-chat',
    [
      line({ content: '', thinking: 'H' }),
      line({ content: '', thinking: 'm' }),
      line({ content: '', tool_calls: [{ id: 'a', function: { index: 0, name: 'f', arguments: { n: 1 } } }] }),
      line({ content: '', tool_calls: [{ function: { index: 0, name: 'f', arguments: {} } }] }),
      line({ content: 'Yes' }),
      line({ content: '' }, done),
      '{"model":',
    ],
    {
      reasoning: 'Hm',
      text: 'Yes',
      calls: [
        ['a', 'f', { n: 1 }],
        ['made', 'f', {}],
      ],
      usage: [3, 4],
      finish: 'tool-calls',
    },
  ],
  [
    'an error that is null',
    'ollama-chat',
    [{ ...line({ content: 'Y' }, done), error: null }],
    { text: 'Y', usage: [3, 4], finish: 'stop' },
  ],
  ['an error', 'ollama-chat', [line({ content: 'Y' }), { error: 'gone' }], { text: 'Y', reported: 'gone' }],
];

describe('gemini, cohere-chat and ollama-chat, streams', () => {
  it.each(STREAMS)('%s (%s)', (_, wire, objects, reading) => {
    expect(readObjects(wire, objects)).toEqual(reading);
  });
});

describe('gemini, whole answers', () => {
  it('has parts of every kind', () => {
    expect(readWhole('gemini', said(PARTS, { finishReason: 'STOP' }))).toEqual(ofParts);
  });

  it('may be the list of the chunks of a stream', () => {
    expect(readWhole('gemini', [...PARTS.map((part) => said([part])), last])).toEqual(ofParts);
    expect(readWhole('gemini', [{ error: { code: 429, message: 'gone' } }])).toEqual({ reported: 'gone' });
  });
});
