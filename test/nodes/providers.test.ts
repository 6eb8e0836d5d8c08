import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';

let postgres: PostgresServer;
let nodes: TestServer[];

beforeAll(async () => {
  postgres = await startPostgres();
  const environment = { DATABASE_URL: await postgres.newDatabase(), PROFCLAW_SECRET_KEY: 'ab'.repeat(32) };
  nodes = [await startTestServer(environment), await startTestServer(environment)];
});

afterAll(async () => {
  for (const node of nodes) await node.stop();
  await postgres.stop();
});

/** What a node knows of Groq, and its default provider. */
async function known(node: TestServer): Promise<{ isConfigured: boolean; default: string }> {
  const { body } = await node.call('/api/chat/providers');
  const groq = body.providers.find(({ type }: { type: string }) => type === 'groq');
  return { isConfigured: groq.configured, default: body.default };
}

it('what is configured, made the default and removed at one node is so at the others', async () => {
  const [a, b] = nodes as [TestServer, TestServer];
  await a.call('/api/chat/providers/groq/configure', { apiKey: 'gsk_something', defaultModel: 'some-model' });
  await expect.poll(() => known(b)).toEqual({ isConfigured: true, default: 'groq' });
  await b.call('/api/chat/providers/default', { provider: 'demo' });
  await expect.poll(() => known(a)).toEqual({ isConfigured: true, default: 'demo' });
  await b.call('/api/chat/providers/groq', undefined, { method: 'DELETE' });
  await expect.poll(() => known(a)).toEqual({ isConfigured: false, default: 'demo' });
});
