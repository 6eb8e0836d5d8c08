import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { type Scripted, sse, startScripted, WEATHER } from './script.ts';

// What sets Google's generateContent apart, through our endpoint: what is sent, and what the caller gets.

const KEY = 'AIza-0123456789';
const MODEL = 'google/gemini-3.8-flash';
const BYPASS = 'skip_thought_signature_validator';

let google: Scripted;
beforeAll(async () => {
  google = await startScripted((url) => ({
    GEMINI_API_KEY: KEY,
    GOOGLE_BASE_URL: `${url}/v1beta`,
    GROQ_API_KEY: 'gsk-0123456789',
    GROQ_BASE_URL: url,
  }));
});
afterAll(() => google.stop());

const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 3, thoughtsTokenCount: 20, totalTokenCount: 33 };

function chunk(parts: object[], finishReason?: string, more: object = {}): object {
  const candidate = { content: { role: 'model', parts }, index: 0, ...(finishReason ? { finishReason } : {}), ...more };
  return { candidates: [candidate], usageMetadata };
}

const call = (city: string, more: object = {}) => ({ functionCall: { name: 'weather', args: { city } }, ...more });
const QUESTION = { role: 'user', content: 'Weather in Oslo and Rome?' };

/** The contents that Google is sent after an assistant's message, with results for its calls. */
async function sentAfter(message: Json, model = MODEL): Promise<Json[]> {
  google.answer({ json: chunk([{ text: 'Cold.' }], 'STOP') });
  const results = message.toolCalls.map(({ id }: Json) => ({ role: 'tool', toolCallId: id, content: '4 °C' }));
  const { status } = await google.ask({ model, messages: [QUESTION, message, ...results], tools: [WEATHER] });
  expect(status).toBe(200);
  return google.sentBody().contents;
}

describe('thought signatures', () => {
  const parts = [
    { text: 'Two cities', thought: true },
    { text: 'Let me see.', thoughtSignature: 'sig-text' },
    call('Oslo', { thoughtSignature: 'sig-call' }),
    call('Rome'),
  ];

  it('return on the part that they came with; of parallel calls only the first has one', async () => {
    google.answer({ json: chunk(parts, 'STOP') });
    const { body, message } = await google.ask({ model: MODEL, tools: [WEATHER] });
    expect(body).toMatchObject({ finishReason: 'tool-calls', reasoning: 'Two cities' });
    const [, model] = await sentAfter(message);
    const [oslo, rome] = message.toolCalls;
    expect(model.parts).toEqual([
      { text: 'Let me see.', thoughtSignature: 'sig-text' },
      { functionCall: { id: oslo.id, name: 'weather', args: { city: 'Oslo' } }, thoughtSignature: 'sig-call' },
      { functionCall: { id: rome.id, name: 'weather', args: { city: 'Rome' } } },
    ]);
  });

  it('of a stream too, be they on a call, on thoughts or on an empty text at the end', async () => {
    google.answer({
      pieces: sse(
        chunk([{ text: 'Hm', thought: true, thoughtSignature: 'sig-thought' }]),
        chunk([{ text: 'Let me ' }]),
        chunk([{ text: 'see.' }, { text: '', thoughtSignature: 'sig-text' }]),
        chunk([call('Oslo', { thoughtSignature: 'sig-call' })]),
        chunk([], 'STOP'),
      ),
    });
    const { events, last } = await google.stream({ model: MODEL, tools: [WEATHER] });
    const toolCalls = events.flatMap((event) => event.toolCall ?? []);
    const message = { role: 'assistant', content: 'Let me see.', toolCalls, parts: last.parts };
    expect((await sentAfter(message))[1].parts).toEqual([
      { text: 'Hm', thought: true, thoughtSignature: 'sig-thought' },
      { text: 'Let me see.', thoughtSignature: 'sig-text' },
      { functionCall: { id: toolCalls[0].id, name: 'weather', args: { city: 'Oslo' } }, thoughtSignature: 'sig-call' },
    ]);
  });

  it('history from elsewhere gets the documented bypass, on the first of its calls', async () => {
    const calls = ['Oslo', 'Rome'].map((city) => ({ id: `call_${city}`, name: 'weather', arguments: { city } }));
    const [, model] = await sentAfter({ role: 'assistant', toolCalls: calls });
    expect(model.parts.map((part: Json) => part.thoughtSignature)).toEqual([BYPASS, undefined]);
    const [, older] = await sentAfter({ role: 'assistant', toolCalls: calls }, 'google/gemini-2.5-flash');
    expect(older.parts.map((part: Json) => part.thoughtSignature)).toEqual([undefined, undefined]);
  });

  it('of another of its models are replaced by the bypass', async () => {
    google.answer({ json: chunk(parts, 'STOP') });
    const { message } = await google.ask({ model: 'google/gemini-3.1-pro-preview', tools: [WEATHER] });
    const [, model] = await sentAfter(message);
    expect(model.parts.map((part: Json) => part.thoughtSignature)).toEqual([undefined, BYPASS, undefined]);
  });
});

describe('tool calls', () => {
  it('come without ids, which are made; results carry them, in one content', async () => {
    google.answer({ json: chunk([call('Oslo'), call('Rome')], 'STOP') });
    const { message } = await google.ask({ model: MODEL, tools: [WEATHER] });
    const ids = message.toolCalls.map(({ id }: Json) => id);
    expect(new Set(ids).size).toBe(2);
    const [, , user] = await sentAfter(message);
    expect(user).toEqual({
      role: 'user',
      parts: ids.map((id: string) => ({ functionResponse: { id, name: 'weather', response: { result: '4 °C' } } })),
    });
  });

  it('a finish reason of STOP makes a turn with calls nothing else', async () => {
    google.answer({ pieces: sse(chunk([call('Oslo')]), chunk([{ text: '' }], 'STOP')) });
    const { events, last } = await google.stream({ model: MODEL, tools: [WEATHER] });
    expect(last.finishReason).toBe('tool-calls');
    expect(events[0].toolCall).toMatchObject({ name: 'weather', arguments: { city: 'Oslo' } });
  });

  it('parameters go as JSON Schema, whatever keywords they have', async () => {
    google.answer({ json: chunk([{ text: 'Hi' }], 'STOP') });
    const parameters = { type: 'object', properties: { n: { anyOf: [{ type: 'integer', minimum: 1 }] } }, $defs: {} };
    await google.ask({ model: MODEL, tools: [{ name: 'f', parameters }] });
    expect(google.sentBody().tools).toEqual([
      { functionDeclarations: [{ name: 'f', parametersJsonSchema: parameters }] },
    ]);
  });
});

describe('how an answer ends', () => {
  it.each([
    ['SAFETY', 'content-filter'],
    ['RECITATION', 'content-filter'],
    ['MAX_TOKENS', 'length'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['SOMETHING_NEW', 'stop'],
  ])('%s is %s', async (reason, finishReason) => {
    google.answer({ json: { candidates: [{ finishReason: reason, index: 0 }], usageMetadata } });
    expect((await google.ask({ model: MODEL })).body).toMatchObject({ finishReason, message: { content: '' } });
  });

  it('a blocked prompt has no candidates, and is a filtered answer', async () => {
    google.answer({ json: { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata } });
    expect((await google.ask({ model: MODEL })).body).toMatchObject({ finishReason: 'content-filter' });
    google.answer({ pieces: sse({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata }) });
    expect((await google.stream({ model: MODEL })).last).toMatchObject({ finishReason: 'content-filter' });
  });

  it('a failed call is told in the words of the provider, if nothing else was said', async () => {
    const failed = { finishMessage: 'Malformed function call: print(weather(' };
    google.answer({ pieces: sse(chunk([], 'MALFORMED_FUNCTION_CALL', failed)) });
    const { events } = await google.stream({ model: MODEL });
    expect(events[0]).toMatchObject({ error: expect.stringMatching(/Google.*MALFORMED_FUNCTION_CALL: Malformed/) });
    google.answer({ json: chunk([{ text: 'Well' }], 'MALFORMED_FUNCTION_CALL', failed) });
    const { body } = await google.ask({ model: MODEL });
    expect(body).toMatchObject({ finishReason: 'error', message: { content: 'Well' } });
  });

  it('candidates that stay empty are no answer', async () => {
    google.answer({ json: { candidates: [], usageMetadata } });
    const answer = await google.server.call('/api/chat/completions', { model: MODEL, messages: [QUESTION] });
    expectError(answer, 502, 'provider_protocol', /ended before it was complete/);
  });
});

describe('what an answer holds', () => {
  it('pictures in it are left out, and so are their signatures', async () => {
    const picture = { inlineData: { mimeType: 'image/png', data: 'aGk=' }, thoughtSignature: 'sig-picture' };
    google.answer({ json: chunk([{ text: 'Here' }, picture], 'STOP') });
    const { message } = await google.ask({ model: MODEL });
    expect(message).toEqual({ role: 'assistant', content: 'Here' });
  });

  it('every chunk has counts, the last ones hold; thoughts count as output', async () => {
    const first = { ...usageMetadata, candidatesTokenCount: 1, thoughtsTokenCount: 2 };
    google.answer({
      pieces: sse(
        { ...chunk([{ text: 'Hi' }]), usageMetadata: first },
        { ...chunk([], 'STOP'), usageMetadata: { ...usageMetadata, cachedContentTokenCount: 4 } },
      ),
    });
    expect((await google.stream({ model: MODEL })).last.usage).toMatchObject({
      promptTokens: 10,
      completionTokens: 23,
      totalTokens: 33,
      reasoningTokens: 20,
      cachedTokens: 4,
    });
  });

  it('what a search found are sources, each once', async () => {
    const page = { web: { uri: 'https://met.test/', title: 'met.test' } };
    const grounded = { groundingMetadata: { groundingChunks: [page, { retrievedContext: { title: 'no address' } }] } };
    google.answer({
      pieces: sse(chunk([{ text: 'Co' }], undefined, grounded), chunk([{ text: 'ld' }], 'STOP', grounded)),
    });
    expect((await google.stream({ model: MODEL })).last.sources).toEqual([
      { url: 'https://met.test/', title: 'met.test' },
    ]);
  });
});

describe('errors', () => {
  it('the key travels in its own header, and a bad one is a 400', async () => {
    const error = {
      code: 400,
      message: 'API key not valid. Please pass a valid API key.',
      status: 'INVALID_ARGUMENT',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
    };
    google.answer({ status: 400, json: { error } });
    const answer = await google.server.call('/api/chat/completions', { model: MODEL, messages: [QUESTION] });
    expectError(answer, 502, 'provider_auth', /API key not valid/);
    expect(google.sent[0]?.headers['x-goog-api-key']).toBe(KEY);
    expect(google.sent[0]?.path).not.toContain(KEY);
  });

  it('RetryInfo says when to come again, without a header', async () => {
    const detail = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '45.5s' };
    const error = { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED', details: [detail] };
    google.answer({ status: 429, json: { error } });
    const answer = await google.server.call('/api/chat/completions', { model: MODEL, messages: [QUESTION] });
    expect(answer).toMatchObject({ status: 429, body: { code: 'provider_rate_limited' } });
    expect(answer.headers.get('retry-after')).toBe('46');
    expect(google.sent).toHaveLength(1);
  });

  it('one may come as a list', async () => {
    const error = { code: 404, message: 'models/nope is not found', status: 'NOT_FOUND' };
    google.answer({ status: 404, json: [{ error }] });
    const answer = await google.server.call('/api/chat/completions', {
      model: 'google/gemini-nope',
      messages: [QUESTION],
    });
    expectError(answer, 404, 'model_not_found', /models\/nope is not found/);
  });

  it('one in a stream ends it in the words of the provider', async () => {
    const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };
    google.answer({ pieces: sse(chunk([{ text: 'Hi' }]), error) });
    expect((await google.stream({ model: MODEL })).last).toMatchObject({
      code: 'provider_unavailable',
      error: expect.stringMatching(/overloaded/),
      partial: true,
    });
  });
});
