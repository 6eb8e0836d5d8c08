import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_PRINCIPAL } from '../../src/auth/principal.ts';
import { cancelCall, cancellable } from '../../src/compat/mcp-cancellation.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** A vendor whose answers begin and never end; `left` says when one of them is left. */
let left = Promise.withResolvers<void>();
const vendor = createServer((_request, response) => {
  response.on('close', () => left.resolve());
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const message = { id: 'm', type: 'message', role: 'assistant', content: [], model: 'm', usage: { input_tokens: 1 } };
  for (const event of [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Begun' } },
  ])
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
});

let server: TestServer;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const { port } = vendor.address() as AddressInfo;
  server = await startTestServer({ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` });
});
afterAll(async () => {
  for (const client of open) await client.close();
  await server.stop();
  vendor.close();
});

async function older(): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', server.url));
  // Its optional fields are typed for a compiler with other settings.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  open.push(client);
  return client;
}

async function modern(): Promise<ModernClient> {
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(new URL('/mcp', server.url)));
  open.push(client);
  return client;
}

describe('who leaves in the middle', () => {
  it.for(['cancels (newer client)', 'cancels (older client)', 'closes (older client)'])(
    '%s, and the model is stopped',
    async (how) => {
      left = Promise.withResolvers();
      const said = Promise.withResolvers<void>();
      const onprogress = (): void => said.resolve();
      const wanted = { name: 'ask', arguments: { prompt: 'x', model: 'anthropic/claude-sonnet-4-5' } };
      const aborting = new AbortController();
      const { signal } = aborting;
      const client = how.includes('newer') ? await modern() : await older();
      const call =
        client instanceof ModernClient
          ? client.callTool(wanted, { onprogress, signal })
          : client.callTool(wanted, undefined, { onprogress, signal });
      const failed = expect(call).rejects.toThrow();
      await said.promise;
      if (how.startsWith('cancels')) aborting.abort();
      else await client.close();
      await failed;
      await left.promise;
    },
  );

  it('cancels no call of another older client, though both count from 0', async () => {
    const [one, other] = [await older(), await older()];
    const begin = (client: Client, prompt: string, signal?: AbortSignal) => {
      const said = Promise.withResolvers<void>();
      const wanted = { name: 'ask', arguments: { prompt, model: 'demo' } };
      const options = { onprogress: () => said.resolve(), ...(signal ? { signal } : {}) };
      return { begun: said.promise, result: client.callTool(wanted, undefined, options) };
    };
    const aborting = new AbortController();
    const stalled = begin(one, '/say Begun\n/stall', aborting.signal);
    const failed = expect(stalled.result).rejects.toThrow();
    await stalled.begun;
    const slow = begin(other, '/say One two three four five\n/stream 5 100');
    await slow.begun;
    aborting.abort();
    await failed;
    expect(await slow.result).toMatchObject({ structuredContent: { answer: 'One two three four five' } });
  });

  it.for([
    [{}, true],
    [{ owner: 'usr_2' }, false],
    [{ principal: { ...LOCAL_PRINCIPAL, credential: 'key_2' } }, false],
    [{ headers: { 'mcp-session-id': 'another' } }, false],
    [{ headers: {} }, false],
  ] as const)('is found by who it is, session and id: %o %s', async ([other, isFound]) => {
    const request = { owner: 'usr_1', principal: LOCAL_PRINCIPAL, headers: { 'mcp-session-id': 'one' } };
    const controller = new AbortController();
    const message = { method: 'notifications/cancelled', params: { requestId: 1 } };
    await cancellable({ request, id: 1, controller }, () => {
      cancelCall(request, { method: 'notifications/cancelled', params: { requestId: '1' } });
      cancelCall(request, { ...message, method: 'notifications/initialized' });
      expect(controller.signal.aborted).toBe(false);
      cancelCall({ ...request, ...other }, message);
    });
    expect(controller.signal.aborted).toBe(isFound);
  });
});
