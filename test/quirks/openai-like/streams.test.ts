import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAiAnswer, sse } from '../../contract/upstream.ts';
import { type Rig, startRig } from './rig.ts';

// How streams of the OpenAI-like vendors begin, carry their counts and errors, and end.

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const DONE = 'data: [DONE]\n\n';
const chunk = (delta: object, finish_reason: string | null = null, more: object = {}): string =>
  sse({ choices: [{ index: 0, delta, finish_reason }], ...more });
const YES = chunk({ content: 'Yes' });
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/** What the caller gets: the text and the last event. */
async function read(model: string, pieces: string[]): Promise<{ text: string; last: object }> {
  const { events, status } = await rig.stream(model, { pieces });
  expect(status).toBe(200);
  return { text: events.map((event) => event.content ?? '').join(''), last: events.at(-1) };
}

describe('the end of a stream', () => {
  it.each<[string, string, string[], string]>([
    ['cerebras: a stream may end without [DONE]', 'cerebras/gpt-oss-120b', [YES, chunk({}, 'stop')], 'stop'],
    ['together: finish reason eos', 'together/m', [YES, chunk({}, 'eos'), DONE], 'stop'],
    ['together: it may be sent twice', 'together/m', [YES, chunk({}, 'eos'), chunk({}, 'eos'), DONE], 'stop'],
    [
      'a cut answer stays one after a second, plain reason',
      'together/m',
      [YES, chunk({}, 'length'), chunk({}, 'stop'), DONE],
      'length',
    ],
    ['none but [DONE]', 'together/m', [YES, DONE], 'stop'],
    ['an empty one', 'xai/grok-3', [YES, chunk({}, ''), DONE], 'stop'],
    [
      'anything after [DONE]',
      'together/m',
      [YES, chunk({}, 'stop'), DONE, YES, 'data: {"error":{"message":"late"}}\n\n', 'nonsense'],
      'stop',
    ],
    ['an unknown reason', 'together/m', [YES, chunk({}, 'constructor'), DONE], 'stop'],
    [
      'deepseek: it ran out of resources',
      'deepseek/deepseek-v4-flash',
      [YES, chunk({}, 'insufficient_system_resource'), DONE],
      'error',
    ],
  ])('%s', async (_case, model, pieces, finishReason) => {
    expect(await read(model, pieces)).toMatchObject({ text: 'Yes', last: { done: true, finishReason } });
  });

  it('is missed if neither a reason nor [DONE] came', async () => {
    const { text, last } = await read('together/m', [YES]);
    expect(text).toBe('Yes');
    expect(last).toMatchObject({ done: true, partial: true, code: 'provider_protocol' });
  });
});

describe('what is no answer yet', () => {
  it('openrouter: comment lines keep alive', async () => {
    const alive = ': OPENROUTER PROCESSING\n\n';
    const pieces = [alive, alive, YES, alive, chunk({}, 'stop'), alive, DONE];
    expect(await read('openrouter/a/b', pieces)).toMatchObject({ text: 'Yes', last: { finishReason: 'stop' } });
  });

  it('azure: the first chunk has choices: [] with filter results', async () => {
    const filtered = { hate: { filtered: false, severity: 'safe' } };
    const first = sse({ choices: [], prompt_filter_results: [{ prompt_index: 0, content_filter_results: filtered }] });
    const pieces = [first, chunk({ role: 'assistant', content: '' }), YES, chunk({}, 'stop'), DONE];
    expect(await read('azure/my-gpt', pieces)).toMatchObject({ text: 'Yes', last: { finishReason: 'stop' } });
  });
});

describe('counts', () => {
  const wanted = { usage: { promptTokens: 7, completionTokens: 3, totalTokens: 10 } };
  it.each<[string, string[]]>([
    ['groq: usage sits in x_groq', [YES, chunk({}, 'stop', { x_groq: { id: 'r', usage: USAGE } }), DONE]],
    ['in a last chunk with choices: []', [YES, chunk({}, 'stop'), sse({ choices: [], usage: USAGE }), DONE]],
    ['in a last chunk without choices', [YES, chunk({}, 'stop'), sse({ usage: USAGE }), DONE]],
    [
      'repeated in every chunk: the last counts',
      [
        chunk({ content: 'Ye' }, null, { usage: { ...USAGE, completion_tokens: 1, total_tokens: 8 } }),
        chunk({ content: 's' }, null, { usage: { ...USAGE, completion_tokens: 2, total_tokens: 9 } }),
        chunk({}, 'stop', { usage: USAGE }),
        DONE,
      ],
    ],
    [
      'beside empty and null ones',
      [
        YES,
        chunk({}, 'stop', { usage: USAGE }),
        chunk({}, null, { usage: {} }),
        chunk({}, null, { usage: null }),
        DONE,
      ],
    ],
  ])('%s', async (_case, pieces) => {
    expect(await read('groq/m', pieces)).toMatchObject({ text: 'Yes', last: wanted });
  });

  it('xai: reasoning beside the completion is not lost', async () => {
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 1,
      total_tokens: 241,
      completion_tokens_details: { reasoning_tokens: 228 },
    };
    const { last } = await read('xai/grok-3', [YES, chunk({}, 'stop'), sse({ choices: [], usage }), DONE]);
    expect(last).toMatchObject({
      usage: {
        promptTokens: 12,
        completionTokens: 1,
        totalTokens: 241,
        reasoningTokens: 228,
        cost: expect.any(Number),
      },
    });
    const { usage: counted } = last as { usage: { cost: number } };
    // 3 USD in and 15 out, per million.
    expect(counted.cost).toBeCloseTo((12 * 3 + 229 * 15) / 1e6, 9);
  });

  it('together and openrouter: cached tokens in their places', async () => {
    const { last } = await read('together/m', [
      YES,
      chunk({}, 'stop', { usage: { ...USAGE, cached_tokens: 4 } }),
      DONE,
    ]);
    expect(last).toMatchObject({ usage: { cachedTokens: 4 } });
    const details = { cached_tokens: 3, cache_write_tokens: 2 };
    const usage = { ...USAGE, prompt_tokens_details: details };
    expect((await read('openrouter/a/b', [YES, chunk({}, 'stop', { usage }), DONE])).last).toMatchObject({
      usage: { cachedTokens: 3, cacheWriteTokens: 2 },
    });
  });
});

describe('an error inside a 200 answer', () => {
  const reported = { error: { code: 502, message: 'Provider died' } };
  it.each<[string, string, object, string, string]>([
    [
      'openrouter: an error object',
      'openrouter/a/b',
      { ...reported, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] },
      'provider_unavailable',
      'OpenRouter: Provider died',
    ],
    [
      'openrouter: in the choice',
      'openrouter/a/b',
      { choices: [{ index: 0, delta: {}, ...reported }] },
      'provider_unavailable',
      'OpenRouter: Provider died',
    ],
    [
      'xai: a string',
      'xai/grok-3',
      { code: 'x', error: 'Incorrect API key provided' },
      'provider_auth',
      'xAI: Incorrect API key provided',
    ],
    [
      'cerebras: a flat body',
      'cerebras/m',
      { message: 'Slow down', type: 'too_many_requests_error', code: 'rate_limit_exceeded' },
      'provider_rate_limited',
      'Cerebras: Slow down',
    ],
    [
      'mistral: a flat body',
      'mistral/m',
      { object: 'error', message: 'Broke', type: 'x', code: '3000' },
      'provider_unavailable',
      'Mistral: Broke',
    ],
  ])('%s, first, later and whole', async (_case, model, body, code, error) => {
    const first = await rig.stream(model, { pieces: [': hi\n\n', sse(body)] });
    expect(first).toMatchObject({ body: { code, error } });
    expect(first.status).toBeGreaterThanOrEqual(400);
    const later = await rig.stream(model, { pieces: [YES, sse(body), DONE] });
    expect(later).toMatchObject({
      status: 200,
      events: [{ content: 'Yes' }, { done: true, partial: true, code, error }],
    });
    const whole = await rig.whole(model, body);
    expect(whole).toMatchObject({ status: first.status, body: { code, error } });
  });

  it('azure: an error may come after the stream began', async () => {
    const error = { message: 'The server had an error', type: 'server_error', code: null };
    const { body } = await rig.stream('azure/my-gpt', { pieces: [YES, sse({ error })] });
    expect(body).toMatchObject({
      partial: true,
      code: 'provider_unavailable',
      error: 'Azure OpenAI: The server had an error',
    });
  });

  it('a null or absent error is none', async () => {
    const whole = await rig.whole('together/m', { ...openAiAnswer({ content: 'Yes' }), error: null });
    expect(whole).toMatchObject({ status: 200, body: { message: { content: 'Yes' } } });
  });
});

it('azure: content-filter bodies are valid answers', async () => {
  const whole = await rig.whole('azure/my-gpt', openAiAnswer({ content: 'Half' }, 'content_filter'));
  expect(whole).toMatchObject({ status: 200, body: { message: { content: 'Half' }, finishReason: 'content-filter' } });
  expect(await read('azure/my-gpt', [YES, chunk({}, 'content_filter'), DONE])).toMatchObject({
    text: 'Yes',
    last: { finishReason: 'content-filter' },
  });
});
