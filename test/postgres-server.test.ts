import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Idempotency } from '../src/http/idempotency.ts';
import { Page } from '../src/http/page.ts';
import { openDatabase } from '../src/storage/database.ts';
import { startTestServer, type TestServer } from './server.ts';
import { type PostgresServer, startPostgres } from './storage/embedded-postgres.ts';

// With DATABASE_URL all state is in PostgreSQL: two servers with one secret key are one to their users.

describe('servers on PostgreSQL', () => {
  let postgres: PostgresServer;
  let environment: Record<string, string>;
  let first: TestServer;
  let second: TestServer;

  beforeAll(async () => {
    postgres = await startPostgres();
    environment = { DATABASE_URL: await postgres.newDatabase(), PROFCLAW_SECRET_KEY: 'ab'.repeat(32) };
    // Both at once on an empty database: one migrates, the other waits.
    [first, second] = await Promise.all([startTestServer(environment), startTestServer(environment)]);
  });

  afterAll(async () => {
    await first.stop();
    await second.stop();
    await postgres.stop();
  });

  it('keeps nothing in the home folder', () => {
    expect(existsSync(join(first.home, 'profclaw.db'))).toBe(false);
  });

  it('shows on one what was created on the other', async () => {
    const { body: created } = await first.call('/api/tasks', { title: 'Ümläut ☃', prompt: 'P', labels: ['a'] });
    const { status, body } = await second.call(`/api/tasks/${created.task.id}`);
    expect(status).toBe(200);
    expect(body).toEqual(created);
    const { body: ticket } = await first.call('/api/tickets', { title: 'T' });
    const { body: next } = await second.call('/api/tickets', { title: 'T' });
    expect([ticket.ticket.key, next.ticket.key]).toEqual(['PC-1', 'PC-2']);
  });

  it('makes one ticket of twenty requests with one idempotency key', async () => {
    const ticket = (server: TestServer, headers: Record<string, string>) =>
      server.call('/api/tickets', { title: 'once' }, { headers: { 'content-type': 'application/json', ...headers } });
    const before = Number((await ticket(first, {})).body.ticket.key.slice(3));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ticket(i % 2 === 0 ? first : second, { 'idempotency-key': 'k' })),
    );
    for (const { status, body } of answers) {
      expect([status, body.ticket.key, body]).toEqual([201, `PC-${before + 1}`, answers[0]?.body]);
    }
    expect(answers.filter(({ headers }) => !headers.has('idempotency-replayed'))).toHaveLength(1);
    expect((await ticket(second, {})).body.ticket.key).toBe(`PC-${before + 2}`);
  });

  it('takes an idempotency key on a path of any length', async () => {
    const database = await openDatabase({ databaseUrl: environment.DATABASE_URL });
    const idempotency = new Idempotency(database.db, pino({ level: 'silent' }));
    const route = `POST /${randomBytes(4000).toString('hex')}`;
    const made = [];
    for (const at of [route, `${route}0`, route]) {
      const request = { owner: 'local', route: at, key: 'k', fingerprint: 'f' };
      made.push(
        await idempotency.answer(request, new AbortController().signal, () =>
          Promise.resolve(new Page(at, { 'content-type': 'text/plain' })),
        ),
      );
    }
    expect(made.map((page) => page instanceof Page && [page.text, page.headers['idempotency-replayed']])).toEqual([
      [route, undefined],
      [`${route}0`, undefined],
      [route, 'true'],
    ]);
    await database.close();
  });

  it('keeps every one of the changes that come at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const changes = [{ apiKey: 'k' }, { defaultModel: 'm' }, { organization: 'o' }, { headers: { 'x-a': 'b' } }];
      await Promise.all(changes.map((change) => first.call('/api/chat/providers/fireworks/configure', change)));
      const { providers } = (await first.call('/api/chat/providers')).body;
      const status = providers.find((provider: { type: string }) => provider.type === 'fireworks');
      expect([status.configured, status.defaultModel]).toEqual([true, 'm']);
      await first.call('/api/chat/providers/fireworks', undefined, { method: 'DELETE' });
    }
  });

  it('takes its provider settings and default from it after a restart', async () => {
    const set = { apiKey: 'sk-stored', baseUrl: 'http://127.0.0.1:9/v1', defaultModel: 'some-model' };
    expect((await first.call('/api/chat/providers/groq/configure', set)).status).toBe(200);
    expect((await first.call('/api/chat/providers/default', { provider: 'groq' })).status).toBe(200);
    const third = await startTestServer(environment);
    const { body } = await third.call('/api/chat/providers');
    await third.stop();
    expect([body.default, body.defaultModel]).toEqual(['groq', 'some-model']);
  });
});
