import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { idFrom, newToken } from '../../src/core/ids.ts';
import { fingerprintOf } from '../../src/http/idempotency-key.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { databaseNow } from '../../src/storage/dialect.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { expectError, says } from './helpers.ts';
import { keyed, newKey, REPLAYED } from './keyed.ts';

const COMPLETIONS = '/api/chat/completions';
const TASK = { title: 'T', prompt: 'P' };
const SLOWLY = says('Hi', { model: 'xai/some-model' });

/** A provider that answers when it is told to. */
let slow: Server;
const asked: ServerResponse[] = [];
let server: TestServer;
let database: Database;

beforeAll(async () => {
  slow = createServer((request, response) => request.on('end', () => asked.push(response)).resume());
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const { port } = slow.address() as AddressInfo;
  server = await startTestServer({ XAI_BASE_URL: `http://127.0.0.1:${port}`, XAI_API_KEY: 'k' });
  database = await openDatabase({ file: join(server.home, 'profclaw.db') });
});
beforeEach(() => {
  asked.length = 0;
});
afterEach(() => vi.useRealTimers());
afterAll(async () => {
  await database.close();
  await server.stop();
  slow.closeAllConnections();
  slow.close();
});

const post = (key: string, path: string, body: unknown, more?: RequestInit, to = server) =>
  to.call(path, undefined, keyed(key, body, more));

const count = async (path: string): Promise<number> => (await server.call(path)).body.total;

/** Answers the next call that the slow provider has been asked. */
async function answerSlow(words: string, status = 200): Promise<void> {
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  const answer = {
    choices: [{ message: { role: 'assistant', content: words }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
  const body = status === 200 ? answer : { error: { message: words } };
  asked.shift()!.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const inMs = (ms: number) => sql<number>`${databaseNow(database.db)} + ${ms}`;

/** What a process leaves that died, or has not ended yet, while it made a task. */
async function foreignRow(key: string, ms: number): Promise<string> {
  const token = newToken();
  const row = { owner: 'local', route: 'POST /api/tasks', key, fingerprint: fingerprintOf({}, TASK), token };
  await database.db
    .insertInto('idempotency_keys')
    .values({ ...row, node: 'another', expires_at: inMs(ms) })
    .execute();
  return token;
}

describe('a request whose first one is still running', () => {
  it('waits for its answer', async () => {
    const key = newKey();
    const first = post(key, COMPLETIONS, SLOWLY);
    await expect.poll(() => asked.length).toBe(1);
    const others = Array.from({ length: 5 }, () => post(key, COMPLETIONS, SLOWLY));
    await answerSlow('once');
    const { body } = await first;
    expect(body.message.content).toBe('once');
    for (const other of await Promise.all(others)) {
      expect([other.status, other.headers.get(REPLAYED), other.body]).toEqual([200, 'true', body]);
    }
    expect(asked).toHaveLength(0);
  });

  it('is refused if it is another one, now and after a failure', async () => {
    const key = newKey();
    const first = post(key, COMPLETIONS, SLOWLY);
    await expect.poll(() => asked.length).toBe(1);
    const other = says('Ho', { model: 'demo' });
    expectError(await post(key, COMPLETIONS, other), 422, 'idempotency_mismatch');
    await answerSlow('no', 400);
    expect((await first).status).toBe(400);
    expectError(await post(key, COMPLETIONS, other), 422, 'idempotency_mismatch');
  });

  it('is told so when it has waited long enough', async () => {
    const key = newKey();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    await foreignRow(key, 600_000);
    let answered = false;
    const waiting = post(key, '/api/tasks', TASK).finally(() => {
      answered = true;
    });
    for (let waited = 0; waited < 59_000; waited += 500) {
      await untilTimer();
      expect(answered).toBe(false);
      vi.advanceTimersByTime(500);
    }
    while (!answered) {
      vi.advanceTimersByTime(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const refused = await waiting;
    expectError(refused, 409, 'conflict', /still running/);
    expect(refused.headers.get('retry-after')).toBe('5');
  });

  /** The server waits again. */
  async function untilTimer(): Promise<void> {
    while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  it('gets the answer when it runs in another process', async () => {
    const key = newKey();
    await foreignRow(key, 600_000);
    const waiting = post(key, '/api/tasks', TASK);
    await database.db
      .updateTable('idempotency_keys')
      .set({ status: 201, content_type: 'application/json', answer: '{"theirs":1}' })
      .where('key', '=', key)
      .execute();
    const { status, headers, body } = await waiting;
    expect([status, headers.get(REPLAYED), headers.get('content-type')]).toEqual([201, 'true', 'application/json']);
    expect(body).toEqual({ theirs: 1 });
  });

  it('goes on in its place when it fails', async () => {
    const key = newKey();
    const first = post(key, COMPLETIONS, SLOWLY);
    await expect.poll(() => asked.length).toBe(1);
    const second = post(key, COMPLETIONS, SLOWLY);
    await answerSlow('no', 400);
    expectError(await first, 400, 'provider_rejected');
    await answerSlow('yes');
    const { status, headers, body } = await second;
    expect([status, headers.get(REPLAYED), body.message.content]).toEqual([200, null, 'yes']);
  });

  it('goes on in its place when its caller leaves', async () => {
    const key = newKey();
    const caller = new AbortController();
    const first = post(key, COMPLETIONS, SLOWLY, { signal: caller.signal }).catch(() => 'left');
    await expect.poll(() => asked.length).toBe(1);
    const second = post(key, COMPLETIONS, SLOWLY);
    caller.abort();
    expect(await first).toBe('left');
    asked.shift();
    await answerSlow('yes');
    expect(await second).toMatchObject({ status: 200, body: { message: { content: 'yes' } } });
  });
});

describe('the death of the process that had the key', () => {
  it('lets the next try take it over, under the id that the first one meant', async () => {
    const key = newKey();
    const token = await foreignRow(key, -1);
    const { status, headers, body } = await post(key, '/api/tasks', TASK);
    expect([status, headers.get(REPLAYED), body.task.id]).toEqual([201, null, idFrom('task', token)]);
    expect((await post(key, '/api/tasks', TASK)).headers.get(REPLAYED)).toBe('true');
  });

  it.each([
    ['/api/tasks', 'task', TASK],
    ['/api/tickets', 'ticket', { title: 'T' }],
    ['/api/chat/presets', 'preset', { name: 'N', systemPrompt: 'S' }],
  ])('%s: what it made before it died is not made again', async (path, one, body) => {
    const key = newKey();
    const first = await post(key, path, body);
    await database.db
      .updateTable('idempotency_keys')
      .set({ status: null, content_type: null, answer: null, node: 'dead', expires_at: inMs(-1) })
      .where('key', '=', key)
      .execute();
    const total = await count(path);
    const again = await Promise.all(Array.from({ length: 5 }, () => post(key, path, body)));
    for (const answer of again) expect(answer.body).toEqual(first.body);
    expect(again.filter(({ headers }) => !headers.has(REPLAYED))).toHaveLength(1);
    expect(await count(path)).toBe(total);
    if (one !== 'ticket') return;
    const next = (await server.call(path, body)).body.ticket.key;
    expect(Number(next.slice(3))).toBe(Number(first.body.ticket.key.slice(3)) + 1);
  });
});

describe('two servers on one file', () => {
  it('make one task of twenty requests with one key', async () => {
    const second = await startTestServer({}, server.home);
    const total = await count('/api/tasks');
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => post(key, '/api/tasks', TASK, {}, i % 2 === 0 ? server : second)),
    );
    const first = answers.filter(({ headers }) => !headers.has(REPLAYED));
    expect(first).toHaveLength(1);
    for (const { status, body } of answers) expect([status, body]).toEqual([201, (first[0] as Json).body]);
    expect(await count('/api/tasks')).toBe(total + 1);
    await second.stop();
  });
});
