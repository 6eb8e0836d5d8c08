import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, method, raw, says } from './helpers.ts';
import { keyed, newKey, REPLAYED } from './keyed.ts';
import { openAiDeltas, openAiStream, sse, startUpstream, type Upstream } from './upstream.ts';

const COMPLETIONS = '/api/chat/completions';
const MODEL = 'groq/some-model';
const TASK = { title: 'T', prompt: 'P' };

let upstream: Upstream;
let server: TestServer;
let database: Database;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment('groq'));
  database = await openDatabase({ file: join(server.home, 'profclaw.db') });
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await database.close();
  await server.stop();
  await upstream.stop();
});

const post = (key: string, path: string, body: unknown, more?: RequestInit) =>
  server.call(path, undefined, keyed(key, body, more));

const count = async (path: string): Promise<number> => (await server.call(path)).body.total;

const rowOf = (key: string) =>
  database.db.selectFrom('idempotency_keys').selectAll().where('key', '=', key).executeTakeFirst();

describe('the same request with the same Idempotency-Key', () => {
  it.each([
    ['/api/tasks', 'task', TASK],
    ['/api/tickets', 'ticket', { title: 'T' }],
    ['/api/chat/presets', 'preset', { name: 'N', systemPrompt: 'S' }],
  ])('%s: gets the first answer, and makes nothing again', async (path, one, body) => {
    const key = newKey();
    const first = await post(key, path, body);
    const total = await count(path);
    const second = await post(key, path, body);
    expect(first.status).toBe(201);
    expect(first.headers.has(REPLAYED)).toBe(false);
    expect(first.body[one].id).toMatch(new RegExp(`^${one}_[0-9a-hjkmnp-tv-z]{24}$`));
    expect([second.status, second.headers.get(REPLAYED)]).toEqual([201, 'true']);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(second.headers.get('x-content-type-options')).toBe('nosniff');
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(await count(path)).toBe(total);
    expect((await post(newKey(), path, body)).body[one].id).not.toBe(first.body[one].id);
    expect(await count(path)).toBe(total + 1);
  });

  it.each([
    [COMPLETIONS, says('Hi', { model: MODEL })],
    ['/api/chat/quick', { prompt: 'Hi', model: MODEL }],
    ['/api/chat/smart', says('Hi', { model: MODEL })],
  ])('%s: is asked of the provider once', async (path, body) => {
    const key = newKey();
    const first = await post(key, path, body);
    const second = await post(key, path, body);
    expect([first.status, second.status, second.headers.get(REPLAYED)]).toEqual([200, 200, 'true']);
    expect(second.body).toEqual(first.body);
    expect(upstream.sent).toHaveLength(1);
  });

  it('may differ in white space and the order of fields', async () => {
    const key = newKey();
    const { body } = await post(key, '/api/tasks', '{"title":"T","prompt":"P","labels":["a","b"]}');
    const again = await post(key, '/api/tasks', ' {"labels": ["a", "b"],\n "prompt": "P", "title": "T"}');
    expect([again.headers.get(REPLAYED), again.body]).toEqual(['true', body]);
  });

  it('keeps characters that not every database can', async () => {
    const key = newKey();
    const deltas = [{ content: 'NUL \u0000, half a pair \ud800, 🦀' }];
    const body = says('Hi', { model: MODEL });
    upstream.replies.push({ json: { choices: [{ message: deltas[0], finish_reason: 'stop' }], usage: {} } });
    const first = await post(key, COMPLETIONS, body);
    expect(first.body.message.content).toMatch(/🦀/);
    expect((await post(key, COMPLETIONS, body)).body).toEqual(first.body);
    expect(upstream.sent).toHaveLength(1);
  });
});

describe('a key', () => {
  it.each([
    ['another body', '/api/tasks', { ...TASK, title: 'U' }],
    ['another order of a list', '/api/tasks', { ...TASK, labels: ['b', 'a'] }],
    ['another query', '/api/tasks?a=1', { ...TASK, labels: ['a', 'b'] }],
  ])('stands for one request: 422 with %s', async (_, path, body) => {
    const key = newKey();
    await post(key, '/api/tasks', { ...TASK, labels: ['a', 'b'] });
    const total = await count('/api/tasks');
    expectError(await post(key, path, body), 422, 'idempotency_mismatch', key);
    expect(await count('/api/tasks')).toBe(total);
  });

  it('is another one for another path', async () => {
    const key = newKey();
    const task = await post(key, '/api/tasks', TASK);
    const ticket = await post(key, '/api/tickets', { title: 'T' });
    expect([task.status, ticket.status, ticket.headers.get(REPLAYED)]).toEqual([201, 201, null]);
  });

  it('is another one for another owner', async () => {
    const key = newKey();
    const { body } = await post(key, '/api/tasks', TASK);
    await database.db.updateTable('idempotency_keys').set({ owner: 'another' }).where('key', '=', key).execute();
    const own = await post(key, '/api/tasks', TASK);
    expect([own.status, own.headers.get(REPLAYED)]).toEqual([201, null]);
    expect(own.body.task.id).not.toBe(body.task.id);
  });

  it.each([
    ['nothing', ''],
    ['nothing in quotes', '""'],
    ['a space', 'a b'],
    ['a character that is not ASCII', 'clé'],
    ['a tab', 'a\tb'],
    ['256 characters', 'x'.repeat(256)],
  ])('is refused when it is %s', async (_, key) => {
    const total = await count('/api/tasks');
    expect(issuePaths(await post(key, '/api/tasks', TASK))).toEqual(['header.idempotency-key']);
    expect(issuePaths(await post(key, '/api/tasks', { title: 'T' }))).toEqual(['prompt', 'header.idempotency-key']);
    expect(await count('/api/tasks')).toBe(total);
  });

  it('is refused when there are two', async () => {
    const body = JSON.stringify(TASK);
    const head = [
      'POST /api/tasks HTTP/1.1',
      'host: localhost',
      'connection: close',
      'content-type: application/json',
      `content-length: ${body.length}`,
      'idempotency-key: a',
      'idempotency-key: b',
    ];
    expect(await raw(server, `${head.join('\r\n')}\r\n\r\n${body}`)).toMatch(/^HTTP\/1.1 400 /);
  });

  it.each(['x'.repeat(255), '!', '~', `'; drop table "tasks" --`.replaceAll(' ', '_'), '"', '%00'])(
    'may be %s, in quotes or not',
    async (key) => {
      const { body } = await post(key, '/api/tasks', TASK);
      const again = await post(`"${key}"`, '/api/tasks', TASK);
      expect([again.status, again.headers.get(REPLAYED), again.body]).toEqual([201, 'true', body]);
    },
  );

  it('is not taken by a request that is refused as it stands', async () => {
    const key = newKey();
    expect(issuePaths(await post(key, '/api/tasks', { title: 'T' }))).toEqual(['prompt']);
    expect(await rowOf(key)).toBeUndefined();
    expect((await post(key, '/api/tasks', TASK)).status).toBe(201);
  });

  it('means nothing to routes that make nothing', async () => {
    const { body } = await server.call('/api/tasks', TASK);
    const path = `/api/tasks/${body.task.id}`;
    for (const key of [newKey(), 'not a key']) {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      for (const title of ['one', 'two']) {
        const changed = await server.call(path, undefined, { ...method('PATCH', { title }), headers });
        expect([changed.status, changed.body.task?.title]).toEqual([200, title]);
        const read = await server.call(path, undefined, { headers });
        expect([read.status, read.body.task?.title]).toEqual([200, title]);
      }
      expect((await post(key, '/api/chat/providers/default', { provider: 'demo' })).status).toBe(200);
      expect((await post(key, '/api/chat/providers/default', { provider: 'groq' })).status).toBe(200);
      expect(await rowOf(key)).toBeUndefined();
    }
  });
});

describe('a failure', () => {
  it.each([
    ['of the provider', { status: 400, json: { error: { message: 'no' } } }, 400],
    ['of its key', { status: 401, json: { error: { message: 'no' } } }, 502],
  ])('%s is not kept: the key is free', async (_, reply, status) => {
    const key = newKey();
    const body = says('Hi', { model: MODEL });
    upstream.replies.push(reply);
    expect((await post(key, COMPLETIONS, body)).status).toBe(status);
    const second = await post(key, COMPLETIONS, body);
    expect([second.status, second.headers.get(REPLAYED)]).toEqual([200, null]);
    expect((await post(key, COMPLETIONS, body)).body).toEqual(second.body);
    expect(upstream.sent).toHaveLength(2);
  });

  it('keeps the token, so that the next try makes the same', async () => {
    const key = newKey();
    const body = { ...TASK, title: 'not storable: \u0000' };
    expect(issuePaths(await post(key, '/api/tasks', body))).toEqual(['title']);
    const failed = await rowOf(key);
    expect(failed).toMatchObject({ status: null, answer: null, node: '' });
    expect(issuePaths(await post(key, '/api/tasks', body))).toEqual(['title']);
    expect((await rowOf(key))?.token).toBe(failed?.token);
  });
});

describe('a stream with a key', () => {
  const body = says('Hi', { model: MODEL, stream: true });
  const stream = async (key: string) => {
    const response = await fetch(server.url + COMPLETIONS, keyed(key, body));
    return { headers: response.headers, status: response.status, text: await response.text() };
  };

  it('is sent as always, and again as one text', async () => {
    const key = newKey();
    upstream.replies.push({ pieces: openAiStream([{ content: 'Hel' }, { content: 'lo\u2028\n\n"' }]) });
    const first = await stream(key);
    const second = await stream(key);
    expect(first.text).toMatch(/^data: \{"content":"Hel.*\n\ndata: \{"done":true.*\n\n$/s);
    expect(first.headers.has(REPLAYED)).toBe(false);
    expect([second.status, second.headers.get(REPLAYED), second.text]).toEqual([200, 'true', first.text]);
    for (const name of ['content-type', 'cache-control', 'x-accel-buffering', 'x-content-type-options']) {
      expect([name, second.headers.get(name)]).toEqual([name, first.headers.get(name)]);
    }
    expect(second.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(upstream.sent).toHaveLength(1);
  });

  it('reaches its caller piece by piece', async () => {
    upstream.replies.push({ pieces: openAiDeltas([{ content: 'first' }]), stall: true });
    const caller = new AbortController();
    const response = await fetch(server.url + COMPLETIONS, keyed(newKey(), body, { signal: caller.signal }));
    const { value } = await response.body!.getReader().read();
    expect(new TextDecoder().decode(value)).toBe(sse({ content: 'first' }));
    caller.abort();
  });

  it.each<[string, Upstream['replies'][number]]>([
    ['fails in the middle', { pieces: openAiDeltas([{ content: 'Hel' }]), breakOff: true }],
    ['ends too soon', { pieces: openAiDeltas([{ content: 'Hel' }]) }],
  ])('is not kept when it %s', async (_, reply) => {
    const key = newKey();
    upstream.replies.push(reply);
    expect((await stream(key)).text).toMatch(/"error":/);
    const second = await stream(key);
    expect([second.headers.get(REPLAYED), second.text]).toEqual([null, expect.stringMatching(/"done":true,"id"/)]);
    expect((await stream(key)).text).toBe(second.text);
    expect(upstream.sent).toHaveLength(2);
  });

  it('is not kept when its caller leaves; the next one is let in at once', async () => {
    const key = newKey();
    upstream.replies.push({ pieces: openAiDeltas([{ content: 'Hel' }]), stall: true });
    const caller = new AbortController();
    const response = await fetch(server.url + COMPLETIONS, keyed(key, body, { signal: caller.signal }));
    await response.body!.getReader().read();
    const waiting = stream(key);
    caller.abort();
    expect((await waiting).text).toMatch(/"done":true,"id"/);
  });
});
