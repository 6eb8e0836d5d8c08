import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { type Scripted, sse, startScripted, WEATHER } from './script.ts';

// What sets Cohere's chat apart, through our endpoint: what is sent, and what the caller gets.

const MODEL = 'cohere/command-a-03-2025';
const THINKER = 'cohere/command-a-reasoning-08-2025';

let cohere: Scripted;
beforeAll(async () => {
  cohere = await startScripted((url) => ({ COHERE_API_KEY: 'co-0123456789', COHERE_BASE_URL: `${url}/v2` }));
});
afterAll(() => cohere.stop());

const usage = { billed_units: { input_tokens: 4, output_tokens: 3 }, tokens: { input_tokens: 90, output_tokens: 7 } };

function whole(message: object, finish_reason = 'COMPLETE'): { json: object } {
  return { json: { id: 'c1', message: { role: 'assistant', ...message }, finish_reason, usage } };
}

const said = whole({ content: [{ type: 'text', text: 'Cold.' }] });
const start = {
  type: 'message-start',
  id: 'c1',
  delta: { message: { role: 'assistant', content: [], tool_plan: '' } },
};
const piece = (content: object, index = 0) => ({ type: 'content-delta', index, delta: { message: { content } } });
const end = (finish_reason: string, more: object = {}) => ({
  type: 'message-end',
  delta: { finish_reason, usage, ...more },
});

/** As it is streamed: `[DONE]` ends it. */
function stream(...events: object[]): { pieces: string[] } {
  return { pieces: [...sse(start, ...events), 'data: [DONE]\n\n'] };
}

const made = (args: unknown, id = 'weather_1') => ({
  id,
  type: 'function',
  function: { name: 'weather', arguments: args },
});
const QUESTION = { role: 'user', content: 'Weather in Oslo?' };

/** The messages that Cohere is sent after an assistant's message, with results for its calls. */
async function sentAfter(message: Json, model = MODEL): Promise<Json[]> {
  cohere.answer(said);
  const results = message.toolCalls.map(({ id }: Json) => ({ role: 'tool', toolCallId: id, content: '4 °C' }));
  const { status } = await cohere.ask({ model, messages: [QUESTION, message, ...results], tools: [WEATHER] });
  expect(status).toBe(200);
  return cohere.sentBody().messages;
}

describe('tool_plan', () => {
  it('is reasoning for the caller, and goes back as tool_plan', async () => {
    cohere.answer(whole({ tool_plan: 'I will look.', tool_calls: [made('{"city":"Oslo"}')] }, 'TOOL_CALL'));
    const { body, message } = await cohere.ask({ model: MODEL, tools: [WEATHER] });
    expect(body).toMatchObject({ reasoning: 'I will look.', finishReason: 'tool-calls' });
    expect((await sentAfter(message)).slice(1)).toEqual([
      { role: 'assistant', tool_plan: 'I will look.', tool_calls: [made('{"city":"Oslo"}')] },
      { role: 'tool', tool_call_id: 'weather_1', content: '4 °C' },
    ]);
  });

  it('of a stream too', async () => {
    const plan = (tool_plan: string) => ({ type: 'tool-plan-delta', delta: { message: { tool_plan } } });
    const call = (type: string, tool_calls: object) => ({ type, index: 0, delta: { message: { tool_calls } } });
    cohere.answer(
      stream(
        plan('I will '),
        plan('look.'),
        call('tool-call-start', made('')),
        call('tool-call-delta', { function: { arguments: '{"city":' } }),
        call('tool-call-delta', { function: { arguments: '"Oslo"}' } }),
        { type: 'tool-call-end', index: 0 },
        end('TOOL_CALL'),
      ),
    );
    const { events, last } = await cohere.stream({ model: MODEL, tools: [WEATHER] });
    expect(last.finishReason).toBe('tool-calls');
    const toolCalls = events.flatMap((event) => event.toolCall ?? []);
    const [, assistant] = await sentAfter({ role: 'assistant', content: '', toolCalls, parts: last.parts });
    expect(assistant).toMatchObject({ tool_plan: 'I will look.', tool_calls: [made('{"city":"Oslo"}')] });
  });
});

describe('thinking parts', () => {
  const content = [
    { type: 'thinking', thinking: 'Oslo, then.' },
    { type: 'text', text: 'Let me see.' },
  ];

  it('are reasoning for the caller, and go back as content; text beside calls as tool_plan', async () => {
    cohere.answer(whole({ content, tool_calls: [made('{"city":"Oslo"}')] }, 'TOOL_CALL'));
    const { body, message } = await cohere.ask({ model: THINKER, tools: [WEATHER] });
    expect(body).toMatchObject({ reasoning: 'Oslo, then.', message: { content: 'Let me see.' } });
    const [, assistant] = await sentAfter(message, THINKER);
    const rest = { role: 'assistant', tool_plan: 'Let me see.', tool_calls: [made('{"city":"Oslo"}')] };
    expect(assistant).toEqual({ ...rest, content: content.slice(0, 1) });
    expect((await sentAfter(message, MODEL))[1]).toEqual(rest);
  });

  it('of a stream too', async () => {
    cohere.answer(
      stream(
        { type: 'content-start', index: 0, delta: { message: { content: { type: 'thinking', thinking: '' } } } },
        piece({ thinking: 'Oslo, ' }),
        piece({ thinking: 'then.' }),
        { type: 'content-end', index: 0 },
        { type: 'content-start', index: 1, delta: { message: { content: { type: 'text', text: '' } } } },
        piece({ text: 'Let me see.' }, 1),
        { type: 'content-end', index: 1 },
        end('COMPLETE'),
      ),
    );
    const { last } = await cohere.stream({ model: THINKER });
    const message = { role: 'assistant', content: 'Let me see.', parts: last.parts };
    cohere.answer(said);
    await cohere.ask({ model: THINKER, messages: [QUESTION, message, { role: 'user', content: 'And Rome?' }] });
    expect(cohere.sentBody().messages[1]).toEqual({ role: 'assistant', content });
  });
});

describe('tool_choice', () => {
  it.each([
    ['required', 'REQUIRED', 2, 0],
    ['none', 'NONE', 2, 0],
    ['auto', undefined, 2, 0],
    ['weather', 'REQUIRED', 1, 1],
  ])('%s is sent as %s', async (toolChoice, sent, tools, warnings) => {
    cohere.answer(said);
    const body = { model: MODEL, toolChoice, tools: [WEATHER, { ...WEATHER, name: 'tides' }] };
    const answer = await cohere.ask(body);
    expect(cohere.sentBody().tool_choice).toBe(sent);
    expect(cohere.sentBody().tools).toHaveLength(tools);
    expect(answer.body.warnings ?? []).toHaveLength(warnings);
  });
});

describe('arguments and results', () => {
  it.each([[''], [null], ['null'], ['{}']])('arguments %j are none', async (args) => {
    cohere.answer(whole({ tool_calls: [made(args)] }, 'TOOL_CALL'));
    const { message } = await cohere.ask({ model: MODEL, tools: [WEATHER] });
    expect(message.toolCalls).toEqual([{ id: 'weather_1', name: 'weather', arguments: {} }]);
  });

  it("a tool's content may be a list", async () => {
    cohere.answer(said);
    const content = [
      { type: 'text', text: '4 °C' },
      { type: 'text', text: 'windy' },
    ];
    const call = { id: 'weather_1', name: 'weather', arguments: {} };
    const messages = [
      QUESTION,
      { role: 'assistant', toolCalls: [call] },
      { role: 'tool', toolCallId: call.id, content },
    ];
    await cohere.ask({ model: MODEL, messages, tools: [WEATHER] });
    expect(cohere.sentBody().messages[2]).toEqual({
      role: 'tool',
      tool_call_id: 'weather_1',
      content: '4 °C\n\nwindy',
    });
  });
});

describe('how an answer ends', () => {
  it.each([
    ['ERROR', 'error'],
    ['TIMEOUT', 'error'],
    ['ERROR_TOXIC', 'content-filter'],
    ['MAX_TOKENS', 'length'],
    ['STOP_SEQUENCE', 'stop'],
  ])('%s is %s', async (reason, finishReason) => {
    cohere.answer(whole({ content: [{ type: 'text', text: 'We' }] }, reason));
    expect((await cohere.ask({ model: MODEL })).body).toMatchObject({ finishReason, message: { content: 'We' } });
    cohere.answer(stream(piece({ text: 'We' }), end(reason)));
    expect((await cohere.stream({ model: MODEL })).last).toMatchObject({ finishReason });
  });

  it('an error in the last event is told in the words of the provider', async () => {
    cohere.answer(stream(piece({ text: 'We' }), end('ERROR', { error: 'inference failed' })));
    const { last } = await cohere.stream({ model: MODEL });
    expect(last).toMatchObject({ error: 'Cohere: inference failed', partial: true });
  });

  it('too many tokens is context_length_exceeded', async () => {
    const message = 'too many tokens: size limit exceeded by 25 tokens.';
    cohere.answer({ status: 400, json: { id: 'e1', error_type: 'TOO_MANY_TOKENS', message } });
    const answer = await cohere.server.call('/api/chat/completions', { model: MODEL, messages: [QUESTION] });
    expectError(answer, 400, 'context_length_exceeded', /size limit exceeded by 25 tokens/);
  });
});

describe('citations', () => {
  const pages = [
    { type: 'document', id: 'doc:0', document: { id: 'doc:0', url: 'https://met.test/', title: 'Met' } },
    { type: 'tool', id: 'weather_1:0', tool_output: { content: '4 °C' } },
  ];

  it('those of pages are sources, each once', async () => {
    const citation = { start: 0, end: 4, text: 'Cold', sources: pages };
    cohere.answer(whole({ content: [{ type: 'text', text: 'Cold' }], citations: [citation, citation] }));
    expect((await cohere.ask({ model: MODEL })).body.sources).toEqual([{ url: 'https://met.test/', title: 'Met' }]);
    const cited = { type: 'citation-start', index: 0, delta: { message: { citations: citation } } };
    cohere.answer(stream(piece({ text: 'Cold' }), cited, { type: 'citation-end', index: 0 }, end('COMPLETE')));
    const { last } = await cohere.stream({ model: MODEL });
    expect(last).toMatchObject({ finishReason: 'stop', sources: [{ url: 'https://met.test/', title: 'Met' }] });
  });
});

describe('the model list', () => {
  it.each([
    ['/v2', '/v1/models'],
    ['/gateway/v2', '/gateway/v1/models'],
    ['/gateway/cohere', '/gateway/cohere/v1/models'],
  ])('of a base URL that ends in %s lies at %s', async (path, list) => {
    const other = await startScripted((url) => ({ COHERE_API_KEY: 'co-0123456789', COHERE_BASE_URL: url + path }));
    try {
      other.answer({ json: { models: [{ name: 'command-a-03-2025', endpoints: ['chat'] }] } });
      const { body } = await other.server.call('/api/chat/providers/cohere/models');
      expect(body.models.map(({ id }: Json) => id)).toEqual(['command-a-03-2025']);
      expect(other.sent.map((sent) => sent.path.split('?')[0])).toEqual([list]);
    } finally {
      await other.stop();
    }
  });
});
