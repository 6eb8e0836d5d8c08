import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.ts';
import type { RunEvent } from '../../src/client/run-events.ts';
import { freePort } from '../free-port.ts';
import { type ChildServer, startChild } from '../runs/crash-rig.ts';
import { startTestServer } from '../server.ts';
import { allOf } from './all-of.ts';

let home: string;
let environment: Record<string, string>;
let server: ChildServer;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'profclaw-client-'));
  environment = { PORT: `${await freePort()}` };
  server = await startChild(environment, home);
});
afterAll(async () => {
  await server?.stop();
  rmSync(home, { recursive: true, force: true });
});

it('follows a run over a server that is killed and started again, each event once', { timeout: 60_000 }, async () => {
  const client = createClient({ url: server.url });
  const { conversation } = await client.post('/api/chat/conversations', { body: {} });
  const content = '/say One two three four\n/stream 4 40';
  const id = await client.runs.start(conversation.id, { model: 'demo', content });
  const seen: RunEvent[] = [];
  const lost: boolean[] = [];
  const onLost = (why: Error | undefined): unknown => lost.push(why !== undefined);
  for await (const event of client.runs.follow(id, { onLost })) {
    seen.push(event);
    if (event.type !== 'content' || lost.length > 0) continue;
    if (seen.filter(({ type }) => type === 'content').length > 1) continue;
    await server.stop();
    server = await startChild(environment, home);
  }
  expect(lost).toContain(true);
  expect(lost.at(-1)).toBe(false);
  expect(seen.map((event) => event.id)).toEqual(seen.map((_, index) => index + 1));
  expect(seen.at(-1)?.type).toBe('complete');
  expect(await allOf(client.runs.follow(id))).toEqual(seen);
  expect(await allOf(client.runs.follow(id, { after: seen.length - 1 }))).toEqual(seen.slice(-1));
  expect(await client.runs.result(id)).toMatchObject({ id, status: 'completed', attempts: 2 });
});

it('starts a run once with one key, and answers what it asks', async () => {
  const own = await startTestServer();
  const client = createClient({ url: own.url });
  const { conversation } = await client.post('/api/chat/conversations', { body: {} });
  const content = '/tool write_file {"path": "n.txt", "content": "x"}\n/next\n/say Done.';
  const message = { model: 'demo', content, securityMode: 'ask' as const };
  const options = { idempotencyKey: 'one-run' };
  const id = await client.runs.start(conversation.id, message, options);
  expect(await client.runs.start(conversation.id, message, options)).toBe(id);
  let asked = 0;
  for await (const event of client.runs.follow(id)) {
    if (event.type !== 'approval:required') continue;
    asked += 1;
    await client.runs.answer(event.data, { decision: 'deny', reason: 'Not now' });
  }
  expect(asked).toBe(1);
  expect(await client.runs.result(id)).toMatchObject({ status: 'completed', conversationId: conversation.id });
  const { runs } = await client.get('/api/chat/runs');
  expect(runs.filter((run) => run.conversationId === conversation.id)).toHaveLength(1);
  await own.stop();
});

it('refuses a run that is not there, and leaves when it is told to', async () => {
  const client = createClient({ url: server.url });
  await expect(client.runs.result('run_none')).rejects.toMatchObject({ status: 404, code: 'not_found' });
  const { conversation } = await client.post('/api/chat/conversations', { body: {} });
  const id = await client.runs.start(conversation.id, { model: 'demo', content: '/say One\n/stall' });
  const leaving = new AbortController();
  const follow = async (): Promise<void> => {
    for await (const { type } of client.runs.follow(id, { signal: leaving.signal }))
      if (type === 'content') leaving.abort();
  };
  await expect(follow()).rejects.toMatchObject({ name: 'AbortError' });
  await client.post('/api/chat/runs/{id}/cancel', { path: { id }, body: {} });
  expect(await client.runs.result(id)).toMatchObject({ status: 'cancelled' });
});
