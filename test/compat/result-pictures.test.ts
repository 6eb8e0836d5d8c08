import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startUpstream, type Upstream } from '../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';

// A tool has given a picture, and its conversation goes to a model that takes none.

let upstream: Upstream;
let server: TestServer;
let client: Anthropic;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment('deepseek', 'openai', 'mistral'));
  const { body } = await server.call('/api/keys', { name: 'test', scopes: ['chat'] });
  client = new Anthropic({ baseURL: server.url, apiKey: body.secret, maxRetries: 0 });
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'aGk=' };
const ask = (model: string) =>
  client.messages
    .create({
      model,
      max_tokens: 99,
      messages: [
        { role: 'user', content: 'Look' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'look', input: {} }] },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'call_1',
              content: [
                { type: 'text', text: 'seen' },
                { type: 'image', source },
              ],
            },
          ],
        },
      ],
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
    })
    .withResponse();
const sent = (): Json => upstream.sent.at(-1)?.body;

it('deepseek is told that there was one, and the caller that it was left out', async () => {
  const { response } = await ask('deepseek/deepseek-v4-flash');
  expect(sent().messages.at(-1)).toEqual({
    role: 'tool',
    tool_call_id: 'call_1',
    content: 'seen\n[A picture was left out here: DeepSeek takes no images]',
  });
  expect(JSON.parse(response.headers.get('x-profclaw-warnings') ?? '[]')).toEqual([
    'messages: DeepSeek takes no images; left out 1 of what tools gave',
  ]);
});

it('mistral gets it behind the result, openai in it', async () => {
  const { response } = await ask('mistral/mistral-medium-latest');
  expect(response.headers.get('x-profclaw-warnings')).toBeNull();
  const [result, behind] = sent().messages.slice(-2);
  expect(result).toMatchObject({ role: 'tool', content: 'seen' });
  expect(behind.content).toMatchObject([{ type: 'text' }, { type: 'image_url' }]);
  upstream.replies.push({ json: { output: [], status: 'completed', usage: {} } });
  await ask('openai/gpt-5.5');
  expect(sent().input.at(-1)).toEqual({
    type: 'function_call_output',
    call_id: 'call_1',
    output: [
      { type: 'input_text', text: 'seen' },
      { type: 'input_image', image_url: 'data:image/png;base64,aGk=' },
    ],
  });
});
