import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
