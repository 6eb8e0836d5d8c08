import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestServer } from '../server.ts';
import { startVendor, type Vendor } from './rig.ts';

const home = mkdtempSync(join(tmpdir(), 'profclaw-compaction-'));
let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor({ 'gpt-4o': { listed: 2000, window: 2000 } });
});
afterAll(async () => {
  await vendor.stop();
  rmSync(home, { recursive: true, force: true });
});

it('a stop in the middle of a summary leaves the history as it was: nothing is shortened for want of one', async () => {
  const environment = { ...vendor.environment, PROFCLAW_STOP_TIMEOUT: '1' };
  vendor.summarise = () => 'STALL';
  const first = await startTestServer(environment, home);
  await first.call('/api/chat/providers/openai/models?refresh=true');
  const { body: imported } = await first.call('/api/chat/conversations/import', {
    conversation: { model: 'openai/gpt-4o' },
    messages: Array.from({ length: 20 }, (_, n) => ({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `${n} `.padEnd(600, 'x'),
    })),
  });
  const path = `/api/chat/conversations/${imported.conversation.id}`;
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
