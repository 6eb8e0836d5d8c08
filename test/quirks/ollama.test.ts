import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { lines, type Reply, type Scripted, type Sent, startScripted, WEATHER } from './script.ts';

// What sets Ollama's own chat apart, through our endpoint: what is sent, and what the caller gets.

let ollama: Scripted;
beforeAll(async () => {
  ollama = await startScripted((url) => ({ OLLAMA_BASE_URL: url }));
});
afterAll(() => ollama.stop());

const end = { message: { role: 'assistant', content: '' }, done: true, prompt_eval_count: 9, eval_count: 5 };
const piece = (message: object) => ({ message: { role: 'assistant', content: '', ...message }, done: false });
const said: Reply = { json: { ...end, message: { role: 'assistant', content: 'Yes' }, done_reason: 'stop' } };

/** A server that says what window its models have; `show` may stand in for that answer. */
function modelsOf(window: number, show?: Reply): (sent: Sent) => Reply {
  const info = { 'general.architecture': 'qwen3', 'qwen3.context_length': window, 'qwen3.block_count': 36 };
  return ({ path }) => (path === '/api/show' ? (show ?? { json: { model_info: info } }) : said);
}

/** About so many tokens. */
const words = (tokens: number): string => 'word '.repeat(Math.ceil((tokens * 3) / 5));

async function ask(model: string, content: string, more: object = {}): Promise<Json> {
  const { status } = await ollama.ask({ model: `ollama/${model}`, messages: [{ role: 'user', content }], ...more });
  expect(status).toBe(200);
  return ollama.sent.filter(({ path }) => path === '/api/chat').at(-1)?.body;
}

const asked = (): number => ollama.sent.filter(({ path }) => path === '/api/show').length;

describe('num_ctx', () => {
  it('is always sent, and enough for a short prompt without asking', async () => {
    ollama.answer(modelsOf(40_960));
    expect((await ask('short', 'Hi')).options).toEqual({ num_ctx: 8192 });
    expect(asked()).toBe(0);
  });

  it('grows by doubling to hold prompt and answer, up to the window that /api/show tells', async () => {
    ollama.answer(modelsOf(40_960));
    expect((await ask('grows', words(6000))).options.num_ctx).toBe(16_384);
    expect((await ask('grows', words(20_000))).options.num_ctx).toBe(32_768);
    expect((await ask('grows', words(30_000))).options.num_ctx).toBe(40_960);
    expect(asked()).toBe(1);
    expect(ollama.sent[0]).toMatchObject({ method: 'POST', path: '/api/show', body: { model: 'grows' } });
    expect((await ask('other', words(6000), { maxTokens: 12_000 })).options).toMatchObject({
      num_ctx: 32_768,
      num_predict: 12_000,
    });
    expect(asked()).toBe(2);
  });

  it('is not made smaller while the model is in use: another window loads the model again', async () => {
    ollama.answer(modelsOf(131_072));
    await ask('stays', words(20_000));
    expect((await ask('stays', 'Hi')).options.num_ctx).toBe(32_768);
    expect((await ask('fresh', 'Hi')).options.num_ctx).toBe(8192);
  });

  it('counts tools, results, Chinese and digits', async () => {
    ollama.answer(modelsOf(131_072));
    expect((await ask('chinese', '字'.repeat(6000))).options.num_ctx).toBe(16_384);
    expect((await ask('digits', '0123456789'.repeat(600))).options.num_ctx).toBe(16_384);
    const tools = [{ ...WEATHER, description: words(3000) }];
    expect((await ask('tools', words(3000), { tools })).options.num_ctx).toBe(16_384);
  });

  it.each<[string, Reply]>([
    ['refuses', { status: 404, json: { error: 'model not found' } }],
    ['says something else', { json: [] }],
    ['never answers', 'never'],
  ])('a /api/show that %s does not hold the call up', async (name, show) => {
    ollama.answer(modelsOf(16_384, show));
    expect((await ask(name, words(30_000))).options.num_ctx).toBe(65_536);
  });

  it('a long prompt that does not fit is refused, not cut', async () => {
    const message = 'the input length exceeds the context length';
    ollama.answer((sent) =>
      sent.body.truncate === false && sent.path === '/api/chat'
        ? { status: 400, json: { error: message } }
        : modelsOf(8192)(sent),
    );
    const messages = [{ role: 'user', content: words(20_000) }];
    const answer = await ollama.server.call('/api/chat/completions', { model: 'ollama/small', messages });
    expectError(answer, 400, 'context_length_exceeded', /exceeds the context length/);
  });

  it('models in the cloud have their whole window anyway', async () => {
    ollama.answer(modelsOf(131_072));
    expect(await ask('gpt-oss:120b-cloud', words(20_000))).not.toHaveProperty('options');
    expect(asked()).toBe(0);
  });
});

describe('keep_alive', () => {
  it('is left to the server, and so is the /v1 path, which knows no num_ctx', async () => {
    ollama.answer(said);
    expect(await ask('short', 'Hi')).not.toHaveProperty('keep_alive');
    expect(ollama.sent.map(({ path }) => path)).toEqual(['/api/chat']);
  });
});

describe('tool calls', () => {
  const call = (city: string, more: object = {}) => ({ function: { name: 'weather', arguments: { city }, ...more } });
  const cities = (calls: Json[]): string[] => calls.map((each) => each.arguments.city);

  it.each([
    ['all carry the index 0', { index: 0 }],
    ['carry none', {}],
  ])('parallel ones that %s stay apart', async (_, more) => {
    ollama.answer({ json: { ...end, message: { content: '', tool_calls: [call('Oslo', more), call('Rome', more)] } } });
    const { message, body } = await ollama.ask({ model: 'ollama/qwen3', tools: [WEATHER] });
    expect(body.finishReason).toBe('tool-calls');
    expect(cities(message.toolCalls)).toEqual(['Oslo', 'Rome']);
    expect(new Set(message.toolCalls.map(({ id }: Json) => id)).size).toBe(2);
    const calls = ['Oslo', 'Rome'].map((city) => piece({ tool_calls: [call(city, more)] }));
    ollama.answer({ pieces: lines(...calls, end) });
    const { events, last } = await ollama.stream({ model: 'ollama/qwen3', tools: [WEATHER] });
    expect(last.finishReason).toBe('tool-calls');
    expect(cities(events.flatMap((event) => event.toolCall ?? []))).toEqual(['Oslo', 'Rome']);
  });

  it('go back with their results, arguments as objects, thinking beside them', async () => {
    const message = { role: 'assistant', content: '', thinking: 'Oslo?', tool_calls: [{ id: 'c1', ...call('Oslo') }] };
    ollama.answer({ json: { ...end, message } });
    const answer = await ollama.ask({ model: 'ollama/qwen3', tools: [WEATHER] });
    expect(answer.body.reasoning).toBe('Oslo?');
    ollama.answer(said);
    const question = { role: 'user', content: 'Weather?' };
    const messages = [question, answer.message, { role: 'tool', toolCallId: 'c1', content: '4 °C' }];
    await ollama.ask({ model: 'ollama/qwen3', messages, tools: [WEATHER] });
    expect(ollama.sentBody().messages).toEqual([
      question,
      message,
      { role: 'tool', tool_name: 'weather', tool_call_id: 'c1', content: '4 °C' },
    ]);
    await ollama.ask({ model: 'ollama/gemma4', messages, tools: [WEATHER] });
    expect(ollama.sent[1]?.body.messages[1]).not.toHaveProperty('thinking');
  });
});

describe('how an answer ends', () => {
  it.each([[{}], [{ done_reason: '' }], [{ done_reason: 'stop' }]])(
    'old versions give no reason: %j',
    async (reason) => {
      ollama.answer({ pieces: lines(piece({ content: 'Yes' }), { ...end, ...reason }) });
      const { last } = await ollama.stream({ model: 'ollama/llama3' });
      expect(last).toMatchObject({ done: true, finishReason: 'stop', usage: { promptTokens: 9, completionTokens: 5 } });
    },
  );

  it('thinking is reasoning, piece by piece', async () => {
    ollama.answer({
      pieces: lines(piece({ thinking: 'H' }), piece({ thinking: 'm' }), piece({ content: 'Yes' }), end),
    });
    const { events } = await ollama.stream({ model: 'ollama/qwen3' });
    expect(events.slice(0, 3)).toEqual([{ reasoning: 'H' }, { reasoning: 'm' }, { content: 'Yes' }]);
  });
});

describe('errors are a string', () => {
  it('in place of an answer', async () => {
    ollama.answer({ status: 404, json: { error: "model 'nope' not found" } });
    const messages = [{ role: 'user', content: 'Hi' }];
    const answer = await ollama.server.call('/api/chat/completions', { model: 'ollama/nope', messages });
    expectError(answer, 404, 'model_not_found', /Ollama: model 'nope' not found/);
  });

  it('in the middle of a stream', async () => {
    ollama.answer({ pieces: lines(piece({ content: 'Ye' }), { error: 'llama runner process has terminated' }) });
    const { events, last } = await ollama.stream({ model: 'ollama/llama3' });
    expect(events[0]).toEqual({ content: 'Ye' });
    expect(last).toMatchObject({ error: 'Ollama: llama runner process has terminated', partial: true });
  });
});
