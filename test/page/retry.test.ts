import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, idOf, say, stored } from './chat.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';

/** A vendor that refuses the key until it is told not to. */
let vendor: Server;
let isRefusing = true;
let rig: Rig;
let server: TestServer;

describe.skipIf(!BROWSER)('a turn that fails', () => {
  beforeAll(async () => {
    vendor = createServer((request, response) => {
      request.resume();
      if (isRefusing) {
        response.writeHead(401, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message: 'Incorrect API key provided' } }));
        return;
      }
      const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
      const choice = (delta: object, finish_reason: string | null) => ({ index: 0, delta, finish_reason });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const one of [choice({ role: 'assistant', content: 'Now it works' }, null), choice({}, 'stop')])
        response.write(`data: ${JSON.stringify({ ...chunk, choices: [one] })}\n\n`);
      response.end('data: [DONE]\n\n');
    });
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`;
    const environment = { GROQ_API_KEY: 'gsk_1', GROQ_BASE_URL: url };
    [rig, server] = await Promise.all([startRig(), startTestServer(environment)]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
    vendor?.closeAllConnections();
    vendor?.close();
  });

  it('says why, leads to the settings, and is tried again', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, 'Does it work?');
    const note = page.getByRole('log').getByRole('alert');
    await note.getByText(/Incorrect API key provided/).waitFor();
    await note.getByRole('link', { name: 'Open the settings' }).waitFor();
    await note.getByRole('button', { name: 'Retry' }).click();
    // Nothing has changed, so it fails in the same way, and is said once.
    await expect.poll(async () => (await server.call('/api/chat/runs')).body.runs.length).toBe(2);
    await note.getByRole('button', { name: 'Retry' }).waitFor();
    isRefusing = false;
    await note.getByRole('button', { name: 'Retry' }).click();
    await answers(page).getByText('Now it works').waitFor();
    await note.waitFor({ state: 'detached' });
    expect(await page.getByRole('article', { name: 'You' }).count()).toBe(1);
    const messages = await stored(server, await idOf(page));
    expect(messages.map(({ role, status }) => `${role} ${status}`)).toEqual(['user complete', 'assistant complete']);
    open.expectClean(/502|401/);
  });
});
