import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { type Scripted, sse, startScripted, WEATHER } from './script.ts';

// What sets Anthropic's Messages apart, through our endpoint: what is sent, and what the caller gets.

const KEY = 'sk-ant-0123456789';
const MODEL = 'anthropic/claude-sonnet-5';

let anthropic: Scripted;
beforeAll(async () => {
  anthropic = await startScripted((url) => ({ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `${url}/v1` }));
});
afterAll(() => anthropic.stop());

const USAGE = { input_tokens: 10, output_tokens: 5 };

function whole(content: object[], stop_reason: string | null = 'end_turn'): { json: object } {
  return { json: { id: 'msg_1', type: 'message', role: 'assistant', content, stop_reason, usage: USAGE } };
}

const start = { type: 'message_start', message: { content: [], usage: { input_tokens: 10, output_tokens: 1 } } };
const delta = (index: number, piece: object) => ({ type: 'content_block_delta', index, delta: piece });
const close = (stop_reason: string, usage: object = { output_tokens: 5 }) => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null },
  usage,
});
const finished = { type: 'message_stop' };

/** A block as its events. */
function block(index: number, content_block: object, ...pieces: object[]): object[] {
  return [
    { type: 'content_block_start', index, content_block },
    ...pieces.map((piece) => delta(index, piece)),
    { type: 'content_block_stop', index },
  ];
}

function stream(...events: object[]): { pieces: string[] } {
  return { pieces: sse(start, ...events, finished) };
}

/** A turn of interleaved thinking with everything that must go back as it came. */
const TURN = [
  { type: 'thinking', thinking: 'Which city?', signature: 'sig-1' },
  { type: 'redacted_thinking', data: 'sealed' },
  { type: 'text', text: 'Let me see.' },
  { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Oslo' } },
  { type: 'thinking', thinking: '', signature: 'sig-2' },
  { type: 'tool_use', id: 'toolu_2', name: 'weather', input: {} },
];

function turnEvents(): object[] {
  return [
    ...block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'Which ' },
      { type: 'thinking_delta', thinking: 'city?' },
      { type: 'signature_delta', signature: 'sig-' },
      { type: 'signature_delta', signature: '1' },
    ),
    { type: 'ping' },
    ...block(1, { type: 'redacted_thinking', data: 'sealed' }),
    ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: 'Let me see.' }),
    ...block(
      3,
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
      { type: 'input_json_delta', partial_json: '' },
      { type: 'input_json_delta', partial_json: '{"city":' },
      { type: 'input_json_delta', partial_json: '"Oslo"}' },
    ),
    ...block(4, { type: 'thinking', thinking: '', signature: '' }, { type: 'signature_delta', signature: 'sig-2' }),
    ...block(
      5,
      { type: 'tool_use', id: 'toolu_2', name: 'weather', input: {} },
      { type: 'input_json_delta', partial_json: '' },
    ),
    close('tool_use'),
  ];
}

const QUESTION = { role: 'user', content: 'Weather in Oslo?' };

/** The messages that Anthropic is sent after an assistant's message, with results for its calls. */
async function sentAfter(message: Json, model = MODEL): Promise<Json[]> {
  anthropic.answer(whole([{ type: 'text', text: 'Cold.' }]));
  const results = message.toolCalls.map(({ id }: Json) => ({ role: 'tool', toolCallId: id, content: '4 °C' }));
  const { status } = await anthropic.ask({ model, messages: [QUESTION, message, ...results], tools: [WEATHER] });
  expect(status).toBe(200);
  return anthropic.sentBody().messages;
}

describe('thinking blocks go back unmodified, in the order that the model made', () => {
  it('from a whole answer', async () => {
    anthropic.answer(whole(TURN, 'tool_use'));
    const { message, body } = await anthropic.ask({ model: MODEL, tools: [WEATHER] });
    expect(body).toMatchObject({ reasoning: 'Which city?', finishReason: 'tool-calls' });
    const [, assistant, user] = await sentAfter(message);
    expect(assistant).toEqual({ role: 'assistant', content: TURN });
    expect(user.content.map((each: Json) => each.tool_use_id)).toEqual(['toolu_1', 'toolu_2']);
  });

  it('from a stream, each call coming when its block ends', async () => {
    anthropic.answer(stream(...turnEvents()));
    const { events, last } = await anthropic.stream({ model: MODEL, tools: [WEATHER] });
    const toolCalls = events.flatMap((event) => event.toolCall ?? []);
    const parts = last.parts.map(({ type, id }: Json) => (id ? `${type} ${id}` : type));
    expect(parts).toEqual(['reasoning', 'reasoning', 'text', 'tool-call toolu_1', 'reasoning', 'tool-call toolu_2']);
    const message = { role: 'assistant', content: 'Let me see.', toolCalls, parts: last.parts };
    expect((await sentAfter(message))[1]).toEqual({ role: 'assistant', content: TURN });
  });

  it('but not those of another model', async () => {
    anthropic.answer(whole(TURN, 'tool_use'));
    const { message } = await anthropic.ask({ model: MODEL, tools: [WEATHER] });
    const [, assistant] = await sentAfter(message, 'anthropic/claude-opus-4-8');
    expect(assistant.content.map((each: Json) => each.type)).toEqual(['text', 'tool_use', 'tool_use']);
  });

  it('and not when they end a turn that was cut off', async () => {
    const cut = [
      { type: 'text', text: 'Well' },
      { type: 'thinking', thinking: 'Hm', signature: 'sig' },
    ];
    anthropic.answer(whole(cut, 'max_tokens'));
    const { message } = await anthropic.ask({ model: MODEL });
    anthropic.answer(whole([{ type: 'text', text: 'Yes' }]));
    await anthropic.ask({ model: MODEL, messages: [QUESTION, message, { role: 'user', content: 'Go on' }] });
    expect(anthropic.sentBody().messages[1].content).toEqual([{ type: 'text', text: 'Well' }]);
  });
});

describe('tool-use ids', () => {
  it('of another provider are made fit, in the call and in its result', async () => {
    anthropic.answer(whole([{ type: 'text', text: 'Cold.' }]));
    const call = { id: 'functions.weather:0', name: 'weather', arguments: {} };
    const messages = [
      QUESTION,
      { role: 'assistant', toolCalls: [call] },
      { role: 'tool', toolCallId: call.id, content: '4 °C' },
    ];
    await anthropic.ask({ model: MODEL, messages, tools: [WEATHER] });
    const [, assistant, user] = anthropic.sentBody().messages;
    expect(assistant.content[0].id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(user.content[0].tool_use_id).toBe(assistant.content[0].id);
  });

  it('results stand before what the person says after them', async () => {
    anthropic.answer(whole([{ type: 'text', text: 'Cold.' }]));
    const call = { id: 'toolu_1', name: 'weather', arguments: {} };
    const messages = [
      QUESTION,
      { role: 'assistant', toolCalls: [call] },
      { role: 'user', content: 'Quick!' },
      { role: 'tool', toolCallId: call.id, content: '4 °C' },
    ];
    await anthropic.ask({ model: MODEL, messages, tools: [WEATHER] });
    expect(anthropic.sentBody().messages[2].content.map((each: Json) => each.type)).toEqual(['tool_result', 'text']);
  });
});

describe('tools of a history', () => {
  const call = { id: 'toolu_1', name: 'weather', arguments: {} };
  const messages = [
    QUESTION,
    { role: 'assistant', toolCalls: [call] },
    { role: 'tool', toolCallId: call.id, content: '4 °C' },
  ];

  it('that are not offered any more are named, and forbidden: without tools a call in it is refused', async () => {
    anthropic.answer(whole([{ type: 'text', text: 'Cold.' }]));
    await anthropic.ask({ model: MODEL, messages });
    const { tools, tool_choice: choice } = anthropic.sentBody();
    expect(tools).toEqual([{ name: 'weather', description: expect.any(String), input_schema: { type: 'object' } }]);
    expect(choice).toEqual({ type: 'none' });
  });

  it('are nothing where others are offered, or where there are no calls', async () => {
    anthropic.answer(whole([{ type: 'text', text: 'Cold.' }]));
    await anthropic.ask({ model: MODEL, messages, tools: [{ ...WEATHER, name: 'other' }] });
    expect(anthropic.sentBody()).toMatchObject({ tools: [{ name: 'other' }] });
    expect(anthropic.sentBody()).not.toHaveProperty('tool_choice');
    anthropic.answer(whole([{ type: 'text', text: 'Cold.' }]));
    await anthropic.ask({ model: MODEL, messages: [QUESTION] });
    expect(anthropic.sentBody()).not.toHaveProperty('tools');
  });
});

describe('the key', () => {
  it('ANTHROPIC_API_KEY travels as x-api-key', async () => {
    anthropic.answer(whole([{ type: 'text', text: 'Hi' }]));
    await anthropic.ask({ model: MODEL });
    expect(anthropic.sent[0]?.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' });
    expect(anthropic.sent[0]?.headers).not.toHaveProperty('authorization');
  });

  it('ANTHROPIC_AUTH_TOKEN travels as Authorization: Bearer, a key that is set later does not', async () => {
    const token = 'token-0123456789';
    const other = await startScripted((url) => ({ ANTHROPIC_AUTH_TOKEN: token, ANTHROPIC_BASE_URL: url }));
    try {
      other.answer((sent) => (sent.method === 'GET' ? { json: { data: [] } } : whole([{ type: 'text', text: 'Hi' }])));
      expect((await other.ask({ model: MODEL })).status).toBe(200);
      await other.server.call('/api/chat/providers/anthropic/models');
      for (const { headers } of other.sent) {
        expect(headers.authorization).toBe(`Bearer ${token}`);
        expect(headers).not.toHaveProperty('x-api-key');
      }
      expect(other.sent).toHaveLength(2);
      await other.server.call('/api/chat/providers/anthropic/configure', { apiKey: KEY });
      other.answer(whole([{ type: 'text', text: 'Hi' }]));
      await other.ask({ model: MODEL });
      expect(other.sent[0]?.headers).toMatchObject({ 'x-api-key': KEY });
      expect(other.sent[0]?.headers).not.toHaveProperty('authorization');
    } finally {
      await other.stop();
    }
  });
});

describe('stop reasons', () => {
  it.each([
    ['refusal', 'content-filter'],
    ['model_context_window_exceeded', 'length'],
    ['max_tokens', 'length'],
    ['pause_turn', 'stop'],
    ['stop_sequence', 'stop'],
  ])('%s is %s, also with empty content', async (reason, finishReason) => {
    anthropic.answer(whole([], reason));
    expect((await anthropic.ask({ model: MODEL })).body).toMatchObject({ finishReason, message: { content: '' } });
    anthropic.answer(stream(close(reason)));
    expect((await anthropic.stream({ model: MODEL })).last).toMatchObject({ done: true, finishReason });
  });

  it('a call cut off by the limit is a call with invalid arguments, not a crash', async () => {
    const cut = block(
      0,
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
      { type: 'input_json_delta', partial_json: '{"city":"Os' },
    );
    anthropic.answer(stream(...cut, close('max_tokens')));
    const { events, last } = await anthropic.stream({ model: MODEL, tools: [WEATHER] });
    expect(last.finishReason).toBe('length');
    expect(events[0].toolCall).toMatchObject({ arguments: {}, invalidArguments: '{"city":"Os' });
  });
});

describe("the server's own tools", () => {
  const search = [
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'oslo' } },
    {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: [{ type: 'web_search_result', url: 'https://weather.test/oslo', title: 'Oslo', encrypted_content: 'x' }],
    },
  ];
  const citation = { type: 'web_search_result_location', url: 'https://met.test/', title: 'Met', cited_text: 'cold' };
  const sources = [
    { url: 'https://weather.test/oslo', title: 'Oslo' },
    { url: 'https://met.test/', title: 'Met' },
  ];

  it('are no calls for the caller; what they found are sources', async () => {
    anthropic.answer(whole([...search, { type: 'text', text: 'Cold', citations: [citation] }]));
    const { body } = await anthropic.ask({ model: MODEL });
    expect(body).toMatchObject({ message: { content: 'Cold' }, finishReason: 'stop', sources });
    expect(body.message).not.toHaveProperty('toolCalls');
  });

  it('in a stream too', async () => {
    const events = [
      ...block(0, { ...search[0], input: {} }, { type: 'input_json_delta', partial_json: '{"query":"oslo"}' }),
      ...block(1, search[1] as object),
      ...block(
        2,
        { type: 'text', text: '' },
        { type: 'citations_delta', citation },
        { type: 'text_delta', text: 'Cold' },
      ),
    ];
    anthropic.answer(stream(...events, close('end_turn')));
    const { last, events: got } = await anthropic.stream({ model: MODEL });
    expect(got.some((event) => event.toolCall)).toBe(false);
    expect(last).toMatchObject({ finishReason: 'stop', sources });
  });
});

describe('gateways and keep-alives', () => {
  const text = (index: number, value: string) => ({
    type: 'content_block_start',
    index,
    content_block: { type: 'text', text: value },
  });
  const use = (id: string) => ({
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id, name: 'weather', input: {} },
  });
  const args = (city: string) => delta(0, { type: 'input_json_delta', partial_json: JSON.stringify({ city }) });

  it('blocks of one index without an end stay apart and in order', async () => {
    anthropic.answer(stream(text(0, 'Two:'), use('a'), args('Oslo'), use('b'), args('Rome'), close('tool_use')));
    const { events, last } = await anthropic.stream({ model: MODEL, tools: [WEATHER] });
    expect(last.finishReason).toBe('tool-calls');
    expect(events.flatMap(({ toolCall }) => toolCall ?? [])).toEqual([
      { id: 'a', name: 'weather', arguments: { city: 'Oslo' } },
      { id: 'b', name: 'weather', arguments: { city: 'Rome' } },
    ]);
  });

  it('comments, pings and what nobody knows pass unseen', async () => {
    const hi = block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' });
    const [opening = '', ...rest] = sse(
      start,
      { type: 'ping' },
      ...hi,
      { type: 'new_event', delta: {} },
      close('end_turn'),
    );
    anthropic.answer({ pieces: [': keep-alive\n\n', opening, ': keep-alive\n\n', ...rest, ...sse(finished)] });
    const { events, last } = await anthropic.stream({ model: MODEL });
    expect(events[0]).toEqual({ content: 'Hi' });
    expect(last).toMatchObject({ done: true, finishReason: 'stop' });
  });
});

describe('counts', () => {
  it('the end of a stream names the whole of what it counts, the beginning the rest', async () => {
    const cached = { cache_read_input_tokens: 90, cache_creation_input_tokens: 30 };
    const first = { type: 'message_start', message: { usage: { input_tokens: 10, output_tokens: 3, ...cached } } };
    const hi = block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' });
    anthropic.answer({ pieces: sse(first, ...hi, close('end_turn', { output_tokens: 8 }), finished) });
    const { last } = await anthropic.stream({ model: MODEL });
    expect(last.usage).toMatchObject({ promptTokens: 10, completionTokens: 8, cachedTokens: 90, cacheWriteTokens: 30 });
  });

  it('what was written is the sum of both times to live where only those are named', async () => {
    const creation = { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 11 };
    anthropic.answer({ json: { content: [], stop_reason: 'end_turn', usage: { ...USAGE, cache_creation: creation } } });
    expect((await anthropic.ask({ model: MODEL })).body.usage.cacheWriteTokens).toBe(31);
  });
});

describe('errors', () => {
  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' };

  it('an error event in a stream ends it in the words of the provider', async () => {
    const hi = block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' });
    anthropic.answer({ pieces: sse(start, ...hi, overloaded) });
    const { events, last } = await anthropic.stream({ model: MODEL });
    expect(events[0]).toEqual({ content: 'Hi' });
    expect(last).toMatchObject({ code: 'provider_unavailable', error: 'Anthropic: Overloaded', partial: true });
  });

  it('529 is tried again', async () => {
    anthropic.answer((): { status?: number; json: unknown } =>
      anthropic.sent.length === 1 ? { status: 529, json: overloaded } : whole([{ type: 'text', text: 'Hi' }]),
    );
    const { status, body } = await anthropic.ask({ model: MODEL });
    expect({ status, content: body.message?.content, tries: anthropic.sent.length }).toEqual({
      status: 200,
      content: 'Hi',
      tries: 2,
    });
  });

  it('a bad key is provider_auth', async () => {
    const error = { type: 'authentication_error', message: 'invalid x-api-key' };
    anthropic.answer({ status: 401, json: { type: 'error', error, request_id: 'req_1' } });
    const answer = await anthropic.server.call('/api/chat/completions', { model: MODEL, messages: [QUESTION] });
    expectError(answer, 502, 'provider_auth', /invalid x-api-key/);
  });
});
