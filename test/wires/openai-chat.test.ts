import { describe, expect, it } from 'vitest';
import { PROFILES } from '../../src/providers/profiles.ts';
import { type Reading, readObjects, readWhole } from './reading.ts';

const choice = (delta: object, rest: object = {}) => ({ index: 0, delta, finish_reason: null, ...rest });
const chunk = (delta: object, rest: object = {}) => ({ choices: [choice(delta, rest)] });
const stop = chunk({}, { finish_reason: 'stop' });
const called = chunk({}, { finish_reason: 'tool_calls' });
const DONE = '[DONE]';
const fn = (name: string, args: unknown = '') => ({ type: 'function', function: { name, arguments: args } });

const STREAMS: [string, unknown[], Reading][] = [
  [
    'several answers: the first only',
    [
      chunk({ content: 'Ye' }),
      chunk({ content: 'No' }, { index: 1 }),
      { choices: [choice({ content: 's' }), choice({ content: 'pe' }, { index: 1 })] },
      stop,
      chunk({ tool_calls: [{ index: 0, id: 'c', ...fn('f', '{}') }] }, { index: 1 }),
      chunk({}, { index: 1, finish_reason: 'length' }),
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } },
      DONE,
    ],
    { text: 'Yes', usage: [3, 4], finish: 'stop' },
  ],
  [
    'calls without id or index and nothing but another name between them',
    [chunk({ tool_calls: [fn('f')] }), chunk({ tool_calls: [fn('g')] }), called],
    {
      calls: [
        ['made', 'f', {}],
        ['made', 'g', {}],
      ],
      finish: 'tool-calls',
    },
  ],
  [
    'indexes that begin anywhere',
    [
      chunk({ tool_calls: [{ index: 3, id: 'a', ...fn('f') }] }),
      chunk({ tool_calls: [{ index: 1, id: 'b', ...fn('g', '{"n":') }] }),
      chunk({ tool_calls: [{ index: 3, function: { arguments: '{"n":1}' } }] }),
      chunk({ tool_calls: [{ index: 1, function: { arguments: '2}' } }] }),
      called,
    ],
    {
      calls: [
        ['a', 'f', { n: 1 }],
        ['b', 'g', { n: 2 }],
      ],
      finish: 'tool-calls',
    },
  ],
  [
    'an error beside groq’s numbers',
    [chunk({ content: 'Y' }), { ...stop, x_groq: { id: 'r', error: 'over capacity' } }],
    { text: 'Y', reported: 'over capacity' },
  ],
  [
    'what groq’s compound systems ran, which are no calls of ours',
    [
      chunk({ reasoning: 'Hm', executed_tools: [{ index: 0, type: 'search', arguments: '{}', output: 'no' }] }),
      chunk({ content: 'Yes' }),
      { ...stop, x_groq: { usage: { prompt_tokens: 1, completion_tokens: 2 }, usage_breakdown: { models: [] } } },
    ],
    { reasoning: 'Hm', text: 'Yes', usage: [1, 2], finish: 'stop' },
  ],
  [
    'openrouter’s details of every kind beside the reasoning',
    [
      chunk({ reasoning: 'A', reasoning_details: [{ type: 'reasoning.summary', summary: 'A', index: 0 }] }),
      chunk({ reasoning: null, reasoning_details: [{ type: 'reasoning.encrypted', data: 'e', index: 0 }] }),
      chunk({ reasoning_details: [{ type: 'reasoning.text', text: 'B', signature: 's', index: 1 }] }),
      chunk({ content: 'Yes', images: [{ type: 'image_url', image_url: { url: 'data:' } }] }),
      chunk({}, { finish_reason: 'stop', native_finish_reason: 'STOP' }),
    ],
    { reasoning: 'AB', text: 'Yes', finish: 'stop' },
  ],
  [
    'an error in a choice',
    [
      chunk({ content: 'Y' }),
      chunk({ content: '' }, { finish_reason: 'error', error: { code: 502, message: 'gone' } }),
    ],
    { text: 'Y', reported: 'gone' },
  ],
  [
    'azure’s filter, which says more after the text',
    [
      { choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
      chunk({ content: 'Y' }),
      {
        choices: [
          { index: 0, content_filter_offsets: {}, content_filter_results: {}, finish_reason: 'content_filter' },
        ],
      },
      DONE,
    ],
    { text: 'Y', finish: 'content-filter' },
  ],
  [
    'the text a second time beside the delta, as together and perplexity have it',
    [
      { choices: [{ ...choice({ content: 'Y' }), text: 'Y', message: { content: 'Y' }, logprobs: { tokens: ['Y'] } }] },
      { choices: [{ ...choice({ content: '' }, { finish_reason: 'eos' }), text: '', message: { content: 'Y' } }] },
    ],
    { text: 'Y', finish: 'stop' },
  ],
  [
    'half a frame after the end',
    [chunk({ content: 'Y' }), stop, '{"choices": [], "usa'],
    { text: 'Y', finish: 'stop' },
  ],
  [
    'half a frame before the end',
    [chunk({ content: 'Y' }), '{"choices": [{"del', stop],
    { text: 'Y', broken: expect.stringContaining('not a JSON object') },
  ],
  ['empty frames', ['', chunk({ content: 'Y' }), ' ', stop], { text: 'Y', finish: 'stop' }],
];

const WHOLE: [string, object, Reading][] = [
  [
    'mistral’s content parts',
    {
      content: [
        {
          type: 'thinking',
          thinking: [{ type: 'text', text: 'H' }, { type: 'reference' }, { type: 'text', text: 'm' }],
        },
        { type: 'text', text: 'Ye' },
        { type: 'reference', reference_ids: [0] },
        { type: 'tool_reference', tool: 'web_search', title: 't', url: 'u' },
        { type: 'document_url', document_url: 'u' },
        { type: 'text', text: 's' },
      ],
    },
    { reasoning: 'Hm', text: 'Yes', finish: 'stop' },
  ],
  [
    'a custom tool, which we never offer',
    { tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'f', input: 'x' } }] },
    { finish: 'stop' },
  ],
  ['speech', { content: null, audio: { id: 'a', data: 'AAAA', transcript: 'no text' } }, { finish: 'stop' }],
];

describe('openai-chat, streams as vendors send them', () => {
  it.each(STREAMS)('%s', (_, objects, reading) => {
    expect(readObjects('openai-chat', objects)).toEqual(reading);
  });
});

describe('openai-chat, whole answers as vendors send them', () => {
  it.each(WHOLE)('%s', (_, message, reading) => {
    expect(readWhole('openai-chat', { choices: [{ index: 0, message, finish_reason: 'stop' }] })).toEqual(reading);
  });

  it('takes perplexity’s thinking out of the text, and leaves it there where nobody said so', () => {
    const body = { choices: [{ message: { content: '<think>Hm</think>\n\nYes' }, finish_reason: 'stop' }] };
    const { quirks } = PROFILES.perplexity;
    expect(readWhole('openai-chat', body, quirks)).toEqual({ reasoning: 'Hm', text: 'Yes', finish: 'stop' });
    expect(readWhole('openai-chat', body)).toEqual({ text: '<think>Hm</think>\n\nYes', finish: 'stop' });
  });
});
