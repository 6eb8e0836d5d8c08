import { describe, expect, it } from 'vitest';
import { lowerWith, readStream } from '../../../test/protocol.ts';
import type { ChatRequest, Message, ProviderEvent } from '../chat-model.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { ProtocolError, ReportedError } from './protocol.ts';

function stream(...events: unknown[]): ProviderEvent[] {
  return readStream(anthropicMessages, events);
}

function lower(over: Partial<ChatRequest>) {
  return lowerWith(anthropicMessages, { model: 'claude-sonnet-4-5', ...over });
}

const start = {
  type: 'message_start',
  message: { usage: { input_tokens: 7, cache_read_input_tokens: 90, output_tokens: 1 } },
};
const block = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, piece: object) => ({ type: 'content_block_delta', index, delta: piece });
const stop = (index: number) => ({ type: 'content_block_stop', index });
const close = (stop_reason: string, usage: object = { output_tokens: 5 }) => ({
  type: 'message_delta',
  delta: { stop_reason },
  usage,
});
const finished = { type: 'message_stop' };

describe('anthropic-messages, reading', () => {
  it('gives thinking, its signature at the end of the block, text, and one finish', () => {
    const events = stream(
      start,
      block(0, { type: 'thinking', thinking: '', signature: '' }),
      delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
      { type: 'ping' },
      delta(0, { type: 'signature_delta', signature: 'ab' }),
      delta(0, { type: 'signature_delta', signature: 'cd' }),
      stop(0),
      block(1, { type: 'redacted_thinking', data: 'xyz' }),
      stop(1),
      block(2, { type: 'text', text: '' }),
      delta(2, { type: 'text_delta', text: 'Yes' }),
      stop(2),
      close('end_turn'),
      finished,
    );
    expect(events.filter((event) => event.type !== 'usage')).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoning', text: '', data: { signature: 'abcd' } },
      { type: 'reasoning', text: '', data: { redacted: 'xyz' } },
      { type: 'text', text: 'Yes' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  it('keeps the counts of the beginning that the end does not name, and ignores nulls', () => {
    const usage = stream(start, close('end_turn', { output_tokens: 5, input_tokens: null }), finished).filter(
      (event) => event.type === 'usage',
    );
    expect(usage.at(-1)).toEqual({
      type: 'usage',
      usage: { promptTokens: 7, completionTokens: 5, totalTokens: 12, cachedTokens: 90 },
    });
  });

  it('puts interleaved tool calls together and skips what the server ran itself', () => {
    const events = stream(
      start,
      block(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"query":"x"}' }),
      stop(0),
      block(1, { type: 'web_search_tool_result', tool_use_id: 's', content: [] }),
      stop(1),
      block(2, { type: 'tool_use', id: 'a', name: 'f', input: {} }),
      block(3, { type: 'tool_use', id: 'b', name: 'g', input: {} }),
      delta(2, { type: 'input_json_delta', partial_json: '{"n":' }),
      delta(3, { type: 'input_json_delta', partial_json: '' }),
      delta(2, { type: 'input_json_delta', partial_json: '1}' }),
      stop(2),
      stop(3),
      close('tool_use'),
      finished,
    );
    expect(events.filter((event) => event.type === 'tool-call').map((event) => event.call)).toEqual([
      { id: 'a', name: 'f', arguments: { n: 1 } },
      { id: 'b', name: 'g', arguments: {} },
    ]);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool-calls' });
  });

  it.each([
    ['refusal', 'content-filter'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['tool_use', 'stop'],
  ])('reads the stop reason %s, without tool calls, as %s', (reason, finish) => {
    expect(stream(start, close(reason), finished).at(-1)).toEqual({ type: 'finish', reason: finish });
  });

  it("bears a gateway's [DONE]", () => {
    expect(stream(start, close('end_turn'), finished, '[DONE]').at(-1)).toEqual({ type: 'finish', reason: 'stop' });
    expect(stream(start, close('end_turn'), '[DONE]').at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  it('reports an error event in the words of the provider', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const reader = anthropicMessages.reader({});
    let thrown: unknown;
    try {
      reader.step({ event: 'error', data: JSON.stringify(error) });
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBeInstanceOf(ReportedError);
    expect(thrown).toMatchObject({ reading: { message: 'Overloaded', kinds: ['overloaded_error'] } });
  });

  it('does not take a broken off stream for an answer', () => {
    expect(() => stream(start, block(0, { type: 'text', text: 'Ye' }))).toThrow(ProtocolError);
    expect(() => stream('{"type":')).toThrow(ProtocolError);
  });

  it('reads a whole answer', () => {
    const body = {
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'ab' },
        { type: 'text', text: 'Yes' },
        { type: 'tool_use', id: 'a', name: 'f', input: { n: 1 } },
      ],
      stop_reason: 'tool_use',
      usage: {
        input_tokens: 1,
        output_tokens: 2,
        cache_creation_input_tokens: 3,
        output_tokens_details: { thinking_tokens: 1 },
      },
    };
    expect(anthropicMessages.read(body, {})).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoning', text: '', data: { signature: 'ab' } },
      { type: 'text', text: 'Yes' },
      { type: 'tool-call', call: { id: 'a', name: 'f', arguments: { n: 1 } } },
      {
        type: 'usage',
        usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3, cacheWriteTokens: 3, reasoningTokens: 1 },
      },
      { type: 'finish', reason: 'tool-calls' },
    ]);
    expect(() => anthropicMessages.read({ error: { message: 'no' } }, {})).toThrow(ReportedError);
    expect(() => anthropicMessages.read({ id: 'x' }, {})).toThrow(ProtocolError);
  });
});

describe('anthropic-messages, lowering', () => {
  it('sends nothing that was not asked, but the limit that the wire demands', () => {
    const messages: Message[] = [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }];
    expect(lower({ messages })).toEqual({
      path: '/messages',
      body: {
        model: 'claude-sonnet-4-5',
        max_tokens: 32_000,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
      },
      warnings: [],
    });
    expect(lower({ model: 'claude-3-haiku-20240307' }).body.max_tokens).toBe(4096);
    expect(lower({ model: 'claude-3-5-haiku-latest' }).body.max_tokens).toBe(8192);
    expect(lower({ maxTokens: 9, stream: true }).body).toMatchObject({ max_tokens: 9, stream: true });
  });

  it('makes a tool loop of two turns, in the order that the model made, results before words', () => {
    const messages: Message[] = [
      { role: 'system', text: 'A' },
      { role: 'system', text: 'B' },
      {
        role: 'assistant',
        parts: [
          { type: 'text', text: 'Let me see' },
          { type: 'reasoning', text: 'Hm', data: { signature: 'ab' } },
          { type: 'reasoning', text: '', data: { redacted: 'xyz' } },
          { type: 'reasoning', text: 'foreign' },
          { type: 'tool-call', call: { id: 'call_1', name: 'f', arguments: {} } },
          { type: 'tool-call', call: { id: 'call-2', name: 'g', arguments: { n: 1 } } },
        ],
      },
      { role: 'tool', toolCallId: 'call_1', toolName: 'f', text: 'one' },
      { role: 'tool', toolCallId: 'call-2', toolName: 'g', text: 'two' },
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'Go on' },
          { type: 'text', text: ' ' },
        ],
      },
    ];
    expect(lower({ messages }).body).toMatchObject({
      system: 'A\n\nB',
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Let me see' },
            { type: 'thinking', thinking: 'Hm', signature: 'ab' },
            { type: 'redacted_thinking', data: 'xyz' },
            { type: 'tool_use', id: 'call_1', name: 'f', input: {} },
            { type: 'tool_use', id: 'call-2', name: 'g', input: { n: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_1', content: 'one' },
            { type: 'tool_result', tool_use_id: 'call-2', content: 'two' },
            { type: 'text', text: 'Go on' },
          ],
        },
      ],
    });
  });

  it('joins turns of one speaker and leaves out empty ones', () => {
    const messages: Message[] = [
      { role: 'user', parts: [{ type: 'text', text: 'a' }] },
      { role: 'assistant', parts: [{ type: 'reasoning', text: 'cut off', data: { signature: 's' } }] },
      { role: 'user', parts: [{ type: 'text', text: 'b' }] },
    ];
    expect(lower({ messages }).body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ]);
  });

  it('carries pictures and documents', () => {
    const parts = [
      { type: 'image' as const, media: { data: 'aGk=', mediaType: 'image/png' } },
      { type: 'image' as const, media: { url: 'https://x.test/a.png' } },
      { type: 'file' as const, media: { data: 'aGk=', mediaType: 'application/pdf' }, filename: 'a.pdf' },
      { type: 'file' as const, media: { data: 'aGk=', mediaType: 'text/plain' } },
    ];
    expect(lower({ messages: [{ role: 'user', parts }] }).body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
          { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' }, title: 'a.pdf' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hi' } },
        ],
      },
    ]);
  });

  it.each([
    ['auto' as const, { type: 'auto' }],
    ['none' as const, { type: 'none' }],
    ['required' as const, { type: 'any' }],
    [{ name: 'f' }, { type: 'tool', name: 'f' }],
  ])('lowers the tool choice %j', (toolChoice, tool_choice) => {
    const tools = [{ name: 'f', description: undefined, parameters: { type: 'object' } }];
    expect(lower({ tools, toolChoice }).body).toMatchObject({
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
      tool_choice,
    });
    expect(lower({ toolChoice }).body).not.toHaveProperty('tool_choice');
  });

  it('says so when it lowers a temperature, or leaves it out for a model that takes none', () => {
    expect(lower({ temperature: 1 })).toMatchObject({ body: { temperature: 1 }, warnings: [] });
    const hot = lower({ temperature: 1.5 });
    expect(hot.body.temperature).toBe(1);
    expect(hot.warnings).toEqual([expect.stringContaining('temperature')]);
    const request = { model: 'm', messages: [], tools: [], toolChoice: undefined, maxTokens: undefined, stream: false };
    const refused = anthropicMessages.lower({ ...request, temperature: 0.5 }, { reasoningModels: /^m$/ });
    expect(refused.body).not.toHaveProperty('temperature');
    expect(refused.warnings).toHaveLength(1);
  });
});
