import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyOf, openAiAnswer, openAiStream, sse } from '../../contract/upstream.ts';
import { call, type Rig, startRig, WEATHER } from './rig.ts';

// What single vendors take and give otherwise than their wire says.

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ AZURE_OPENAI_API_VERSION: '2024-10-21' });
});
afterAll(() => rig.stop());

const PLAIN = openAiAnswer({ content: 'Yes' });

describe('groq', () => {
  const failed = {
    message: 'Tool call validation failed: missing properties: city',
    type: 'invalid_request_error',
    code: 'tool_use_failed',
    failed_generation: '{"name": "weather", "arguments": {"town": "Oslo"}}',
  };

  it('groq: 400 tool_use_failed carries failed_generation', async () => {
    for (const stream of [false, true]) {
      rig.upstream.reset();
      rig.upstream.replies.push({ status: 400, json: { error: failed } });
      const messages = [{ role: 'user', content: 'Hi' }];
      const { status, body } = await rig.server.call('/api/chat/completions', { model: 'groq/m', messages, stream });
      expect(status).toBe(400);
      expect(body).toMatchObject({
        error: `Groq: ${failed.message}`,
        code: 'provider_rejected',
        details: { providerStatus: 400, failedGeneration: failed.failed_generation },
      });
    }
  });

  it('groq: tool_use_failed also comes mid-stream', async () => {
    const [first = ''] = openAiStream([{ reasoning: 'Hm' }]);
    const pieces = [first, `event: error\n${sse({ error: { ...failed, status_code: 400 } })}`];
    const { events } = await rig.stream('groq/m', { pieces });
    expect(events).toMatchObject([
      { reasoning: 'Hm' },
      {
        done: true,
        partial: true,
        error: `Groq: ${failed.message}`,
        code: 'provider_rejected',
        details: { providerStatus: 400, failedGeneration: failed.failed_generation },
      },
    ]);
  });

  it('groq: the key is struck out of what the model wrote', async () => {
    const { body } = await rig.whole('groq/m', {
      error: { ...failed, failed_generation: `my key is ${keyOf('groq')}` },
    });
    expect(body.details.failedGeneration).toBe('my key is [key]');
  });
});

describe('xai', () => {
  it('xai: reasoning_effort, presence_penalty, stop are never sent', async () => {
    const { sent } = await rig.whole('xai/grok-3', PLAIN, { temperature: 1, maxTokens: 5 });
    expect(Object.keys(sent).sort()).toEqual(['max_tokens', 'messages', 'model', 'temperature']);
  });
});

describe('openai o-series, gpt-5 and later', () => {
  it.each(['o3-mini', 'gpt-5', 'gpt-5.5-pro', 'gpt-12'])('%s: max_completion_tokens, no temperature', async (model) => {
    // An address that names the deployment speaks this wire to all of them.
    const { sent, body } = await rig.whole(`azure/${model}`, PLAIN, { temperature: 0.5, maxTokens: 9 });
    expect(sent).toMatchObject({ model, max_completion_tokens: 9 });
    expect(sent).not.toHaveProperty('max_tokens');
    expect(sent).not.toHaveProperty('temperature');
    expect(body.warnings).toEqual([`temperature: ${model} does not take it; left out`]);
    expect(rig.upstream.sent[0]?.path).toBe(`/azure/deployments/${model}/chat/completions?api-version=2024-10-21`);
    expect(rig.upstream.sent[0]?.headers).toMatchObject({ 'api-key': keyOf('azure') });
  });

  it('the others take both', async () => {
    const { sent, body } = await rig.whole('openai/gpt-4o', PLAIN, { temperature: 0.5, maxTokens: 9 });
    expect(sent).toMatchObject({ temperature: 0.5, max_tokens: 9 });
    expect(body).not.toHaveProperty('warnings');
  });
});

describe('cerebras', () => {
  it('cerebras: refused schema keywords are left out, with a warning', async () => {
    const list = { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', format: 'date', pattern: '^2' } };
    const properties = { days: list, pattern: { type: 'string', enum: ['minItems'] } };
    const tools = [{ name: 'f', parameters: { type: 'object', properties, required: ['days'] } }];
    const { sent, body } = await rig.whole('cerebras/gpt-oss-120b', PLAIN, { tools });
    expect(sent.tools[0].function.parameters).toEqual({
      type: 'object',
      properties: {
        days: { type: 'array', items: { type: 'string' } },
        pattern: { type: 'string', enum: ['minItems'] },
      },
      required: ['days'],
    });
    expect(body.warnings).toEqual([
      'tools: gpt-oss-120b does not take minItems, maxItems, format, pattern in their parameters; left out',
    ]);
    const other = await rig.whole('together/m', PLAIN, { tools });
    expect(other.sent.tools[0].function.parameters).toEqual(tools[0]?.parameters);
  });
});

describe('perplexity', () => {
  const model = 'perplexity/sonar';
  const called = (id: string, city: string) => ({ id, name: 'weather', arguments: { city } });

  it('perplexity: no tools, earlier calls and results go as text', async () => {
    const messages = [
      { role: 'user', content: 'Weather in Oslo and Rome?' },
      { role: 'assistant', content: 'I look.', toolCalls: [called('c1', 'Oslo'), called('c2', 'Rome')] },
      { role: 'tool', toolCallId: 'c2', content: '20 °C' },
      { role: 'tool', toolCallId: 'c1', content: '4 °C' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c3', name: 'news', arguments: {} }] },
      { role: 'tool', toolCallId: 'c3', content: 'None.' },
    ];
    const { sent, body } = await rig.whole(model, PLAIN, { messages, tools: [WEATHER], toolChoice: 'auto' });
    expect(sent.messages).toEqual([
      { role: 'user', content: 'Weather in Oslo and Rome?' },
      {
        role: 'assistant',
        content: 'I look.\n\nCalled tool weather with {"city":"Oslo"}\n\nCalled tool weather with {"city":"Rome"}',
      },
      {
        role: 'user',
        content: 'Result of weather with {"city":"Rome"}: 20 °C\n\nResult of weather with {"city":"Oslo"}: 4 °C',
      },
      { role: 'assistant', content: 'Called tool news with {}' },
      { role: 'user', content: 'Result of news: None.' },
    ]);
    expect(sent).not.toHaveProperty('tools');
    expect(sent).not.toHaveProperty('tool_choice');
    expect(body.warnings).toEqual(['tools and toolChoice: sonar does not take them; left out']);
  });

  it('perplexity: after system, user and assistant alternate, the last is user', async () => {
    const messages = [
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: 'A' },
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'B' },
          { type: 'image', image: 'https://x.test/a.png' },
        ],
      },
      { role: 'assistant', content: 'C' },
      { role: 'assistant', content: 'D' },
    ];
    const { sent } = await rig.whole(model, PLAIN, { messages, systemPrompt: 'Be brief.' });
    expect(sent.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: '(continued)' },
      { role: 'assistant', content: 'Hello!' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'A' },
          { type: 'text', text: 'B' },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
        ],
      },
      { role: 'assistant', content: 'C\n\nD' },
      { role: 'user', content: 'Continue.' },
    ]);
  });

  it('perplexity: citations come beside the message', async () => {
    const beside = {
      citations: ['https://a.test/1', 'https://b.test/2', 'https://c.test/3'],
      search_results: [
        { title: 'One', url: 'https://a.test/1', date: '2026-01-01', snippet: 'x' },
        { title: 'Two', url: 'https://b.test/2' },
      ],
    };
    const sources = [
      { url: 'https://a.test/1', title: 'One' },
      { url: 'https://b.test/2', title: 'Two' },
      { url: 'https://c.test/3' },
    ];
    const whole = await rig.whole(model, { ...PLAIN, ...beside });
    expect(whole.body).toMatchObject({ message: { content: 'Yes' }, sources });
    const chunk = (content: string, finish_reason: string | null) =>
      sse({ ...beside, choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason }] });
    const streamed = await rig.stream(model, { pieces: [chunk('Ye', null), chunk('s', null), chunk('', 'stop')] });
    expect(streamed.events).toMatchObject([{ content: 'Ye' }, { content: 's' }, { done: true, sources }]);
    expect((await rig.whole(model, PLAIN)).body).not.toHaveProperty('sources');
  });

  it('openrouter and openai: citations inside the message', async () => {
    const annotations = [
      { type: 'url_citation', url_citation: { url: 'https://a.test/1', title: 'One', start_index: 0, end_index: 3 } },
      { type: 'file', file: { name: 'a.pdf' } },
    ];
    const sources = [{ url: 'https://a.test/1', title: 'One' }];
    expect(
      (await rig.whole('openai/gpt-4o-search-preview', openAiAnswer({ content: 'Yes', annotations }))).body,
    ).toMatchObject({ sources });
    const deltas = [{ content: 'Ye' }, { content: 's' }, { content: '', annotations }];
    expect((await rig.stream('openrouter/a/b', { deltas })).body).toMatchObject({ done: true, sources });
    const beside = [{ content: 'Ye' }, { content: 's', annotations }];
    expect((await rig.stream('openrouter/a/b', { deltas: beside })).body).toMatchObject({ done: true, sources });
  });

  it('perplexity: <think> inside the text is reasoning', async () => {
    const whole = await rig.whole(model, openAiAnswer({ content: '<think>Hm</think>\n\nYes' }));
    expect(whole.body).toMatchObject({ message: { content: 'Yes' }, reasoning: 'Hm' });
    const deltas = [{ content: '<thi' }, { content: 'nk>Hm</th' }, { content: 'ink>Yes' }];
    const { events } = await rig.stream(model, { deltas });
    expect(events).toMatchObject([{ reasoning: 'Hm' }, { content: 'Yes' }, { done: true }]);
  });
});

it('tools of a conversation go to who takes them as they were', async () => {
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', toolCalls: [{ id: 'c1', name: 'weather', arguments: { city: 'Oslo' } }] },
    { role: 'tool', toolCallId: 'c1', content: '4 °C' },
  ];
  const { sent } = await rig.whole('together/m', PLAIN, { messages, tools: [WEATHER], toolChoice: 'weather' });
  expect(sent.messages.slice(1)).toEqual([
    { role: 'assistant', content: null, tool_calls: [call('c1', 'weather', '{"city":"Oslo"}')] },
    { role: 'tool', tool_call_id: 'c1', content: '4 °C' },
  ]);
  expect(sent.tool_choice).toEqual({ type: 'function', function: { name: 'weather' } });
});
