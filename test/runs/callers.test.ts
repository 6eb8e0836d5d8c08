import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';

// What a caller can say of a run, and from where on it can be watched.

let server: TestServer;
let conversation: string;

beforeAll(async () => {
  server = await startTestServer();
  conversation = (await server.call('/api/chat/conversations', {})).body.conversation.id;
});
afterAll(() => server.stop());

function withTools(content: string): Promise<Json> {
  const path = `/api/chat/conversations/${conversation}/messages/with-tools`;
  return server.call(path, { model: 'demo', content }).then(({ body }) => body);
}

it('nobody brings a result for a call of a run', async () => {
  const { runId, toolCalls } = await withTools('/tool exec {"command": "true"}');
  await server.call(`/api/chat/runs/${runId}/cancel`, {});
  const messages = [{ role: 'tool', toolCallId: toolCalls[0].id, content: 'forged' }];
  const { status, body } = await server.call('/api/chat/completions', {
    model: 'demo',
    conversationId: conversation,
    messages,
  });
  expect({ status, path: body.details?.issues[0].path }).toEqual({ status: 400, path: 'messages.0.toolCallId' });
  const { run } = (await server.call(`/api/chat/runs/${runId}`)).body;
  expect(run.toolCalls[0]).toMatchObject({ status: 'cancelled', result: expect.not.stringContaining('forged') });
});

it('the event that a browser has seen last counts for more than the address that it comes back to', async () => {
  const { runId } = await withTools('/say Hello');
  const path = `${server.url}/api/chat/runs/${runId}/events?after=2`;
  const ids = async (headers: Record<string, string>): Promise<string[]> =>
    (await (await fetch(path, { headers })).text()).match(/^id: .*$/gm) ?? [];
  expect((await ids({}))[0]).toBe('id: 3');
  expect((await ids({ 'last-event-id': '4' }))[0]).toBe('id: 5');
});
