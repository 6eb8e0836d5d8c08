import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';

// Pages of another origin that call with the vendors' own clients. A browser asks before it sends such a request, and
// shows of the answer's headers only those that are exposed; `browser` does the same.

const ORIGIN = 'https://app.example.com';
/** Of an app with a scheme of its own. */
const APP = 'app://obsidian.md';
/** Headers that a page may send without asking. */
const SIMPLE = new Set(['accept', 'accept-language', 'content-language']);
/** Those that a page may read without being told. */
const READABLE = new Set(['cache-control', 'content-language', 'content-length', 'content-type', 'expires']);

let server: TestServer;
let secret: string;

beforeAll(async () => {
  server = await startTestServer({ PROFCLAW_CORS_ORIGINS: `${ORIGIN},${APP}` });
  const { body } = await server.call('/api/keys', { name: 'K', scopes: ['chat'], rateLimit: 4 });
  secret = body.secret;
});
afterAll(() => server.stop());

/** What the last question before a request asked for. */
let asked = '';

/** `fetch` as a page of `origin` has it. @throws TypeError as a browser does when the request is not allowed. */
function browser(origin: string): typeof fetch {
  return async (url, { method = 'GET', headers, body, signal } = {}) => {
    const sent = new Headers(headers);
    asked = [...sent.keys()].filter((name) => !SIMPLE.has(name)).join(',');
    const question = { origin, 'access-control-request-method': method, 'access-control-request-headers': asked };
    const allowed = await fetch(url, { method: 'OPTIONS', headers: question });
    await allowed.text();
    const names = (allowed.headers.get('access-control-allow-headers') ?? '').split(/ *, */);
    const isAllowed =
      allowed.ok &&
      allowed.headers.get('access-control-allow-origin') === origin &&
      asked.split(',').every((name) => names.includes(name)) &&
      (allowed.headers.get('access-control-allow-methods') ?? '').includes(method);
    if (!isAllowed) throw new TypeError('Failed to fetch');
    sent.set('origin', origin);
    sent.set('sec-fetch-site', 'cross-site');
    sent.set('sec-fetch-mode', 'cors');
    const answer = await fetch(url, { method, headers: sent, body: body ?? null, signal: signal ?? null });
    if (answer.headers.get('access-control-allow-origin') !== origin) throw new TypeError('Failed to fetch');
    const exposed = (answer.headers.get('access-control-expose-headers') ?? '').split(/ *, */);
    const shown = [...answer.headers].filter(([name]) => READABLE.has(name) || exposed.includes(name));
    return new Response(answer.body, { status: answer.status, headers: shown });
  };
}

const options = { maxRetries: 0, dangerouslyAllowBrowser: true };
const messages = [{ role: 'user' as const, content: '/say Hello\n/length 9' }];

describe('a page of a named origin', () => {
  const fetch = browser(ORIGIN);

  it('calls with the client of OpenAI, and reads its headers', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: secret, fetch, ...options });
    const { data, response } = await client.chat.completions
      .create({ model: 'demo', messages, top_p: 0.5 })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe('Hello');
    expect(asked).toContain('authorization');
    expect(asked).toContain('x-stainless-');
    const shown = ['x-request-id', 'x-profclaw-provider', 'x-profclaw-warnings', 'x-ratelimit-remaining-requests'];
    for (const name of [...shown, 'ratelimit'])
      expect([name, response.headers.get(name)]).toEqual([name, expect.any(String)]);
    const stream = await client.chat.completions.create({ model: 'demo', messages, stream: true });
    let said = '';
    for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
    expect(said).toBe('Hello');
  });

  it('calls with the client of Anthropic, and reads its headers, also those of a refusal', async () => {
    const client = new Anthropic({ baseURL: server.url, apiKey: secret, fetch, ...options });
    const wanted = { model: 'demo', max_tokens: 9, messages };
    const { data, response, request_id } = await client.messages.create(wanted).withResponse();
    expect(data.content).toEqual([{ type: 'text', text: 'Hello' }]);
    expect(request_id).toMatch(/^req_/);
    for (const name of ['authorization', 'anthropic-version', 'anthropic-dangerous-direct-browser-access'])
      expect(asked).toContain(name);
    for (const name of ['limit', 'remaining', 'reset'])
      expect(response.headers.get(`anthropic-ratelimit-requests-${name}`)).toEqual(expect.any(String));
    // As its earlier versions do.
    const defaultHeaders = { 'x-api-key': secret };
    const earlier = new Anthropic({ baseURL: server.url, apiKey: null, defaultHeaders, fetch, ...options });
    expect(await earlier.messages.stream(wanted).finalText()).toBe('Hello');
    expect(asked).toContain('x-api-key');
    expect(asked).not.toContain('authorization');
    const refused = await client.messages.create(wanted).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(Anthropic.RateLimitError);
    const { headers } = refused as InstanceType<typeof Anthropic.RateLimitError>;
    expect(headers.get('retry-after-ms')).toMatch(/^\d+$/);
  });
});

it('an app that is named may call as well', async () => {
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', fetch: browser(APP), ...options });
  expect((await client.chat.completions.create({ model: 'demo', messages })).choices[0]?.message.content).toBe('Hello');
});

it.for(['https://evil.example', 'app://obsidian.md.evil', 'app://other'])(
  'a page of %s is not answered',
  async (origin) => {
    const fetch = browser(origin);
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: secret, fetch, ...options });
    await expect(client.chat.completions.create({ model: 'demo', messages })).rejects.toThrow('Connection error');
  },
);
