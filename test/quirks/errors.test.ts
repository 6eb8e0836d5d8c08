import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyOf, startUpstream, type Upstream } from '../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { ERROR_BODIES, error } from './error-bodies.ts';

// Every vendor's error bodies, asked for whole and streamed: code, status and the vendor's own words.

const TYPES = ['openai', 'azure', 'openrouter', 'groq', 'xai', 'mistral', 'perplexity', 'deepseek', 'together'];
const OTHERS = ['cerebras', 'fireworks', 'anthropic', 'google', 'cohere', 'ollama'];

let upstream: Upstream;
let server: TestServer;
beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment(...TYPES, ...OTHERS));
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

/** Asks both ways; the vendor refuses every try. */
async function refused(
  model: string,
  status: number,
  json: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Json; headers: Headers; tries: number }[]> {
  const answers = [];
  for (const stream of [false, true]) {
    upstream.reset();
    for (let n = 0; n < 3; n++) upstream.replies.push({ status, json, headers });
    const messages = [{ role: 'user', content: 'Hi' }];
    const answer = await server.call('/api/chat/completions', { model, messages, stream });
    answers.push({ ...answer, tries: upstream.sent.length });
  }
  return answers;
}

describe('error bodies', () => {
  it.each(ERROR_BODIES)('%s', async (_row, model, status, body, code, ourStatus, words) => {
    for (const answer of await refused(model, status, body, { 'retry-after': '77' })) {
      expect(answer.body).toMatchObject({ error: words, code, details: { providerStatus: status } });
      expect(answer.status).toBe(ourStatus);
      // A wait of over 30 s is left to the caller.
      expect(answer.tries).toBe(1);
      expect(answer.headers.get('retry-after')).toBe('77');
    }
  });

  it('deepseek: error bodies may be application/octet-stream', async () => {
    const body = error({
      message: 'No tool output found',
      type: 'invalid_request_error',
      code: 'invalid_request_error',
    });
    for (const answer of await refused('deepseek/m', 400, body, { 'content-type': 'application/octet-stream' })) {
      expect(answer.body).toMatchObject({ error: 'DeepSeek: No tool output found', code: 'provider_rejected' });
    }
  });
});

it('of a long error as much is given as a person reads', async () => {
  const long = 'word '.repeat(100_000);
  const body = error({ message: `${long}${keyOf('groq')}`, failed_generation: long });
  for (const answer of await refused('groq/m', 400, body)) {
    expect(answer.body.error).toBe(`Groq: ${long.slice(0, 2000)}…`);
    expect(answer.body.details.failedGeneration).toBe(`${long.slice(0, 2000)}…`);
  }
});

describe('when to try again', () => {
  const busy = error({ message: 'Busy' });

  it('google: 429 has RetryInfo in details and no header', async () => {
    const info = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '48.9s' };
    const body = error({ code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED', details: [info] });
    for (const answer of await refused('google/gemini-3.8-flash', 429, body)) {
      expect(answer.body).toMatchObject({ error: 'Google Gemini: Quota', code: 'provider_rate_limited' });
      expect(answer.headers.get('retry-after')).toBe('49');
      expect(answer.tries).toBe(1);
    }
  });

  it.each([
    ['azure: retry-after-ms beside retry-after', { 'retry-after-ms': '61500', 'retry-after': '1' }, /^62$/],
    ['seconds', { 'retry-after': '61.2' }, /^62$/],
    ['nonsense', { 'retry-after': '1e300' }, /^86400$/],
    ['a date', { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }, /^3[56]\d\d$/],
  ])('%s', async (_case, headers, wanted) => {
    for (const answer of await refused('azure/my-gpt', 429, busy, headers)) {
      expect(answer.headers.get('retry-after')).toMatch(wanted);
      expect(answer.tries).toBe(1);
    }
  });

  it.each([408, 409, 429, 500, 502, 503, 529])('%i is tried twice more', async (status) => {
    for (const answer of await refused('together/m', status, busy, { 'retry-after-ms': '1' })) {
      expect(answer.body.error).toBe('Together AI: Busy');
      expect(answer.tries).toBe(3);
    }
  });

  it.each([400, 401, 402, 403, 404, 422])('%i is not', async (status) => {
    for (const answer of await refused('together/m', status, busy, { 'retry-after-ms': '1' })) {
      expect(answer.tries).toBe(1);
    }
  });

  it('an empty purse is not filled by waiting', async () => {
    const body = error({ message: 'Quota', code: 'insufficient_quota' });
    for (const answer of await refused('openai/gpt-4o', 429, body, { 'retry-after-ms': '1' })) {
      expect(answer.tries).toBe(1);
    }
  });
});

describe('the key', () => {
  it.each([...TYPES, ...OTHERS.filter((type) => type !== 'ollama')])(
    '%s: is struck out of what it says',
    async (type) => {
      const key = keyOf(type);
      const said = { message: `Bad key ${key}`, failed_generation: key, metadata: { raw: key, provider_name: key } };
      for (const answer of await refused(`${type}/m`, 401, error(said))) {
        expect(upstream.sent[0]?.provider).toBe(type);
        expect(JSON.stringify(upstream.sent[0]?.headers)).toContain(key);
        expect(answer.body.error).toContain('[key]');
        expect(JSON.stringify(answer.body)).not.toContain(key.slice(0, 12));
      }
    },
  );
});
