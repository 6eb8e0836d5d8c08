import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { expectError, says } from './helpers.ts';
import { openAiDeltas, openAiStream, PLAIN, sse, startUpstream, type Upstream } from './upstream.ts';

const PATH = '/api/chat/completions';
const CHAIN = { model: 'groq/first', fallbacks: ['openai/gpt-4o'] };

let upstream: Upstream;
let server: TestServer;
/** The clock of the cool-downs, in milliseconds. */
let now: number;

beforeAll(async () => {
  upstream = await startUpstream();
});
beforeEach(async () => {
  upstream.reset();
  now = 0;
  server = await startTestServer(upstream.environment('groq', 'openai', 'anthropic'), undefined, () => now);
});
afterEach(() => server.stop());
afterAll(() => upstream.stop());

const full = (seconds = 60) => ({
  status: 429,
  headers: { 'retry-after': String(seconds) },
  json: { error: { message: 'too many requests' } },
});
/** Fails inside a stream, which is not tried again. */
const OVERLOADED = { pieces: [sse({ error: { message: 'overloaded', code: 503 } })] };

/** One call; the providers that were asked, and the answer. */
async function ask(more: object = {}): Promise<{ asked: string[]; body: Json }> {
  const before = upstream.sent.length;
  const { body } = await server.call(PATH, says('Hi', { ...CHAIN, ...more }));
  return { asked: upstream.sent.slice(before).map(({ provider }) => provider), body };
}

async function stream(more: object = {}): Promise<{ asked: string[]; last: Json }> {
  const before = upstream.sent.length;
  const { events } = await server.stream(PATH, says('Hi', { ...CHAIN, ...more, stream: true }));
  return { asked: upstream.sent.slice(before).map(({ provider }) => provider), last: events.at(-1) };
}

/** A stream whose upstream sends these pieces and then nothing; `begun` when the first byte is here. */
function hold(...pieces: string[]): { begun: Promise<unknown>; leave: () => void } {
  upstream.replies.push({ pieces, stall: true });
  const leaving = new AbortController();
  const response = fetch(server.url + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(says('Hi', { ...CHAIN, stream: true })),
    signal: leaving.signal,
  });
  const begun = response.then(({ body }) => body?.getReader().read());
  begun.catch(() => {});
  return { begun, leave: () => leaving.abort() };
}

/** Makes groq/first cool down for a minute. */
async function cool(): Promise<void> {
  upstream.replies.push(full());
  expect((await ask()).asked).toEqual(['groq', 'openai']);
}

describe('a model that asks for more time than a waiting fallback has', () => {
  it('is not waited for, and passed over until the time is over', async () => {
    await cool();
    now += 59_000;
    const { asked, body } = await ask();
    expect(asked).toEqual(['openai']);
    expect(body.attempts).toEqual([
      {
        provider: 'groq',
        model: 'first',
        status: 'skipped',
        code: 'provider_rate_limited',
        error: 'Cooling down after failures, for 1 s more',
        duration: 0,
      },
      { provider: 'openai', model: 'gpt-4o', status: 'answered', duration: expect.any(Number) },
    ]);
    now += 1000;
    const again = await ask();
    expect(again.asked).toEqual(['groq']);
    expect(again.body).not.toHaveProperty('attempts');
  });

  it('also if that is less than would be waited for otherwise', async () => {
    upstream.replies.push(full(3));
    expect((await ask()).asked).toEqual(['groq', 'openai']);
  });

  it('is passed over in streams, and the last event says so', async () => {
    await cool();
    const { asked, last } = await stream();
    expect(asked).toEqual(['openai']);
    expect(last.attempts).toMatchObject([{ status: 'skipped' }, { status: 'answered' }]);
  });

  it('is asked all the same by whoever names it without fallbacks', async () => {
    await cool();
    const { asked, body } = await ask({ fallbacks: [] });
    expect([asked, body.message.content]).toEqual([['groq'], PLAIN]);
  });

  it('is asked again as soon as such a call was answered', async () => {
    await cool();
    await ask({ fallbacks: [] });
    expect((await ask()).asked).toEqual(['groq']);
  });

  it('is the only one of its provider that is passed over', async () => {
    await cool();
    expect((await ask({ model: 'groq/second' })).asked).toEqual(['groq']);
  });

  it('is asked again once the provider’s settings have changed', async () => {
    await cool();
    const { status } = await server.call('/api/chat/providers/groq/configure', { apiKey: 'sk-another-0123456789' });
    expect(status).toBe(200);
    expect((await ask()).asked).toEqual(['groq']);
  });
});

describe('a model without a time', () => {
  it('is passed over after three failed calls in a row, for 5 s', async () => {
    for (let i = 0; i < 3; i++) {
      upstream.replies.push(OVERLOADED);
      expect((await stream()).asked).toEqual(['groq', 'openai']);
    }
    now += 4999;
    expect((await stream()).asked).toEqual(['openai']);
    now += 1;
    expect((await stream()).asked).toEqual(['groq']);
  });

  it('is passed over after three answers that broke off', async () => {
    for (let i = 0; i < 3; i++) {
      upstream.replies.push({ pieces: openAiDeltas([{ content: 'half' }]), breakOff: true });
      expect((await stream()).last).toMatchObject({ code: 'provider_unavailable', partial: true });
    }
    expect((await stream()).asked).toEqual(['openai']);
  });

  it.each([
    [400, 'provider_rejected'],
    [401, 'provider_auth'],
    [404, 'model_not_found'],
  ])('is not passed over for refusals that time does not mend: %i', async (status, code) => {
    for (let i = 0; i < 4; i++) {
      upstream.replies.push({ status, json: { error: { message: 'no' } } });
      expect((await ask({ fallbacks: [] })).body.code).toBe(code);
    }
    expect((await ask()).asked).toEqual(['groq']);
  });

  it('is not passed over for callers who left in the middle', async () => {
    for (let i = 0; i < 4; i++) {
      const { begun, leave } = hold(...openAiDeltas([{ content: 'half' }]));
      await begun;
      leave();
    }
    expect((await stream()).asked).toEqual(['groq']);
  });
});

describe('when the time is over', () => {
  it('one call finds out; the others pass the model over meanwhile', async () => {
    await cool();
    now += 60_000;
    const { leave } = hold('');
    await expect.poll(() => upstream.sent.length).toBe(3);
    const { asked, body } = await ask();
    expect(asked).toEqual(['openai']);
    expect(body.attempts[0].error).toBe('Cooling down after failures, until another call has found out how it is');
    leave();
    // The one that left has found out nothing, so another does.
    await expect.poll(async () => (await ask()).asked).toEqual(['groq']);
  });

  it('the first byte of that one lets the others through again', async () => {
    await cool();
    now += 60_000;
    const { begun, leave } = hold(...openAiDeltas([{ content: 'well' }]));
    await begun;
    expect((await ask()).asked).toEqual(['groq']);
    leave();
  });

  it('a failure makes it longer, without a second try', async () => {
    await cool();
    now += 60_000;
    upstream.replies.push({ status: 503, json: { error: { message: 'overloaded' } } });
    expect((await ask()).asked).toEqual(['groq', 'openai']);
    now += 9999;
    expect((await ask()).asked).toEqual(['openai']);
    now += 1;
    expect((await ask()).asked).toEqual(['groq']);
  });
});

describe('models that are cooling down', () => {
  it('are asked last if all others fail', async () => {
    await cool();
    upstream.replies.push({ status: 401, json: { error: { message: 'bad key' } } });
    const { asked, body } = await ask();
    expect([asked, body.provider]).toEqual([['openai', 'groq'], 'groq']);
    expect(body.attempts).toMatchObject([
      { provider: 'groq', status: 'skipped' },
      { provider: 'openai', status: 'failed', code: 'provider_auth' },
      { provider: 'groq', status: 'answered' },
    ]);
  });

  it('are asked in the order given if there are no others', async () => {
    await cool();
    upstream.replies.push(full(90));
    await ask({ model: 'openai/gpt-4o', fallbacks: ['anthropic/claude-sonnet-4-6'] });
    upstream.replies.push(full(70), full(70));
    const answer = await server.call(PATH, says('Hi', CHAIN));
    expectError(answer, 429, 'provider_rate_limited', /^OpenAI/);
    expect(answer.headers.get('retry-after')).toBe('70');
    expect(answer.body.details.attempts).toMatchObject([
      { provider: 'groq', status: 'failed' },
      { provider: 'openai', status: 'failed' },
    ]);
    const { asked, body } = await ask();
    expect(asked).toEqual(['groq']);
    expect(body).not.toHaveProperty('attempts');
  });
});

it('the demo never cools down: it fails on order', async () => {
  for (let i = 0; i < 4; i++) await server.call(PATH, says('/fail 503', { model: 'demo' }));
  const { body } = await server.call(PATH, says('Hi', { model: 'demo', fallbacks: ['groq/first'] }));
  expect(body.provider).toBe('demo');
});

it('a stream that was answered to its end clears what came before', async () => {
  for (const reply of [
    OVERLOADED,
    OVERLOADED,
    { pieces: openAiStream([{ content: 'fine' }]) },
    OVERLOADED,
    OVERLOADED,
  ]) {
    upstream.replies.push(reply);
    expect((await stream()).asked[0]).toBe('groq');
  }
  expect((await stream()).asked).toEqual(['groq']);
});
