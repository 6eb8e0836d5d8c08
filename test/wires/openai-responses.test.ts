import { describe, expect, it } from 'vitest';
import { type Reading, readObjects, readWhole } from './reading.ts';

const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
const response = (output: object[], rest: object = {}) => ({
  object: 'response',
  status: 'completed',
  error: null,
  incomplete_details: null,
  output,
  usage,
  ...rest,
});
const completed = (output: object[]) => ({ type: 'response.completed', response: response(output) });
const message = (...texts: string[]) => ({
  type: 'message',
  id: 'm',
  role: 'assistant',
  content: texts.map((text) => ({ type: 'output_text', text, annotations: [], logprobs: [] })),
});
const call = (rest: object) => ({ type: 'function_call', id: 'f1', call_id: 'c1', name: 'f', ...rest });

/** Items of tools that the provider or another client runs, some with a name and arguments like calls of ours. */
const HOSTED = [
  { type: 'web_search_call', action: { type: 'search', query: 'q', sources: [] } },
  { type: 'file_search_call', queries: ['q'], results: null },
  { type: 'code_interpreter_call', code: 'print(1)', outputs: [{ type: 'logs', logs: '1' }] },
  { type: 'image_generation_call', result: 'AAAA' },
  { type: 'mcp_list_tools', tools: [{ name: 'f', input_schema: {} }] },
  { type: 'mcp_approval_request', name: 'f', arguments: '{}' },
  { type: 'mcp_call', name: 'f', arguments: '{}', output: 'no', error: null },
  { type: 'custom_tool_call', call_id: 'c', name: 'f', input: 'x' },
  { type: 'computer_call', call_id: 'c', action: { type: 'click' } },
  { type: 'local_shell_call', call_id: 'c', action: { command: ['ls'] } },
  { type: 'shell_call', call_id: 'c', action: { commands: ['ls'] } },
  { type: 'apply_patch_call', call_id: 'c', operation: {} },
  { type: 'tool_search_call', arguments: {} },
  { type: 'compaction', encrypted_content: 'e' },
].map((item, n) => ({ id: `h${n}`, status: 'completed', ...item }));

/** Events of their own that such items have. */
const HOSTED_EVENTS = [
  ['code_interpreter_call_code.delta', 'print'],
  ['mcp_call_arguments.delta', '{"'],
  ['custom_tool_call_input.delta', 'x'],
  ['image_generation_call.partial_image', undefined],
  ['web_search_call.searching', undefined],
].map(([type, delta]) => ({ type: `response.${type}`, item_id: 'h', output_index: 0, delta, obfuscation: 'xx' }));

const done = (item: object, output_index: number) => [
  { type: 'response.output_item.added', output_index, item },
  ...HOSTED_EVENTS.map((event) => ({ ...event, output_index })),
  { type: 'response.output_item.done', output_index, item },
];
const text = (delta: string, rest: object = {}) => ({
  type: 'response.output_text.delta',
  item_id: 'm',
  output_index: 20,
  content_index: 0,
  delta,
  logprobs: [],
  obfuscation: 'abc',
  ...rest,
});
const argumentsOf = (output_index: number, delta: string) => ({
  type: 'response.function_call_arguments.delta',
  item_id: `f${output_index}`,
  output_index,
  delta,
});
const note = { type: 'response.output_text.annotation.added', annotation: { type: 'file_citation', file_id: 'f' } };

const STREAMS: [string, unknown[], Reading][] = [
  [
    'hosted tools',
    [
      { type: 'response.queued', response: response([], { status: 'queued' }) },
      { type: 'response.created', response: response([], { status: 'in_progress' }) },
      ...HOSTED.flatMap(done),
      text('Ye'),
      note,
      text('s', { content_index: 1 }),
      completed([...HOSTED, message('Ye', 's')]),
    ],
    { text: 'Yes', usage: [3, 4], finish: 'stop' },
  ],
  [
    'calls side by side',
    [
      { type: 'response.output_item.added', output_index: 0, item: call({ arguments: '' }) },
      { type: 'response.output_item.added', output_index: 1, item: call({ id: 'f2', call_id: 'c2', name: 'g' }) },
      argumentsOf(1, '{"n"'),
      argumentsOf(0, '{'),
      argumentsOf(1, ':2}'),
      argumentsOf(0, '}'),
      completed([]),
    ],
    {
      calls: [
        ['c1', 'f', {}],
        ['c2', 'g', { n: 2 }],
      ],
      usage: [3, 4],
      finish: 'tool-calls',
    },
  ],
  ['arguments of nothing that has a name', [argumentsOf(0, '{}'), completed([])], { usage: [3, 4], finish: 'stop' }],
  [
    'a call that the limit cut',
    [
      { type: 'response.output_item.added', output_index: 0, item: call({ arguments: '' }) },
      argumentsOf(0, '{"n":'),
      {
        type: 'response.incomplete',
        response: response([], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
      },
    ],
    { calls: [['c1', 'f', '{"n":']], usage: [3, 4], finish: 'length' },
  ],
  [
    'what the filter cut',
    [
      text('Y'),
      {
        type: 'response.incomplete',
        response: response([message('Y')], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
      },
    ],
    { text: 'Y', usage: [3, 4], finish: 'content-filter' },
  ],
  [
    'a failure',
    [text('Y'), { type: 'response.failed', response: response([], { status: 'failed', error: { message: 'gone' } }) }],
    { text: 'Y', reported: 'gone' },
  ],
  [
    'an error',
    [text('Y'), { type: 'error', code: 'server_error', message: 'gone', param: null }],
    { text: 'Y', reported: 'gone' },
  ],
  [
    'a refusal behind text',
    [text('Y'), { ...text('No'), type: 'response.refusal.delta', content_index: 1 }, completed([])],
    { text: 'YNo', usage: [3, 4], finish: 'content-filter' },
  ],
];

describe('openai-responses, streams', () => {
  it.each(STREAMS)('%s', (_, objects, reading) => {
    expect(readObjects('openai-responses', objects)).toEqual(reading);
  });
});

describe('openai-responses, whole answers', () => {
  it('passes over what hosted tools did', () => {
    const body = response([...HOSTED, message('Ye'), call({ arguments: '{}' }), message('s')]);
    expect(readWhole('openai-responses', body)).toEqual({
      text: 'Yes',
      calls: [['c1', 'f', {}]],
      usage: [3, 4],
      finish: 'tool-calls',
    });
  });
});
