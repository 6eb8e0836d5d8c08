import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';

let server: TestServer;
let client: OpenAI;

beforeAll(async () => {
  server = await startTestServer();
  const scopes = ['chat', 'conversations:read'];
  const apiKey = (await server.call('/api/keys', { name: 'conversations', scopes })).body.secret as string;
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
});
afterAll(async () => {
  await server.stop();
});

it('a conversation is made, has responses for turns, is listed, changed and deleted', async () => {
  const made = await client.conversations.create({
    metadata: { topic: 'x' },
    items: [
      { type: 'message', role: 'developer', content: 'Be kind' },
      { type: 'message', role: 'user', content: 'Before' },
    ],
  });
  expect(made).toMatchObject({ object: 'conversation', metadata: { topic: 'x' }, created_at: expect.any(Number) });
  const answer = await client.responses.create({ model: 'demo', input: '/say Hello', conversation: made.id });
  expect(answer).toMatchObject({ output_text: 'Hello', conversation: { id: made.id } });
  const items: Json[] = [];
  for await (const item of client.conversations.items.list(made.id, { limit: 1, order: 'asc' })) items.push(item);
  expect(items.map(({ role, content }) => [role, content[0].text])).toEqual([
    ['user', 'Before'],
    ['user', '/say Hello'],
    ['assistant', 'Hello'],
  ]);
  const { body } = await server.call(`/api/chat/conversations/${made.id}`);
  expect(body.conversation).toMatchObject({ systemPrompt: 'Be kind', model: null, title: 'Before' });
  expect(await client.conversations.update(made.id, { metadata: { topic: 'y' } })).toMatchObject({ id: made.id });
  expect(await client.conversations.retrieve(made.id)).toMatchObject({ metadata: { topic: 'y' } });
  expect(await client.conversations.delete(made.id)).toMatchObject({ deleted: true });
  await expect(client.conversations.retrieve(made.id)).rejects.toBeInstanceOf(NotFoundError);
  await expect(client.responses.retrieve(answer.id)).rejects.toBeInstanceOf(NotFoundError);
});

it('one with calls and their outputs is taken over, and what does not fit is refused', async () => {
  const call = { type: 'function_call' as const, call_id: 'c', name: 'look', arguments: '{"a":1}' };
  const output = { type: 'function_call_output' as const, call_id: 'c', output: 'seen' };
  const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'Hi' }, call, output] });
  const { data } = await client.conversations.items.list(id, { order: 'asc' });
  expect(data.map(({ type }) => type)).toEqual(['message', 'function_call', 'function_call_output']);
  expect((await client.conversations.create()).id).toMatch(/^conv_/);
  await expect(client.conversations.create({ items: [output] })).rejects.toBeInstanceOf(BadRequestError);
});
