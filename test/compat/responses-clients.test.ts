import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage } from '@langchain/core/messages';
import { tool as chainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, tool as agentTool, OpenAIResponsesModel, run, setTracingDisabled } from '@openai/agents';
import { generateText, type ModelMessage, tool as sdkTool, stepCountIs, streamText } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Json, startTestServer, type TestServer } from '../server.ts';

// Clients as they come, in their default mode: everything is kept.

let server: TestServer;
let apiKey: string;
let baseURL: string;
let client: OpenAI;

beforeAll(async () => {
  server = await startTestServer();
  apiKey = (await server.call('/api/keys', { name: 'clients', scopes: ['chat', 'conversations:read'] })).body.secret;
  baseURL = `${server.url}/v1`;
  client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
});
afterAll(async () => {
  await server.stop();
});

const TWO = '/reason Where\n/tool weather {"city":"Rome"}\n/tool weather {"city":"Oslo"}\n/next\n/say Sunny there';
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABXvMqOgAAAABJRU5ErkJggg==';
const city = z.object({ city: z.string() });

async function conversations(): Promise<Json[]> {
  return (await server.call('/api/chat/conversations')).body.conversations;
}

async function added(work: () => Promise<unknown>): Promise<Json[]> {
  const before = (await conversations()).map(({ id }) => id);
  await work();
  return (await conversations()).filter(({ id }) => !before.includes(id));
}

describe('the client of OpenAI', () => {
  const weather = { type: 'function' as const, name: 'weather', parameters: {}, strict: false };

  it('streams from one response to the next, with several calls at once', async () => {
    const fields = { model: 'demo', tools: [weather] };
    const first = await client.responses.stream({ ...fields, input: TWO }).finalResponse();
    const calls = first.output.filter((item) => item.type === 'function_call');
    expect(calls.map(({ arguments: given }) => given)).toEqual(['{"city":"Rome"}', '{"city":"Oslo"}']);
    const input = calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: 'sun' }));
    const next = client.responses.stream({ ...fields, input, previous_response_id: first.id });
    const second = await next.finalResponse();
    expect(second.output_text).toBe('Sunny there');
    expect(second.conversation).toEqual(first.conversation);
  });

  it('asks for one in the background until it has ended', async () => {
    let response = await client.responses.create({ model: 'demo', input: '/stream 3 20', background: true });
    while (response.status === 'queued' || response.status === 'in_progress')
      response = await client.responses.retrieve(response.id);
    expect(response).toMatchObject({ status: 'completed', error: null });
  });

  it('takes up a stream that it has from an id', async () => {
    const { id } = await client.responses.create({ model: 'demo', input: '/stream 3 20', background: true });
    const final = await client.responses.stream({ response_id: id }).finalResponse();
    expect(final).toMatchObject({ id, status: 'completed' });
    expect(final.output_text).not.toBe('');
  });
});

describe('the AI SDK', () => {
  const tools = { weather: sdkTool({ inputSchema: city, execute: ({ city: where }) => `sun in ${where}` }) };
  const model = () => createOpenAI({ baseURL, apiKey })('demo');

  it('streams several calls at once, reasoning and a picture as one conversation', async () => {
    const messages: ModelMessage[] = [
      {
        role: 'user',
        content: [
          { type: 'text', text: TWO },
          { type: 'file', data: PICTURE, mediaType: 'image/png' },
        ],
      },
    ];
    const made = await added(async () => {
      const result = streamText({ model: model(), system: 'Be kind', messages, tools, stopWhen: stepCountIs(4) });
      let said = '';
      for await (const piece of result.textStream) said += piece;
      expect(said).toBe('Sunny there');
      const [step] = await result.steps;
      expect(step?.reasoningText).toBe('Where');
      expect(step?.toolResults.map(({ output }) => output)).toEqual(['sun in Rome', 'sun in Oslo']);
      messages.push(...(await result.responseMessages), { role: 'user', content: '/say Bye' });
      expect((await generateText({ model: model(), system: 'Be kind', messages, tools })).text).toBe('Bye');
    });
    expect(made).toMatchObject([{ messageCount: 5 }]);
  });

  it('goes on from a response, and in a conversation', async () => {
    const first = await generateText({ model: model(), prompt: '/say one' });
    const { responseId } = first.providerMetadata?.openai ?? {};
    const kept = await client.responses.retrieve(responseId as string);
    const ask = async (openai: Record<string, string>): Promise<string> => {
      const { providerMetadata } = await generateText({
        model: model(),
        prompt: '/say two',
        providerOptions: { openai },
      });
      const { conversation } = await client.responses.retrieve(providerMetadata?.openai?.responseId as string);
      return conversation?.id ?? '';
    };
    const id = kept.conversation?.id ?? '';
    expect(await ask({ previousResponseId: kept.id })).toBe(id);
    expect(await ask({ conversation: id })).toBe(id);
  });
});

it('OpenAI’s agents go on in a conversation', async () => {
  setTracingDisabled(true);
  // Its types are those of an older client.
  const model = new OpenAIResponsesModel(client as never, 'demo');
  const weather = agentTool({
    name: 'weather',
    description: 'The weather of a city',
    parameters: city,
    execute: ({ city: where }) => `sun in ${where}`,
  });
  const agent = new Agent({ name: 'Guide', model, tools: [weather] });
  const { conversation } = (await server.call('/api/chat/conversations', {})).body;
  const made = await added(async () => {
    const first = await run(agent, TWO, { conversationId: conversation.id });
    expect(first.finalOutput).toBe('Sunny there');
    const second = await run(agent, '/say Bye', { conversationId: conversation.id, stream: true });
    await second.completed;
    expect(second.finalOutput).toBe('Bye');
  });
  expect(made).toEqual([]);
  expect((await server.call(`/api/chat/conversations/${conversation.id}`)).body.messages).toHaveLength(5);
});

it('LangChain calls tools, and goes on from the response before', async () => {
  const chat = new ChatOpenAI({ model: 'demo', apiKey, configuration: { baseURL }, useResponsesApi: true });
  const weather = chainTool(({ city: where }) => `sun in ${where}`, {
    name: 'weather',
    description: 'It',
    schema: city,
  });
  const bound = chat.bindTools([weather]);
  const asked = new HumanMessage(TWO);
  const made = await added(async () => {
    const first = await bound.invoke([asked]);
    expect(first.tool_calls?.map(({ args }) => args)).toEqual([{ city: 'Rome' }, { city: 'Oslo' }]);
    const outputs = await Promise.all(
      (first.tool_calls ?? []).map((call) => weather.invoke({ ...call, type: 'tool_call' })),
    );
    const all = await bound.invoke([asked, first, ...outputs]);
    expect(all.text).toBe('Sunny there');
    const next = await bound.invoke([new HumanMessage('/say Bye')], {
      previous_response_id: all.response_metadata.id as string,
    });
    expect(next.text).toBe('Bye');
  });
  expect(made).toMatchObject([{ messageCount: 5 }]);
});
