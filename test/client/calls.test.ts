import createFetch from 'openapi-fetch';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { paths } from '../../src/client/api.ts';
import { createClient } from '../../src/client/create-client.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { allOf } from './all-of.ts';
import { type BreakingProxy, startBreakingProxy } from './breaking-proxy.ts';

let server: TestServer;
let proxy: BreakingProxy;

beforeAll(async () => {
  server = await startTestServer();
  proxy = await startBreakingProxy(() => server.url);
});
beforeEach(() => {
  proxy.cuts.length = 0;
  proxy.requests.length = 0;
});
afterAll(async () => {
  proxy?.stop();
  await server?.stop();
});

/** How many conversations have this title. */
async function countOf(title: string): Promise<number> {
  const { conversations } = await createClient({ url: server.url }).get('/api/chat/conversations');
  return conversations.filter((one) => one.title === title).length;
}

/** Every connection is a new one, so that a proxy can break it. */
const headers = { connection: 'close' };

/** A `fetch` that answers itself as long as there are answers, and notes what it was asked. */
function scripted(...answers: Response[]): { fetch: typeof fetch; asked: Headers[] } {
  const asked: Headers[] = [];
  return {
    asked,
    fetch: (input, init) => {
      asked.push(new Headers(init?.headers));
      const answer = answers.shift();
      return answer ? Promise.resolve(answer) : fetch(input, init);
    },
  };
}

function refusal(status: number, code: string, seconds?: number): Response {
  const more = seconds === undefined ? {} : { headers: { 'retry-after': `${seconds}` } };
  return Response.json({ error: 'Not now', code, requestId: 'req_1' }, { status, ...more });
}

describe('a call', () => {
  it('fills in the path and the query, and gives the answer', async () => {
    const client = createClient({ url: `${server.url}/` });
    const { task } = await client.post('/api/tasks', { body: { title: 'A', prompt: 'B' } });
    expect((await client.get('/api/tasks/{id}', { path: { id: task.id } })).task).toEqual(task);
    await client.patch('/api/tasks/{id}', { path: { id: task.id }, body: { title: 'C' } });
    const { tasks } = await client.get('/api/tasks', { query: { limit: 1 } });
    expect(tasks).toMatchObject([{ id: task.id, title: 'C' }]);
    await client.delete('/api/tasks/{id}', { path: { id: task.id } });
    expect((await client.get('/api/tasks')).tasks).toEqual([]);
    const odd = client.get('/api/tasks/{id}', { path: { id: 'a/../b?c' } });
    await expect(odd).rejects.toMatchObject({ status: 404, message: expect.stringContaining('a/../b?c') });
  });

  it('throws what the server has against it, with every problem', async () => {
    const body = { title: 'A', prompt: 'B', another: 1, other: 2 };
    const call = createClient({ url: server.url }).post('/api/tasks', { body });
    await expect(call).rejects.toMatchObject({
      name: 'RequestError',
      status: 400,
      code: 'invalid_request',
      details: { issues: [{ path: 'another' }, { path: 'other' }] },
    });
  });

  it('shows the key', async () => {
    const guarded = await startTestServer({ PROFCLAW_REQUIRE_AUTH: 'true' });
    const { fetch: noting, asked } = scripted();
    const client = createClient({ url: guarded.url, apiKey: 'profclaw_x', headers: { 'x-a': 'b' }, fetch: noting });
    await client.get('/api/tasks').catch(() => undefined);
    expect(asked[0]?.get('authorization')).toBe('Bearer profclaw_x');
    expect(asked[0]?.get('x-a')).toBe('b');
    await guarded.stop();
  });
});

it('has types that openapi-fetch takes', async () => {
  const { GET } = createFetch<paths>({ baseUrl: server.url });
  const { error } = await GET('/api/tasks/{id}', { params: { path: { id: 'x' } } });
  expect(error?.code).toBe('not_found');
  // @ts-expect-error no such path
  expect((await GET('/api/task')).response.status).toBe(404);
});

describe('a call that fails for now', () => {
  it('makes a conversation once, wherever the connection breaks', async () => {
    const client = createClient({ url: proxy.url, headers });
    proxy.cuts.push(0, 100);
    await client.post('/api/chat/conversations', { body: { title: 'Once' } });
    expect(proxy.requests.filter((line) => line.startsWith('POST'))).toHaveLength(3);
    expect(await countOf('Once')).toBe(1);
  });

  it('is sent again with the same key as often as it is told to, and no more', async () => {
    const { fetch: flaky, asked } = scripted(refusal(503, 'shutting_down', 0), refusal(429, 'rate_limited'));
    const client = createClient({ url: server.url, fetch: flaky });
    await client.post('/api/chat/conversations', { body: { title: 'Twice refused' } });
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map((one) => one.get('idempotency-key'))).size).toBe(1);
    expect(await countOf('Twice refused')).toBe(1);
    const never = scripted(refusal(503, 'shutting_down'), refusal(503, 'shutting_down'), refusal(503, 'x'));
    const call = createClient({ url: server.url, fetch: never.fetch, retries: 1 }).get('/api/tasks');
    await expect(call).rejects.toMatchObject({ status: 503 });
    expect(never.asked).toHaveLength(2);
  });

  it('waits for the first one with the same key', async () => {
    const { fetch: busy, asked } = scripted(refusal(409, 'conflict', 0));
    await createClient({ url: server.url, fetch: busy }).post('/api/chat/conversations', { body: {} });
    expect(asked).toHaveLength(2);
  });

  it('is not sent again when that is not safe, or no use', async () => {
    const attempts = async (answer: Response, call: 'login' | 'delete' | 'create'): Promise<number> => {
      const { fetch: refusing, asked } = scripted(answer);
      const client = createClient({ url: server.url, fetch: refusing });
      const calls = {
        login: () => client.post('/api/auth/login', { body: { email: 'a@b.c', password: 'x' } }),
        delete: () => client.delete('/api/tasks/{id}', { path: { id: 'x' } }),
        create: () => client.post('/api/chat/conversations', { body: {} }),
      };
      await expect(calls[call]()).rejects.toMatchObject({ code: 'code_of_it' });
      return asked.length;
    };
    expect(await attempts(refusal(503, 'code_of_it'), 'login')).toBe(1);
    expect(await attempts(refusal(503, 'code_of_it'), 'delete')).toBe(1);
    expect(await attempts(refusal(500, 'code_of_it'), 'create')).toBe(1);
    expect(await attempts(refusal(429, 'code_of_it', 61), 'create')).toBe(1);
  });

  it('stops waiting when it is aborted', async () => {
    const leaving = new AbortController();
    const { fetch: refusing } = scripted(refusal(503, 'shutting_down', 60));
    const call = createClient({ url: server.url, fetch: refusing }).get('/api/tasks', { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 20);
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a stream', () => {
  const messages = (content: string) => ({ model: 'demo', messages: [{ role: 'user' as const, content }] });

  it('gives its events, the last of which is done', async () => {
    const client = createClient({ url: server.url });
    const events = await allOf(client.stream('/api/chat/completions', messages('/reason Hm\n/say One two')));
    const texts = events.map((event) => ('content' in event ? event.content : ''));
    expect(texts.join('')).toBe('One two');
    expect(events.some((event) => 'reasoning' in event)).toBe(true);
    expect(events.at(-1)).toMatchObject({ done: true, finishReason: 'stop', model: 'demo' });
  });

  it('is begun once in a conversation, and kept there', async () => {
    const client = createClient({ url: proxy.url, headers });
    const { conversation } = await client.post('/api/chat/conversations', { body: {} });
    proxy.cuts.push(0);
    const path = { id: conversation.id };
    const body = { model: 'demo', content: '/say Hello' };
    await allOf(client.stream('/api/chat/conversations/{id}/messages', body, { path }));
    const kept = await client.get('/api/chat/conversations/{id}', { path });
    expect(kept.messages.map(({ content }) => content)).toEqual(['/say Hello', 'Hello']);
  });

  it('throws the error that it ends with, and says when it breaks off', async () => {
    const failing = createClient({ url: server.url }).stream('/api/chat/completions', messages('/say One\n/cut 500'));
    const texts: object[] = [];
    const all = async (): Promise<void> => {
      for await (const event of failing) texts.push(event);
    };
    await expect(all()).rejects.toMatchObject({ name: 'RequestError', code: expect.stringMatching(/^provider_/) });
    expect(texts).not.toEqual([]);
    proxy.cuts.push(1500);
    const broken = createClient({ url: proxy.url, headers }).stream('/api/chat/completions', messages('/stream 200 5'));
    await expect(allOf(broken)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('refuses what is wrong before it begins', async () => {
    const refused = createClient({ url: server.url }).stream('/api/chat/completions', { messages: [] });
    await expect(refused.next()).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
  });
});
