import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openAiAnswer, PLAIN, sse, startUpstream, type Upstream } from '../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { begin, toolCall } from './rig.ts';

// What a model is sent of the conversation that it is in: all of it, in the form of its wire.

const CLAUDE = 'anthropic/claude-sonnet-5';
const GEMINI = 'google/gemini-3.8-flash';
const GPT = 'openai/gpt-5.5';
const GROQ = 'groq/openai/gpt-oss-120b';

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment('anthropic', 'google', 'openai', 'groq', 'cohere', 'ollama'));
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

/** The body of the last call. */
const sent = (): Json => upstream.sent.at(-1)?.body;

const USAGE = { input_tokens: 10, output_tokens: 5 };
const claude = (content: object[], stop_reason = 'end_turn') => ({ json: { content, stop_reason, usage: USAGE } });
const gemini = (parts: object[]) => ({
  json: { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] },
});
const gpt = (output: object[]) => ({ json: { object: 'response', status: 'completed', output, usage: USAGE } });

const THINKING = { type: 'thinking', thinking: 'A stone?', signature: 'sig-1' };
const SEALED = { type: 'redacted_thinking', data: 'sealed' };
const WORDS = { type: 'text', text: 'A stone.' };

describe('reasoning goes back as it came, to the model that made it', () => {
  it('Anthropic’s thinking with its signatures', async () => {
    const talk = await begin(server, CLAUDE);
    upstream.replies.push(claude([THINKING, SEALED, WORDS]));
    const { body } = await talk.send('What is it?');
    expect(body.assistantMessage).toMatchObject({ content: 'A stone.', reasoning: 'A stone?' });
    await talk.send('How old?');
    expect(sent().messages.map(({ role }: Json) => role)).toEqual(['user', 'assistant', 'user']);
    expect(sent().messages[1].content.map(unmarked)).toEqual([THINKING, SEALED, WORDS]);
  });

  it('also if it came in a stream', async () => {
    const talk = await begin(server, CLAUDE);
    const events = [
      { type: 'message_start', message: { content: [], usage: USAGE } },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'A stone?' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig-1' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'A stone.' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ];
    upstream.replies.push({ pieces: events.map(sse) });
    const { last } = await talk.stream('What is it?');
    expect(last.assistantMessage).toMatchObject({ content: 'A stone.', reasoning: 'A stone?' });
    await talk.send('How old?');
    expect(sent().messages[1].content.map(unmarked)).toEqual([THINKING, WORDS]);
  });

  it('Google’s signatures', async () => {
    const talk = await begin(server, GEMINI);
    upstream.replies.push(
      gemini([
        { text: 'Hm', thought: true },
        { text: 'A stone.', thoughtSignature: 'sig-1' },
      ]),
    );
    await talk.send('What is it?');
    await talk.send('How old?');
    expect(sent().contents[1]).toEqual({ role: 'model', parts: [{ text: 'A stone.', thoughtSignature: 'sig-1' }] });
  });

  it('OpenAI’s encrypted reasoning', async () => {
    const talk = await begin(server, GPT);
    const reasoning = { type: 'reasoning', summary: [], encrypted_content: 'sealed' };
    const content = [{ type: 'output_text', text: 'A stone.', annotations: [] }];
    const message = { id: 'msg_1', type: 'message', role: 'assistant', phase: 'final_answer', content };
    upstream.replies.push(gpt([{ id: 'rs_1', ...reasoning }, message]));
    await talk.send('What is it?');
    await talk.send('How old?');
    expect(sent().input.slice(-3)).toEqual([
      reasoning,
      {
        type: 'message',
        role: 'assistant',
        phase: 'final_answer',
        content: [{ type: 'output_text', text: 'A stone.' }],
      },
      { role: 'user', content: 'How old?' },
    ]);
  });

  it('not to another model, and again to the first one', async () => {
    const talk = await begin(server, CLAUDE);
    upstream.replies.push(claude([THINKING, WORDS]));
    await talk.send('What is it?');
    await talk.send('How old?', { model: 'anthropic/claude-opus-4-8' });
    expect(sent().messages[1].content.map(unmarked)).toEqual([WORDS]);
    for (const model of [GEMINI, GPT, GROQ]) {
      await talk.send(`And ${model}?`, { model });
      expect(JSON.stringify(sent())).toContain('A stone.');
      expect(JSON.stringify(sent())).not.toMatch(/sig-1|A stone\?/);
    }
    await talk.send('Once more?');
    expect(sent().messages[1].content.map(unmarked)).toEqual([THINKING, WORDS]);
    expect(sent().messages).toHaveLength(11);
    expect(upstream.sent.map(({ provider }) => provider)).toEqual([
      ...['anthropic', 'anthropic', 'google', 'openai', 'groq', 'anthropic'],
    ]);
  });

  it('does after the conversation was given another model and back', async () => {
    const talk = await begin(server, CLAUDE);
    upstream.replies.push(claude([THINKING, WORDS]));
    await talk.send('What is it?');
    const change = (model: string) => ({
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model }),
    });
    expect((await server.call(talk.path, undefined, change(GROQ))).status).toBe(200);
    await talk.send('How old?');
    expect([upstream.sent.at(-1)?.provider, sent().messages.at(-2)]).toEqual([
      'groq',
      { role: 'assistant', content: 'A stone.' },
    ]);
    await server.call(talk.path, undefined, change(CLAUDE));
    await talk.send('How heavy?');
    expect(sent().messages[1].content.map(unmarked)).toEqual([THINKING, WORDS]);
  });
});

/** A block without its mark for the cache. */
function unmarked({ cache_control: _, ...block }: Json): Json {
  return block;
}

const TOOLS = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }];
const OSLO = { city: 'Oslo' };
const called = { function: { name: 'weather', arguments: OSLO } };

/** Each wire: how it makes a call, and how the call and its result `4 °C` stand in the next request. */
const WIRES: [model: string, reply: object, call: (id: string) => object, result: (id: string) => object][] = [
  [
    CLAUDE,
    claude([{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: OSLO }], 'tool_use').json,
    (id) => ({ role: 'assistant', content: [{ type: 'tool_use', id, name: 'weather', input: OSLO }] }),
    (tool_use_id) => ({ type: 'tool_result', tool_use_id, content: '4 °C' }),
  ],
  [
    GEMINI,
    gemini([{ functionCall: { name: 'weather', args: OSLO }, thoughtSignature: 'sig-1' }]).json,
    (id) => ({
      role: 'model',
      parts: [{ functionCall: { id, name: 'weather', args: OSLO }, thoughtSignature: 'sig-1' }],
    }),
    (id) => ({ functionResponse: { id, name: 'weather', response: { result: '4 °C' } } }),
  ],
  [
    GPT,
    gpt([{ id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' }]).json,
    (call_id) => ({ type: 'function_call', call_id, name: 'weather', arguments: '{"city":"Oslo"}' }),
    (call_id) => ({ type: 'function_call_output', call_id, output: '4 °C' }),
  ],
  [
    GROQ,
    openAiAnswer({ content: null, tool_calls: [toolCall('call_1', 'weather', OSLO)] }, 'tool_calls'),
    (id) => expect.objectContaining({ role: 'assistant', tool_calls: [toolCall(id, 'weather', OSLO)] }),
    (id) => ({ role: 'tool', tool_call_id: id, content: '4 °C' }),
  ],
  [
    'cohere/command-a-03-2025',
    { message: { role: 'assistant', tool_calls: [toolCall('call_1', 'weather', OSLO)] }, finish_reason: 'TOOL_CALL' },
    (id) => expect.objectContaining({ role: 'assistant', tool_calls: [toolCall(id, 'weather', OSLO)] }),
    (id) => ({ role: 'tool', tool_call_id: id, content: '4 °C' }),
  ],
  [
    'ollama/qwen3:8b',
    { message: { role: 'assistant', content: '', tool_calls: [called] }, done: true, done_reason: 'stop' },
    (id) => expect.objectContaining({ role: 'assistant', tool_calls: [{ id, ...called }] }),
    (id) => ({ role: 'tool', tool_name: 'weather', tool_call_id: id, content: '4 °C' }),
  ],
];

describe('a tool call and its result stay in the history', () => {
  it.each(WIRES)('%s', async (model, json, call, result) => {
    const talk = await begin(server, model);
    upstream.replies.push({ json });
    const { body } = await talk.complete([{ role: 'user', content: 'Weather?' }], { tools: TOOLS });
    expect(body.finishReason).toBe('tool-calls');
    const [{ id }] = body.message.toolCalls;
    await talk.complete([{ role: 'tool', toolCallId: id, content: '4 °C' }], { tools: TOOLS });
    expect(wholeOf(sent())).toEqual(expect.arrayContaining([call(id), result(id)]));
    await talk.send('Thanks');
    const all = wholeOf(sent());
    expect(all).toEqual(expect.arrayContaining([call(id), result(id)]));
    const text = JSON.stringify(sent());
    const places = ['Weather?', 'Oslo', '4 °C', PLAIN, 'Thanks'].map((words) => [
      text.indexOf(words),
      text.split(words),
    ]);
    expect(places.map(([at]) => at)).toEqual(places.map(([at]) => at).toSorted((a, b) => Number(a) - Number(b)));
    expect(places.map(([, parts]) => (parts as string[]).length)).toEqual([2, 2, 2, 2, 2]);
  });

  /** What is said in a body, with the results of tools on their own. */
  function wholeOf({ messages, contents, input }: Json): Json[] {
    return (messages ?? contents ?? input).flatMap((message: Json) => {
      const parts = message.role === 'user' ? (message.parts ?? message.content) : undefined;
      const whole = Array.isArray(message.content) ? { ...message, content: message.content.map(unmarked) } : message;
      return Array.isArray(parts) ? [...parts.map(unmarked), whole] : [whole];
    });
  }
});

describe('pictures and files', () => {
  const PNG = 'iVBORw0KGgo=';
  const content = [
    { type: 'text', text: 'What is it?' },
    { type: 'image', image: `data:image/png;base64,${PNG}` },
    { type: 'file', file: 'data:application/pdf;base64,JVBERi0=', filename: 'stone.pdf' },
    { type: 'image', image: 'https://example.com/stone.png' },
  ];

  it('come back as they were sent, and go to the model again', async () => {
    const talk = await begin(server, CLAUDE);
    expect((await talk.send(content)).body.userMessage.content).toEqual(content);
    expect((await talk.messages())[0].content).toEqual(content);
    await talk.send('How old?');
    expect(sent().messages[0].content.map(unmarked)).toEqual([
      { type: 'text', text: 'What is it?' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
        title: 'stone.pdf',
      },
      { type: 'image', source: { type: 'url', url: 'https://example.com/stone.png' } },
    ]);
  });

  it('also to another provider', async () => {
    const talk = await begin(server, CLAUDE);
    await talk.send(content.slice(0, 2));
    await talk.send('How old?', { model: GEMINI });
    expect(sent().contents[0].parts).toEqual([
      { text: 'What is it?' },
      { inlineData: { mimeType: 'image/png', data: PNG } },
    ]);
  });
});

describe('prompts', () => {
  const systemOf = (): string[] =>
    sent().messages.flatMap(({ role, content }: Json) => (role === 'system' ? [content] : []));

  it('stand before every turn: the conversation’s own, and task and ticket as they are at the moment', async () => {
    const task = (await server.call('/api/tasks', { title: 'Weigh the stone', prompt: 'Weigh it' })).body.task;
    const ticket = (await server.call('/api/tickets', { title: 'Stone too heavy' })).body.ticket;
    const talk = await begin(server, GROQ, { systemPrompt: 'Be brief.', taskId: task.id, ticketId: ticket.key });
    await talk.send('One');
    const first = systemOf();
    expect(first).toEqual([
      'Be brief.',
      expect.stringContaining('Weigh the stone'),
      expect.stringContaining('Stone too heavy'),
    ]);
    await server.call(`/api/tasks/${task.id}`, { title: 'Weigh the feather' }, { method: 'PATCH' });
    await talk.send('Two');
    expect(systemOf()[1]).toContain('Weigh the feather');
    expect(
      sent()
        .messages.map(({ role }: Json) => role)
        .join(' '),
    ).toBe('system system system user assistant user');
    await server.call(`/api/tasks/${task.id}`, undefined, { method: 'DELETE' });
    expect((await talk.send('Three')).status).toBe(200);
    expect(systemOf()).toEqual(['Be brief.', first[2]]);
    await server.call(`/api/tickets/${ticket.id}`, undefined, { method: 'DELETE' });
    expect((await talk.send('Four')).status).toBe(200);
    expect(systemOf()).toEqual(['Be brief.']);
    expect(await talk.messages()).toHaveLength(8);
  });

  it('of a completion hold for this call only, and are not stored', async () => {
    const task = (await server.call('/api/tasks', { title: 'Weigh the stone', prompt: 'Weigh it' })).body.task;
    const talk = await begin(server, GROQ, { systemPrompt: 'Be brief.' });
    const given = [
      { role: 'system', content: 'Rhyme.' },
      { role: 'user', content: 'One' },
    ];
    await talk.complete(given, { systemPrompt: 'Be long.', taskId: task.id });
    expect(systemOf()).toEqual(['Be long.', expect.stringContaining('Weigh the stone'), 'Rhyme.']);
    await talk.send('Two');
    expect(systemOf()).toEqual(['Be brief.']);
    expect((await talk.messages()).map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(JSON.stringify(await talk.messages())).not.toMatch(/Rhyme|Be long/);
    expect(
      sent()
        .messages.map(({ role }: Json) => role)
        .join(' '),
    ).toBe('system user assistant user');
  });
});
