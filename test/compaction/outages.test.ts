import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { SUMMARY, startVendor, type Vendor } from './rig.ts';

const home = mkdtempSync(join(tmpdir(), 'profclaw-compaction-'));
let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor({
    'gpt-4o': { listed: 2000, window: 2000 },
    large: { window: 1_000_000 },
  });
});
afterAll(async () => {
  await vendor.stop();
  rmSync(home, { recursive: true, force: true });
});

/** A conversation that does not fit its model, without a summary; gives its path. */
async function tooLong(server: TestServer): Promise<string> {
  await server.call('/api/chat/providers/openai/models?refresh=true');
  const { body } = await server.call('/api/chat/conversations/import', {
    conversation: { model: 'openai/gpt-4o' },
    messages: Array.from({ length: 20 }, (_, n) => ({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `${n} `.padEnd(600, 'x'),
    })),
  });
  return `/api/chat/conversations/${body.conversation.id}`;
}

const UNTOUCHED = { compactions: [], coveredSeq: 0, liveMessages: 20 };

it('a provider that is out of order fails the turn, and the history waits for a summary', async () => {
  const server = await startTestServer(vendor.environment);
  vendor.summarise = () => 'BROKEN';
  const path = await tooLong(server);
  expectError(await server.call(`${path}/messages`, { content: 'What now?' }), 502, 'provider_unavailable');
  expect((await server.call(`${path}/memory`)).body).toMatchObject(UNTOUCHED);
  vendor.reset();
  const retry = await server.call(`${path}/retry`, {});
  expect(retry.body.compaction).toMatchObject({ summary: SUMMARY });
  await server.stop();
  vendor.reset();
});

it('pictures are bounded by their bytes: what cannot be read at once is left out, and said to be', async () => {
  const server = await startTestServer(vendor.environment);
  const { body } = await server.call('/api/chat/conversations', { model: 'openai/large' });
  const path = `/api/chat/conversations/${body.conversation.id}`;
  const image = `data:image/png;base64,${'A'.repeat(7_000_000)}`;
  const reports: unknown[] = [];
  for (let n = 0; n < 8; n++) {
    const { status, body: answer } = await server.call(`${path}/messages`, { content: [{ type: 'image', image }] });
    expect(status).toBe(200);
    reports.push(answer.compaction);
  }
  expect(Math.max(...vendor.calls.map(({ text }) => text.length))).toBeLessThan(50_000_000);
  expect(reports.filter(Boolean)).not.toEqual([]);
  expect((await server.call(`${path}`)).body.conversation.messageCount).toBe(16);
  await server.stop();
  vendor.reset();
  // Hundreds of megabytes go through, on machines that have other work.
}, 120_000);

it('a stop in the middle of a summary leaves the history as it was: nothing is shortened for want of one', async () => {
  const environment = { ...vendor.environment, PROFCLAW_STOP_TIMEOUT: '1' };
  vendor.summarise = () => 'STALL';
  const first = await startTestServer(environment, home);
  const path = await tooLong(first);
  const answer = first.call(`${path}/messages`, { content: 'What now?' }).catch(() => undefined);
  await vi.waitUntil(() => vendor.calls.length === 1, 20_000);
  await first.stop();
  await answer;

  vendor.reset();
  const second = await startTestServer(environment, home);
  expect((await second.call(`${path}/memory`)).body).toMatchObject({
    compactions: [],
    coveredSeq: 0,
    liveMessages: 20,
  });
  expect((await second.call(path)).body.messages.at(-1)).toMatchObject({ status: 'failed' });
  await second.stop();
});
