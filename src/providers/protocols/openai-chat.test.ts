import { describe, expect, it } from 'vitest';
import { lowerWith, readStream } from '../../../test/protocol.ts';
import type { ChatRequest, Message, ProviderEvent } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { openaiChat } from './openai-chat.ts';
import { ProtocolError, ReportedError } from './protocol.ts';

function stream(chunks: unknown[], quirks: Quirks = {}): ProviderEvent[] {
  return readStream(openaiChat, chunks, quirks);
}

const delta = (piece: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: piece, finish_reason }],
});
const stop = delta({}, 'stop');

function lower(over: Partial<ChatRequest>, quirks: Quirks = {}) {
  return lowerWith(openaiChat, { model: 'gpt-4o', ...over }, quirks);
}

describe('openai-chat, reading', () => {
  it('gives text and one finish, and bears empty chunks, empty tool calls and a finish sent twice', () => {
    const filter = { choices: [], prompt_filter_results: [{}] };
    const chunks = [
      filter,
      delta({ role: 'assistant', content: '' }),
      delta({ content: 'Yes', tool_calls: [] }),
      delta({}, 'eos'),
      delta({}, 'eos'),
      '[DONE]',
    ];
    expect(stream(chunks)).toEqual([
      { type: 'text', text: 'Yes' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  it.each([
    [{ reasoning_content: 'Hm' }],
    [{ reasoning: 'Hm' }],
    [{ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] }],
  ])('finds reasoning in %j', (piece) => {
    expect(stream([delta(piece), delta({ content: [{ type: 'text', text: 'Yes' }] }), stop])).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Yes' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  it.each([
    [{ reasoning: 'Hm', reasoning_details: [{ type: 'reasoning.text', text: 'Hm' }] }],
    [{ reasoning_details: [{ type: 'reasoning.summary', summary: 'Hm' }] }],
  ])('keeps the details of %j for the provider', (piece) => {
    const data = { reasoning_details: piece.reasoning_details };
    expect(stream([delta(piece), delta({ content: 'Yes' }), stop])).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Yes' },
      { type: 'reasoning', text: '', data },
      { type: 'finish', reason: 'stop' },
    ]);
    expect(
      openaiChat.read({ choices: [{ message: { ...piece, content: 'Yes' }, finish_reason: 'stop' }] }, {}),
    ).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoning', text: '', data },
      { type: 'text', text: 'Yes' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  it('takes <think> out of the text only where a vendor puts reasoning there', () => {
    const chunks = [delta({ content: '<think>Hm</th' }), delta({ content: 'ink>\n\nYes' }), stop];
    expect(stream(chunks, { thinkTags: true }).filter((event) => event.type === 'text')).toEqual([
      { type: 'text', text: 'Yes' },
    ]);
    expect(stream(chunks)[0]).toEqual({ type: 'text', text: '<think>Hm</th' });
  });

  it('has tool calls if calls came, whatever the finish reason; a cut one keeps what was written', () => {
    const chunks = [
      delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '{"n":1}' } }] }),
      delta({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{"n' } }] }),
    ];
    const calls = [
      { type: 'tool-call', call: { id: 'a', name: 'f', arguments: { n: 1 } } },
      { type: 'tool-call', call: { id: 'b', name: 'g', arguments: {}, invalidArguments: '{"n' } },
    ];
    expect(stream([...chunks, stop])).toEqual([...calls, { type: 'finish', reason: 'tool-calls' }]);
    expect(stream([...chunks, '[DONE]'])).toEqual([...calls, { type: 'finish', reason: 'tool-calls' }]);
    expect(stream([...chunks, delta({}, 'length')]).at(-1)).toEqual({ type: 'finish', reason: 'length' });
    expect(stream([delta({}, 'tool_calls')])).toEqual([{ type: 'finish', reason: 'stop' }]);
  });

  it.each([
    [
      {
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } },
      },
      { cachedTokens: 1 },
    ],
    [
      { usage: { prompt_tokens: 3, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 1 } } },
      { reasoningTokens: 1 },
    ],
    [{ usage: { prompt_tokens: 3, completion_tokens: 2, prompt_cache_hit_tokens: 2 } }, { cachedTokens: 2 }],
    [{ x_groq: { usage: { prompt_tokens: 3, completion_tokens: 2 } } }, {}],
  ])('reads the counts of %j', (chunk, more) => {
    expect(stream([stop, { choices: [], ...chunk }])).toContainEqual({
      type: 'usage',
      usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5, ...more },
    });
  });

  it('gives a refusal as text of a filtered answer', () => {
    expect(stream([delta({ refusal: 'I will not.' }), stop])).toEqual([
      { type: 'text', text: 'I will not.' },
      { type: 'finish', reason: 'content-filter' },
    ]);
  });

  it('reports an error inside the stream, and a stream that breaks off', () => {
    const error = { error: { message: 'Provider died', code: 502 }, choices: [delta({}, 'error').choices[0]] };
    expect(() => stream([delta({ content: 'Y' }), error])).toThrow(
      new ReportedError({ message: 'Provider died', kinds: [], status: 502, retryAfter: undefined }),
    );
    expect(() => stream([delta({ content: 'Y' })])).toThrow(ProtocolError);
    expect(() => stream(['<html>'])).toThrow(ProtocolError);
    expect(stream([delta({ content: 'Y' }, 'stop')]).at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  it('reads a whole answer', () => {
    const message = {
      content: 'Yes',
      reasoning_content: 'Hm',
      tool_calls: [{ function: { name: 'f', arguments: '"null"' } }],
    };
    expect(openaiChat.read({ choices: [{ message, finish_reason: '' }] }, {})).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Yes' },
      { type: 'tool-call', call: { id: expect.stringMatching(/^call_/), name: 'f', arguments: {} } },
      { type: 'finish', reason: 'tool-calls' },
    ]);
    expect(() => openaiChat.read({ error: { message: 'no' } }, {})).toThrow(ReportedError);
    expect(() => openaiChat.read({ choices: [] }, {})).toThrow(ProtocolError);
  });
});

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });
const assistant = (text: string): Message => ({ role: 'assistant', parts: [{ type: 'text', text }] });

describe('openai-chat, lowering', () => {
  it('sends only what is set', () => {
    expect(lower({ messages: [user('Hi')] })).toEqual({
      path: '/chat/completions',
      body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] },
      warnings: [],
    });
    expect(lower({ stream: true }).body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(lower({ stream: true }, { usageUnasked: true }).body).not.toHaveProperty('stream_options');
  });

  it('speaks to reasoning models as they want it', () => {
    const quirks: Quirks = { reasoningModels: /^o\d/ };
    const lowered = lower({ model: 'o3', maxTokens: 5, temperature: 1 }, quirks);
    expect(lowered.body).toEqual({ model: 'o3', messages: [], max_completion_tokens: 5 });
    expect(lowered.warnings).toHaveLength(1);
    expect(lower({ maxTokens: 5, temperature: 1 }, quirks)).toMatchObject({
      body: { max_tokens: 5, temperature: 1 },
      warnings: [],
    });
  });

  it('tells models how hard to reason, in the words and the field of their rule, and others nothing', () => {
    const quirks: Quirks = {
      effort: [
        { models: /^o/, words: { low: 'little', max: 'most' } },
        { models: /^r/, words: { low: 'low' }, as: 'reasoning', notWithTools: true },
      ],
    };
    const body = (model: string, over: Partial<ChatRequest>) => lower({ model, ...over }, quirks).body;
    expect(lower({ model: 'o3', effort: 'max', temperature: 1 }, quirks)).toEqual({
      path: '/chat/completions',
      body: { model: 'o3', messages: [], temperature: 1, reasoning_effort: 'most' },
      warnings: [],
    });
    expect(body('r1', { effort: 'low' })).toEqual({ model: 'r1', messages: [], reasoning: { effort: 'low' } });
    expect(body('o3', { effort: 'medium' })).toEqual({ model: 'o3', messages: [] });
    expect(lower({ effort: 'low' }, quirks)).toEqual({
      path: '/chat/completions',
      body: { model: 'gpt-4o', messages: [] },
      warnings: [],
    });
    expect(lower({ effort: 'low' }).body).toEqual({ model: 'gpt-4o', messages: [] });
    expect(lower({ effort: 'low' }, { effort: [{ words: { low: 'any' } }] }).body).toHaveProperty(
      'reasoning_effort',
      'any',
    );
    const tools = [{ name: 'f', description: undefined, parameters: {} }];
    expect(body('o3', { effort: 'low', tools, toolChoice: 'auto' })).toHaveProperty('reasoning_effort', 'little');
    expect(body('o3', { effort: 'low', tools, toolChoice: 'none' })).toHaveProperty('reasoning_effort', 'little');
    expect(body('r1', { effort: 'low', tools })).not.toHaveProperty('reasoning');
    for (const toolChoice of ['required' as const, { name: 'f' }]) {
      expect(body('o3', { effort: 'low', tools, toolChoice })).not.toHaveProperty('reasoning_effort');
    }
  });

  it('sends a tool loop without reasoning; mistral gets ids of nine characters that still belong together', () => {
    const messages: Message[] = [
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm' },
          { type: 'tool-call', call: { id: 'call_1', name: 'f', arguments: { n: 1 } } },
        ],
      },
      { role: 'tool', toolCallId: 'call_1', toolName: 'f', text: 'one' },
    ];
    const sent = (id: unknown) => [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{"n":1}' } }],
      },
      { role: 'tool', tool_call_id: id, content: 'one' },
    ];
    expect(lower({ messages }).body.messages).toEqual(sent('call_1'));
  });

  it('drops schema keywords that are refused, but not properties of that name', () => {
    const parameters = {
      type: 'object',
      properties: { minItems: { type: 'array', minItems: 1, items: { minItems: 2, enum: [{ minItems: 3 }] } } },
    };
    const tools = [{ name: 'f', description: 'd', parameters }];
    expect(lower({ tools, toolChoice: { name: 'f' } }, { refusedSchemaKeywords: ['minItems'] }).body).toMatchObject({
      tool_choice: { type: 'function', function: { name: 'f' } },
      tools: [
        {
          type: 'function',
          function: {
            name: 'f',
            description: 'd',
            parameters: {
              type: 'object',
              properties: { minItems: { type: 'array', items: { enum: [{ minItems: 3 }] } } },
            },
          },
        },
      ],
    });
    const none = lower({ tools, toolChoice: 'auto' }, { noTools: true });
    expect(none.body).toEqual({ model: 'gpt-4o', messages: [] });
    expect(none.warnings).toHaveLength(1);
  });

  it('makes speakers alternate where a vendor insists, from user to user', () => {
    const messages: Message[] = [{ role: 'system', text: 'S' }, assistant('a'), user('b'), user('c'), assistant('d')];
    const { body } = lower({ messages }, { strictAlternation: true });
    expect((body.messages as { role: string }[]).map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
    ]);
    expect((body.messages as { content: string }[])[3]?.content).toBe('b\n\nc');
  });

  it('carries pictures and files', () => {
    const parts = [
      { type: 'text' as const, text: 'Look' },
      { type: 'image' as const, media: { url: 'https://x.test/a.png' } },
      { type: 'file' as const, media: { data: 'aGk=', mediaType: 'application/pdf' }, filename: 'a.pdf' },
    ];
    expect(lower({ messages: [{ role: 'user', parts }] }, { files: 'file' }).body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
        ],
      },
    ]);
  });
});
