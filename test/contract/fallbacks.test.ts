import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, says } from './helpers.ts';
import { openAiDeltas, PLAIN, startUpstream, type Upstream } from './upstream.ts';

const PATH = '/api/chat/completions';
const REFUSED = { status: 401, json: { error: { message: 'bad key' } } };

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment('groq', 'openai', 'anthropic'));
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

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
