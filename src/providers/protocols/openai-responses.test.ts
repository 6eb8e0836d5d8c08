import { describe, expect, it } from 'vitest';
import { readStream } from '../../../test/protocol.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ProviderEvent } from '../chat-model.ts';
import { openaiResponses } from './openai-responses.ts';
import { ProtocolError, ReportedError } from './protocol.ts';

type Sent = JsonObject | string;

function stream(sent: Sent[]): ProviderEvent[] {
  return readStream(
    openaiResponses,
    sent.map((event, sequence_number) => (typeof event === 'string' ? event : { ...event, sequence_number })),
  );
}

const added = (output_index: number, item: JsonObject) => ({ type: 'response.output_item.added', output_index, item });
const finished = (output_index: number, item: JsonObject) => ({
  type: 'response.output_item.done',
  output_index,
  item,
});
const delta = (kind: string, output_index: number, text: string, more: JsonObject = {}) => ({
  type: `response.${kind}.delta`,
  item_id: `item_${output_index}`,
  output_index,
  content_index: 0,
  delta: text,
  logprobs: [],
  obfuscation: 'x'.repeat(8),
  ...more,
});
const text = (output_index: number, ...pieces: string[]) =>
  pieces.map((piece) => delta('output_text', output_index, piece));
const summary = (output_index: number, summary_index: number, ...pieces: string[]) =>
  pieces.map((piece) =>
    delta('reasoning_summary_text', output_index, piece, { summary_index, content_index: undefined }),
  );
const args = (output_index: number, ...pieces: string[]) =>
  pieces.map((piece) => delta('function_call_arguments', output_index, piece));

const message = (said: string, more: JsonObject = {}) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: said, annotations: [], logprobs: [] }],
  ...more,
});
const reasoning = (more: JsonObject = {}) => ({ type: 'reasoning', id: 'rs_1', summary: [], ...more });
const call = (call_id: string, name: string, written: string) => ({
  type: 'function_call',
  id: `fc_${call_id}`,
  call_id,
  name,
  arguments: written,
  status: 'completed',
});
const completed = (output: JsonObject[] = [], more: JsonObject = {}) => ({
  type: 'response.completed',
  response: { object: 'response', status: 'completed', error: null, output, ...more },
});
const finish = (reason: string) => ({ type: 'finish', reason });
const toolCall = (id: string, name: string, given: JsonObject, more: JsonObject = {}) => ({
  type: 'tool-call',
  call: { id, name, arguments: given, ...more },
});

describe('openai-responses, reading a stream', () => {
  it('gives text as it comes, once, and what surrounds it not at all', () => {
    const part = { type: 'output_text', text: '' };
    const sent = [
      { type: 'response.created', response: { status: 'in_progress', output: [] } },
      { type: 'response.in_progress', response: {} },
      { type: 'response.queued' },
      '',
      added(0, message('', { content: [] })),
      { type: 'response.content_part.added', output_index: 0, part },
      ...text(0, 'Yes', ', ', '"no"\n', 'ö'),
      { type: 'response.output_text.done', output_index: 0, text: 'Yes, "no"\nö' },
      { type: 'response.content_part.done', output_index: 0, part: { ...part, text: 'Yes, "no"\nö' } },
      { type: 'response.some_later_invention', output_index: 0, delta: 'odd' },
      finished(0, message('Yes, "no"\nö')),
      completed([message('Yes, "no"\nö')]),
      '[DONE]',
      ...text(0, 'too late'),
    ];
    expect(stream(sent)).toEqual([
      ...['Yes', ', ', '"no"\n', 'ö'].map((said) => ({ type: 'text', text: said })),
      finish('stop'),
    ]);
  });

  it('is done with the last event and not before', () => {
    const reader = openaiResponses.reader({});
    reader.step({ event: '', data: JSON.stringify(finished(0, message('Yes'))) });
    reader.step({ event: '', data: '[DONE]' });
    expect(reader.done).toBe(false);
    expect(() => reader.end()).toThrow(ProtocolError);
    reader.step({ event: '', data: JSON.stringify(completed()) });
    expect(reader.done).toBe(true);
  });

  it('keeps the order of reasoning, text, reasoning and a call, with what goes back', () => {
    const first = reasoning({ encrypted_content: 'AAA', summary: [{ type: 'summary_text', text: 'Hm.' }] });
    const second = reasoning({ id: 'rs_2', encrypted_content: 'BBB', content: [] });
    const sent = [
      added(0, reasoning({ encrypted_content: 'unfinished' })),
      { type: 'response.reasoning_summary_part.added', output_index: 0, summary_index: 0 },
      ...summary(0, 0, 'H', 'm.'),
      { type: 'response.reasoning_summary_text.done', output_index: 0, summary_index: 0, text: 'Hm.' },
      finished(0, first),
      added(1, message('', { content: [] })),
      ...text(1, 'I look.'),
      finished(1, message('I look.', { phase: 'commentary' })),
      added(2, reasoning({ id: 'rs_2' })),
      finished(2, second),
      added(3, call('a', 'f', '')),
      finished(3, call('a', 'f', '{"n":1}')),
      completed([first, message('I look.'), second, call('a', 'f', '{"n":1}')]),
    ];
    expect(stream(sent)).toEqual([
      { type: 'reasoning', text: 'H' },
      { type: 'reasoning', text: 'm.' },
      { type: 'reasoning', text: '', data: first },
      { type: 'text', text: 'I look.' },
      { type: 'text', text: '', data: { phase: 'commentary' } },
      { type: 'reasoning', text: '', data: second },
      toolCall('a', 'f', { n: 1 }),
      finish('tool-calls'),
    ]);
  });

  it('puts nothing between parts of reasoning: parts of an item, and items', () => {
    const sent = [
      ...summary(0, 0, 'A', 'a'),
      ...summary(0, 1, 'B'),
      delta('reasoning_text', 0, 'C', { content_index: 1 }),
      finished(0, reasoning({ encrypted_content: '' })),
      delta('reasoning_text', 1, 'D'),
      completed(),
    ];
    const events = stream(sent);
    expect(events.map((event) => (event.type === 'reasoning' ? event.text : ''))).toEqual([
      'A',
      'a',
      'B',
      'C',
      'D',
      '',
    ]);
    expect(events.some((event) => event.type === 'reasoning' && event.data)).toBe(false);
  });

  it('keeps interleaved calls apart and gives each when it is done', () => {
    const sent = [
      added(0, call('a', 'f', '')),
      added(1, call('b', 'g', '')),
      ...args(0, '{"n":'),
      ...args(1, '{"m"'),
      ...args(0, '1}'),
      ...args(1, ':2}'),
      { type: 'response.function_call_arguments.done', output_index: 1, arguments: '{"m":2}' },
      finished(1, call('b', 'g', '{"m":2}')),
      finished(0, call('a', 'f', '{"n":1}')),
      completed([call('a', 'f', '{"n":1}'), call('b', 'g', '{"m":2}')]),
    ];
    expect(stream(sent)).toEqual([toolCall('b', 'g', { m: 2 }), toolCall('a', 'f', { n: 1 }), finish('tool-calls')]);
  });

  it('loses no call: not one without an end, and not one that only the last event has', () => {
    const sent = [added(0, call('a', 'f', '')), ...args(0, '{"n":1}'), completed([])];
    expect(stream(sent)).toEqual([toolCall('a', 'f', { n: 1 }), finish('tool-calls')]);
    expect(stream([finished(0, call('a', 'f', '')), completed([call('a', 'f', ''), call('b', 'g', 'null')])])).toEqual([
      toolCall('a', 'f', {}),
      toolCall('b', 'g', {}),
      finish('tool-calls'),
    ]);
    const ended = { type: 'response.function_call_arguments.done', output_index: 0, arguments: '{"n":2}' };
    expect(stream([added(0, call('a', 'f', '')), ended, completed([])])[0]).toEqual(toolCall('a', 'f', { n: 2 }));
    const inOtherOrder = completed([call('b', 'g', ''), call('a', 'f', '')]);
    expect(stream([finished(0, call('a', 'f', '')), inOtherOrder])).toEqual([
      toolCall('a', 'f', {}),
      toolCall('b', 'g', {}),
      finish('tool-calls'),
    ]);
    const hidden = reasoning({ encrypted_content: 'AAA' });
    expect(stream([...text(0, 'Yes'), completed([hidden, message('Yes')])])).toEqual([
      { type: 'text', text: 'Yes' },
      { type: 'reasoning', text: '', data: hidden },
      finish('stop'),
    ]);
    expect(stream([completed([reasoning({ summary: [{ text: 'Hm' }] }), message('Yes')])])).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Yes' },
      finish('stop'),
    ]);
  });

  it('puts 200 KB of arguments together out of single characters', () => {
    const written = JSON.stringify({ text: 'äb"\\'.repeat(50_000) });
    const pieces = [...written].map((character) => delta('function_call_arguments', 0, character));
    const sent = [added(0, call('a', 'f', '')), ...pieces, finished(0, call('a', 'f', '')), completed()];
    expect(stream(sent)).toEqual([toolCall('a', 'f', JSON.parse(written)), finish('tool-calls')]);
  });

  it('goes by place where ids change, and by id where there is no place', () => {
    const byId = (event: JsonObject, item_id: string) => ({ ...event, output_index: undefined, item_id });
    const sent = [
      added(0, message('', { content: [] })),
      { ...text(0, 'A')[0], item_id: 'x' },
      { ...text(0, 'B')[0], item_id: 'y' },
      finished(0, message('AB', { id: 'z' })),
      byId(delta('output_text', 1, 'C'), 'm2'),
      byId(delta('output_text', 1, 'D'), 'm2'),
      byId(delta('output_text', 2, 'E'), 'm3'),
      completed([message('AB', { id: 'q' }), message('CD', { id: 'r' }), message('E')]),
    ];
    expect(stream(sent).map((event) => (event.type === 'text' ? event.text : event.type))).toEqual([
      'A',
      'B',
      'C',
      'D',
      'E',
      'finish',
    ]);
    const everyPlaceIsTheFirst = ['A', 'B'].flatMap((said) => [
      ...text(0, said),
      finished(0, message(said, { phase: said })),
    ]);
    expect(stream([...everyPlaceIsTheFirst, completed()]).map((event) => 'data' in event && event.data)).toEqual([
      false,
      { phase: 'A' },
      false,
      { phase: 'B' },
      false,
    ]);
  });

  it('does not keep what is nested too deeply to be sent', () => {
    const deep = JSON.parse(`${'['.repeat(500)}1${']'.repeat(500)}`);
    const events = stream([finished(0, reasoning({ encrypted_content: 'AAA', deep })), completed()]);
    expect(events).toEqual([finish('stop')]);
  });

  it('passes over what hosted tools did', () => {
    const items = ['web_search_call', 'file_search_call', 'tool_search_call', 'code_interpreter_call', 'mcp_call'];
    const sent = items.flatMap((type, index) => [
      added(index, { type, id: `h${index}` }),
      { type: `response.${type}.in_progress`, output_index: index },
      { type: 'response.mcp_call_arguments.delta', output_index: index, delta: '{}' },
      finished(index, { type, id: `h${index}`, arguments: '{}', call_id: 'c', name: 'n' }),
    ]);
    expect(stream([...sent, completed(items.map((type) => ({ type })))])).toEqual([finish('stop')]);
  });

  it('gives the pages that a text names', () => {
    const note = { type: 'url_citation', url: 'https://x.test/', title: 'X', start_index: 0, end_index: 3 };
    const said = message('Yes', { content: [{ type: 'output_text', text: 'Yes', annotations: [note, note] }] });
    expect(stream([...text(0, 'Yes'), finished(0, said), completed([said])])).toContainEqual({
      type: 'source',
      source: { url: 'https://x.test/', title: 'X' },
    });
  });
});

describe('openai-responses, how an answer ends', () => {
  it('reads the counts', () => {
    const usage = {
      input_tokens: 30,
      input_tokens_details: { cached_tokens: 10, cache_write_tokens: 5 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 15 },
      total_tokens: 50,
    };
    expect(stream([completed([], { usage })])).toEqual([
      {
        type: 'usage',
        usage: {
          promptTokens: 30,
          completionTokens: 20,
          totalTokens: 50,
          cachedTokens: 10,
          cacheWriteTokens: 5,
          reasoningTokens: 15,
        },
      },
      finish('stop'),
    ]);
  });

  it.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content-filter'],
    [undefined, 'length'],
  ])('incomplete for %s is %s', (reason, expected) => {
    const response = { status: 'incomplete', incomplete_details: reason && { reason }, output: [] };
    expect(stream([{ type: 'response.incomplete', response }])).toEqual([finish(expected)]);
    expect(openaiResponses.read(response, {})).toEqual([finish(expected)]);
  });

  it('keeps a call that was cut off as it was written', () => {
    const sent = [
      added(0, call('a', 'f', '')),
      ...args(0, '{"n'),
      { type: 'response.incomplete', response: { incomplete_details: { reason: 'max_output_tokens' } } },
    ];
    expect(stream(sent)).toEqual([toolCall('a', 'f', {}, { invalidArguments: '{"n' }), finish('length')]);
  });

  it('gives a refusal as text of a filtered answer', () => {
    const refused = message('', { content: [{ type: 'refusal', refusal: 'I will not.' }] });
    const events = [{ type: 'text', text: 'I will not.' }, finish('content-filter')];
    expect(stream([delta('refusal', 0, 'I will not.'), finished(0, refused), completed([refused])])).toEqual(events);
    expect(openaiResponses.read(completed([refused]).response, {})).toEqual(events);
  });

  it.each([
    [{ type: 'error', code: 'server_error', message: 'Broken', param: null }],
    [{ type: 'error', error: { type: 'server_error', code: 'server_error', message: 'Broken' } }],
    [{ error: { code: 'server_error', message: 'Broken' } }],
    [{ type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'Broken' } } }],
  ])('reports %j after what had come', (failure) => {
    const reader = openaiResponses.reader({});
    expect(reader.step({ event: '', data: JSON.stringify(text(0, 'Y')[0]) })).toHaveLength(1);
    const fail = () => reader.step({ event: 'error', data: JSON.stringify(failure) });
    expect(fail).toThrow(ReportedError);
    expect(fail).toThrow('Broken');
    try {
      fail();
    } catch (error) {
      expect((error as ReportedError).reading.kinds).toContain('server_error');
    }
  });

  it('reports a failure without words too', () => {
    expect(() => stream([{ type: 'response.failed', response: { error: null } }])).toThrow(ReportedError);
    expect(() => stream([{ type: 'response.cancelled', response: {} }])).toThrow(ReportedError);
    expect(() => stream([completed([], { error: { message: 'No' } })])).toThrow(ReportedError);
    expect(() => openaiResponses.read({ error: { message: 'No' } }, {})).toThrow(ReportedError);
    expect(() => openaiResponses.read({ status: 'failed', error: null, output: [] }, {})).toThrow(ReportedError);
  });

  it('is an error without an end, whatever came', () => {
    const whole = [...text(0, 'Yes'), finished(0, message('Yes'))];
    expect(() => stream(whole)).toThrow(ProtocolError);
    expect(() => stream([])).toThrow(ProtocolError);
    expect(() => stream(['<html>'])).toThrow(ProtocolError);
    expect(() => openaiResponses.read({ output: 'Yes' }, {})).toThrow(ProtocolError);
    expect(() => openaiResponses.read([], {})).toThrow(ProtocolError);
  });

  it('bears broken snapshots as long as nothing of the answer is lost', () => {
    const begun = '{"type":"response.created","response":{"output":[]';
    const ended = '{"type":"response.completed","response":{"output":[{"type":"mess';
    const said = [...text(0, 'Yes'), finished(0, message('Yes'))];
    expect(stream([begun, ...said, ended])).toEqual([{ type: 'text', text: 'Yes' }, finish('stop')]);
    expect(() => stream([begun, ended])).toThrow(ProtocolError);
    expect(() => stream([...said, ...text(1, 'more'), ended])).toThrow(ProtocolError);
    expect(() => stream([...said, '{"type":"response.incomplete","resp'])).toThrow(ProtocolError);
    expect(() => stream([...said, '{"type":"response.output_text.delta","delta":"m'])).toThrow(ProtocolError);
  });

  it('reads a whole answer, and an empty one', () => {
    const output = [
      reasoning({ encrypted_content: 'AAA', summary: [{ text: 'One' }, { text: 'Two' }] }),
      { type: 'web_search_call' },
      message('Yes', { phase: 'final_answer' }),
      call('', 'f', '{"n":1}'),
    ];
    expect(openaiResponses.read({ status: 'completed', error: null, output }, {})).toEqual([
      { type: 'reasoning', text: 'One' },
      { type: 'reasoning', text: 'Two' },
      { type: 'reasoning', text: '', data: output[0] },
      { type: 'text', text: 'Yes' },
      { type: 'text', text: '', data: { phase: 'final_answer' } },
      toolCall('fc_', 'f', { n: 1 }),
      finish('tool-calls'),
    ]);
    expect(openaiResponses.read({ output: [] }, {})).toEqual([finish('stop')]);
  });
});
