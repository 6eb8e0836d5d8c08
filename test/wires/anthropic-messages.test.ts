import { describe, expect, it } from 'vitest';
import { type Reading, readObjects, readWhole } from './reading.ts';

const start = {
  type: 'message_start',
  message: { type: 'message', role: 'assistant', content: [], usage: { input_tokens: 3, output_tokens: 1 } },
};
const block = (index: number, content_block: object, ...deltas: object[]) => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const text = (index: number, ...texts: string[]) =>
  block(index, { type: 'text', text: '' }, ...texts.map((piece) => ({ type: 'text_delta', text: piece })));
const end = (stop_reason: string, usage: object = { output_tokens: 4 }) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null, container: { id: 'c' } }, usage },
  { type: 'message_stop' },
];

/** What the server's own tools were asked and gave. */
const SERVER = [
  { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } },
  { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ type: 'web_search_result', url: 'http://a' }] },
  { type: 'web_search_tool_result', tool_use_id: 's1', content: { type: 'web_search_tool_result_error' } },
  { type: 'web_fetch_tool_result', tool_use_id: 's1', content: { type: 'web_fetch_result', url: 'http://b' } },
  { type: 'code_execution_tool_result', tool_use_id: 's1', content: { stdout: 'no', content: [] } },
  { type: 'bash_code_execution_tool_result', tool_use_id: 's1', content: { stdout: 'no' } },
  { type: 'text_editor_code_execution_tool_result', tool_use_id: 's1', content: {} },
  { type: 'tool_search_tool_result', tool_use_id: 's1', content: { tool_references: [{ tool_name: 'f' }] } },
  { type: 'mcp_tool_use', id: 's2', name: 'f', server_name: 'm', input: {} },
  { type: 'mcp_tool_result', tool_use_id: 's2', is_error: false, content: [{ type: 'text', text: 'no' }] },
  { type: 'container_upload', file_id: 'f' },
  { type: 'compaction', content: 'no' },
];

const STREAMS: [string, unknown[], Reading][] = [
  [
    'server tools, and a turn that they interrupted',
    [
      start,
      ...block(
        0,
        { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} },
        { type: 'input_json_delta', partial_json: '{}' },
      ),
      ...SERVER.flatMap((content, n) => block(n + 1, content)),
      ...block(20, { type: 'compaction', content: null }, { type: 'compaction_delta', content: 'no' }),
      { type: 'ping' },
      ...block(
        21,
        { type: 'text', text: '', citations: [] },
        { type: 'citations_delta', citation: { url: 'http://c', cited_text: 'no' } },
        { type: 'text_delta', text: 'Ye' },
      ),
      ...text(22, 's'),
      ...end('pause_turn', { input_tokens: 900, output_tokens: 4, server_tool_use: { web_search_requests: 1 } }),
    ],
    { text: 'Yes', usage: [900, 4], finish: 'stop', sources: ['http://a', 'http://c'] },
  ],
  [
    'thinking in several blocks',
    [
      start,
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'H' },
        { type: 'signature_delta', signature: 's' },
      ),
      ...block(1, { type: 'redacted_thinking', data: 'e' }),
      ...block(2, { type: 'thinking', thinking: 'm', signature: 's' }),
      ...text(3, 'Yes'),
      ...end('end_turn', { input_tokens: null, output_tokens: 4 }),
    ],
    { reasoning: 'Hm', text: 'Yes', usage: [3, 4], finish: 'stop' },
  ],
  [
    'a call that the limit cut',
    [
      start,
      ...block(
        0,
        { type: 'tool_use', id: 't', name: 'f', input: {} },
        { type: 'input_json_delta', partial_json: '{"n":' },
      ),
      ...end('max_tokens'),
    ],
    { calls: [['t', 'f', '{"n":']], usage: [3, 4], finish: 'length' },
  ],
  [
    'an error',
    [start, ...text(0, 'Y'), { type: 'error', error: { type: 'overloaded_error', message: 'gone' } }],
    { text: 'Y', usage: [3, 1], reported: 'gone' },
  ],
  [
    'a refusal under way',
    [start, ...text(0, 'Y'), ...end('refusal')],
    { text: 'Y', usage: [3, 4], finish: 'content-filter' },
  ],
  [
    'a message that begins with a call, and is announced twice',
    [
      start,
      { ...start, message: { ...start.message, content: [{ type: 'tool_use', id: 't', name: 'f', input: { n: 1 } }] } },
      ...end('tool_use'),
    ],
    { calls: [['t', 'f', { n: 1 }]], usage: [3, 4], finish: 'tool-calls' },
  ],
  ['empty frames', ['', start, ...text(0, 'Y'), ' ', ...end('end_turn')], { text: 'Y', usage: [3, 4], finish: 'stop' }],
  [
    'half of the last frame',
    [start, ...text(0, 'Y'), ...end('end_turn').slice(0, 1), '{"type":"mess'],
    { text: 'Y', usage: [3, 4], finish: 'stop' },
  ],
];

describe('anthropic-messages, streams', () => {
  it.each(STREAMS)('%s', (_, objects, reading) => {
    expect(readObjects('anthropic-messages', objects)).toEqual(reading);
  });
});

describe('anthropic-messages, whole answers', () => {
  it('passes over what server tools did', () => {
    const call = { type: 'tool_use', id: 't', name: 'f', input: { n: 1 }, caller: { type: 'code_execution' } };
    const content = [...SERVER, { type: 'text', text: 'Yes', citations: [{ url: 'http://c' }] }, call];
    const body = { type: 'message', content, stop_reason: 'tool_use', usage: { input_tokens: 3, output_tokens: 4 } };
    expect(readWhole('anthropic-messages', body)).toEqual({
      text: 'Yes',
      calls: [['t', 'f', { n: 1 }]],
      usage: [3, 4],
      finish: 'tool-calls',
      sources: ['http://a', 'http://c'],
    });
  });

  it.each([
    [{ n: 1 }, { n: 1 }],
    ['{"n":1}', { n: 1 }],
    ['{"n":', '{"n":'],
    [null, {}],
  ])('has a call with the input %j', (input, args) => {
    const body = { content: [{ type: 'tool_use', id: 't', name: 'f', input }], stop_reason: 'tool_use' };
    expect(readWhole('anthropic-messages', body)).toEqual({ calls: [['t', 'f', args]], finish: 'tool-calls' });
  });
});
