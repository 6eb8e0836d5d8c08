import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, method, says } from './helpers.ts';
import {
  keyOf,
  openAiAnswer,
  openAiDeltas,
  openAiStream,
  PLAIN,
  sse,
  startUpstream,
  type Upstream,
} from './upstream.ts';

const PATH = '/api/chat/completions';
const REFUSED = { status: 401, json: { error: { message: 'bad key' } } };

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
});
// A server of its own for each test: one that has seen failures passes models over.
beforeEach(async () => {
  upstream.reset();
  server = await startTestServer(upstream.environment('groq', 'openai', 'anthropic'));
});
afterEach(() => server.stop());
afterAll(() => upstream.stop());

const CHAIN = { model: 'groq/first', fallbacks: ['openai/gpt-4o', 'claude-sonnet-4-6'] };

describe('fallbacks', () => {
  it.each([
    [0, ['groq']],
    [1, ['groq', 'openai']],
    [2, ['groq', 'openai', 'anthropic']],
  ])('after %i failures, in the order given', async (failures, providers) => {
    for (let i = 0; i < failures; i++) upstream.replies.push(REFUSED);
    const { status, body } = await server.call(PATH, says('Hi', CHAIN));
    expect(status).toBe(200);
    expect(upstream.sent.map((sent) => sent.provider)).toEqual(providers);
    expect(body.provider).toBe(providers.at(-1));
    expect(body.message.content).toBe(PLAIN);
  });

  it('all failing: the last one’s error', async () => {
    upstream.replies.push(REFUSED, REFUSED, { status: 403, json: { error: { message: 'the last word' } } });
    expectError(await server.call(PATH, says('Hi', CHAIN)), 502, 'provider_auth', /Anthropic: the last word/);
  });

  it('never after the first byte', async () => {
    upstream.replies.push({ pieces: openAiDeltas([{ content: 'half' }]), breakOff: true });
    const { events } = await server.stream(PATH, says('Hi', { ...CHAIN, stream: true }));
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({ code: 'provider_unavailable', done: true, partial: true });
    expect(upstream.sent.map((sent) => sent.provider)).toEqual(['groq']);
  });

  it('before the first byte of a stream, also under a status of 200', async () => {
    upstream.replies.push({ pieces: ['data: {"error":{"message":"overloaded","code":503}}\n\n'] });
    const { events } = await server.stream(PATH, says('Hi', { ...CHAIN, stream: true }));
    expect(events.at(-1)).toMatchObject({ done: true, provider: 'openai', model: 'gpt-4o' });
    expect(upstream.sent.map((sent) => sent.provider)).toEqual(['groq', 'openai']);
  });

  it('the same model under several names is asked once, at its first place', async () => {
    upstream.replies.push(REFUSED, REFUSED, REFUSED, REFUSED);
    const fallbacks = ['groq/first', 'openai/gpt-4o', 'gpt-4o', 'groq/first', 'openai/gpt-4o'];
    const answer = await server.call(PATH, says('Hi', { model: 'groq/first', fallbacks }));
    expectError(answer, 502, 'provider_auth');
    expect(upstream.sent.map((sent) => sent.provider)).toEqual(['groq', 'openai']);
    expect(answer.body.details.attempts).toHaveLength(2);
  });

  it('one that was deleted while the first was being asked is a failed attempt', async () => {
    const configure = (type: string, baseUrl: string) =>
      server.call(`/api/chat/providers/${type}/configure`, { baseUrl });
    const slow = createServer(async (_request, response) => {
      await server.call('/api/chat/providers/custom:gone', undefined, method('DELETE'));
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error": "bad key"}');
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    await configure('custom:slow', `http://127.0.0.1:${(slow.address() as AddressInfo).port}`);
    await configure('custom:gone', upstream.url);
    const chain = { model: 'custom:slow/m', fallbacks: ['custom:gone/m', 'groq/m'] };
    const { status, body } = await server.call(PATH, says('Hi', chain));
    slow.closeAllConnections();
    slow.close();
    expect([status, body.provider]).toEqual([200, 'groq']);
    expect(body.attempts).toMatchObject([
      { provider: 'custom:slow', code: 'provider_auth' },
      { provider: 'custom:gone', status: 'failed', code: 'provider_not_configured' },
      { provider: 'groq', status: 'answered' },
    ]);
  });

  it('not after a refusal of the request itself', async () => {
    upstream.replies.push({ status: 400, json: { error: { message: 'bad parameter' } } });
    expectError(await server.call(PATH, says('Hi', CHAIN)), 400, 'provider_rejected', /bad parameter/);
    expect(upstream.sent).toHaveLength(1);
  });

  it('not after bad input', async () => {
    expect(issuePaths(await server.call(PATH, says('Hi', { ...CHAIN, temperature: 3 })))).toEqual(['temperature']);
    expect(upstream.sent).toHaveLength(0);
  });

  it('an unknown one is 404 even when it is not needed', async () => {
    expectError(
      await server.call(PATH, says('Hi', { model: 'groq/first', fallbacks: ['no-such-model'] })),
      404,
      'model_not_found',
      /no-such-model/,
    );
    expect(upstream.sent).toHaveLength(0);
  });

  it('an unknown first model is 404 although a fallback is known', async () => {
    expectError(await server.call(PATH, says('Hi', { ...CHAIN, model: 'no-such-model' })), 404, 'model_not_found');
    expect(upstream.sent).toHaveLength(0);
  });
});

const DURATION = expect.toSatisfy((ms: unknown) => Number.isInteger(ms) && Number(ms) >= 0);
const FAILED = { status: 'failed', code: 'provider_auth', error: 'Groq: bad key', duration: DURATION };

describe('attempts', () => {
  it('in a whole answer: each model in order, and what became of it', async () => {
    upstream.replies.push(REFUSED);
    const { body } = await server.call(PATH, says('Hi', CHAIN));
    expect(body.attempts).toEqual([
      { provider: 'groq', model: 'first', ...FAILED },
      { provider: 'openai', model: 'gpt-4o', status: 'answered', duration: DURATION },
    ]);
  });

  it('in the last event of a stream', async () => {
    upstream.replies.push(REFUSED);
    const { events } = await server.stream(PATH, says('Hi', { ...CHAIN, stream: true }));
    expect(events.slice(0, -1)).toEqual([{ content: PLAIN }]);
    expect(events.at(-1).attempts).toEqual([
      { provider: 'groq', model: 'first', ...FAILED },
      { provider: 'openai', model: 'gpt-4o', status: 'answered', duration: DURATION },
    ]);
  });

  it('not where the first model answered', async () => {
    const { body } = await server.call(PATH, says('Hi', CHAIN));
    expect(body.message.content).toBe(PLAIN);
    expect(body).not.toHaveProperty('attempts');
  });

  it('in the details of the last error, beside what it says itself, and without a key', async () => {
    const leaky = { status: 401, json: { error: { message: `bad key ${keyOf('groq')}` } } };
    upstream.replies.push(leaky, REFUSED, REFUSED);
    const answer = await server.call(PATH, says('Hi', CHAIN));
    expectError(answer, 502, 'provider_auth', /Anthropic: bad key/);
    expect(answer.body.details).toEqual({
      providerStatus: 401,
      attempts: [
        { provider: 'groq', model: 'first', ...FAILED, error: 'Groq: bad key [key]' },
        { provider: 'openai', model: 'gpt-4o', ...FAILED, error: 'OpenAI: bad key' },
        { provider: 'anthropic', model: 'claude-sonnet-4-6', ...FAILED, error: 'Anthropic: bad key' },
      ],
    });
  });

  it('not in the error of a single model', async () => {
    upstream.replies.push(REFUSED);
    const answer = await server.call(PATH, says('Hi', { model: 'groq/first' }));
    expectError(answer, 502, 'provider_auth');
    expect(answer.body.details).toEqual({ providerStatus: 401 });
  });

  it('in the error of a request that the second model calls wrong, which ends it', async () => {
    upstream.replies.push(REFUSED, { status: 400, json: { error: { message: 'bad parameter' } } });
    const answer = await server.call(PATH, says('Hi', CHAIN));
    expectError(answer, 400, 'provider_rejected', /bad parameter/);
    expect(answer.body.details.attempts).toMatchObject([FAILED, { provider: 'openai', code: 'provider_rejected' }]);
    expect(upstream.sent).toHaveLength(2);
  });

  it('in the last event of a stream that a fallback broke off', async () => {
    upstream.replies.push(REFUSED, { pieces: openAiDeltas([{ content: 'half' }]), breakOff: true });
    const { events } = await server.stream(PATH, says('Hi', { ...CHAIN, stream: true }));
    expect(events[0]).toEqual({ content: 'half' });
    expect(events[1]).toMatchObject({
      done: true,
      partial: true,
      code: 'provider_unavailable',
      details: {
        attempts: [
          { provider: 'groq', status: 'failed' },
          { provider: 'openai', status: 'failed', code: 'provider_unavailable', duration: DURATION },
        ],
      },
    });
    expect(events).toHaveLength(2);
  });
});

describe('the beginning of an answer', () => {
  const USAGE = sse({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 } });
  const ERROR = sse({ error: { message: 'overloaded', code: 503 } });
  const stream = async (...pieces: string[]): Promise<string[]> => {
    upstream.replies.push({ pieces });
    const { events } = await server.stream(PATH, says('Hi', { ...CHAIN, stream: true }));
    return [events.at(-1).provider ?? events.at(-1).code, events.map((event) => event.content ?? '').join('')];
  };

  it.each([
    ['token counts', USAGE],
    ['a role and no text', openAiDeltas([{ role: 'assistant', content: '' }]).join('')],
  ])('is not %s', async (_what, first) => {
    expect(await stream(first, ERROR)).toEqual(['openai', PLAIN]);
  });

  it.each([
    ['text', { content: 'x' }, 'x'],
    ['reasoning', { reasoning: 'Well' }, ''],
  ])('is %s', async (_what, delta, content) => {
    expect(await stream(...openAiDeltas([delta]), ERROR)).toEqual(['provider_unavailable', content]);
    expect(upstream.sent).toHaveLength(1);
  });

  it.each([false, true])('is also the end of an answer of nothing, which is one (stream: %s)', async (isStream) => {
    const nothing = isStream ? { pieces: openAiStream([]) } : { json: openAiAnswer({ content: '' }) };
    upstream.replies.push(nothing);
    const { events } = await server.stream(PATH, says('Hi', { ...CHAIN, stream: isStream }));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ provider: 'groq', finishReason: 'stop' });
  });

  it.each([false, true])(
    'is not the end that is an error, as long as a model is left (stream: %s)',
    async (isStream) => {
      const broken = isStream
        ? { pieces: openAiStream([], 'error') }
        : { json: openAiAnswer({ content: '' }, 'error') };
      upstream.replies.push(broken, broken);
      const [alone] = (await server.stream(PATH, says('Hi', { model: 'groq/first', stream: isStream }))).events;
      expect(alone).toMatchObject({ provider: 'groq', finishReason: 'error' });
      const last = (await server.stream(PATH, says('Hi', { ...CHAIN, stream: isStream }))).events.at(-1);
      expect(last).toMatchObject({ provider: 'openai', finishReason: 'stop' });
      expect(last.attempts[0]).toMatchObject({ status: 'failed', code: 'provider_protocol' });
    },
  );
});

it('warnings are those of the model that answered', async () => {
  const ask = (more: object) => server.call(PATH, says('/fail 401', { temperature: 1, ...more }));
  const demoFirst = await ask({ model: 'demo', fallbacks: ['groq/first'] });
  expect([demoFirst.body.provider, demoFirst.body.warnings]).toEqual(['groq', undefined]);
  upstream.replies.push(REFUSED);
  const demoLast = await server.call(PATH, says('Hi', { temperature: 1, model: 'groq/first', fallbacks: ['demo'] }));
  expect(demoLast.body.provider).toBe('demo');
  expect(demoLast.body.warnings).toEqual([expect.stringMatching(/^temperature: the demo model/)]);
});
