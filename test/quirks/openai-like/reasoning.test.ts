import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAiAnswer } from '../../contract/upstream.ts';
import type { Json } from '../../server.ts';
import { call, type Rig, startRig, WEATHER } from './rig.ts';

// What a vendor gets back of the reasoning of its own model, and of another's.

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const USER = { role: 'user', content: 'Weather in Oslo?' };
const CALLS = [call('call_1', 'weather', '{"city":"Oslo"}')];

/** The assistant's message as it is sent back in a tool loop, after `message` was a model's whole answer. */
async function sentBack(model: string, message: object, next = model): Promise<Json> {
  const first = await rig.whole(model, openAiAnswer({ content: null, tool_calls: CALLS, ...message }, 'tool_calls'));
  return await continued(next, first.message);
}

async function continued(model: string, message: Json): Promise<Json> {
  const { id } = message.toolCalls[0];
  const messages = [USER, message, { role: 'tool', toolCallId: id, content: '4 °C' }];
  const { status, sent } = await rig.whole(model, openAiAnswer({ content: 'Cold.' }), { messages, tools: [WEATHER] });
  expect(status).toBe(200);
  return sent.messages[1];
}

describe('reasoning goes back as its vendor wants it', () => {
  it.each([
    ['deepseek/deepseek-v4-flash', { reasoning_content: 'Hm' }, { reasoning_content: 'Hm' }],
    ['deepseek/deepseek-reasoner', { reasoning_content: 'Hm' }, { reasoning_content: 'Hm' }],
    ['fireworks/accounts/fireworks/models/glm-5', { reasoning_content: 'Hm' }, { reasoning_content: 'Hm' }],
    ['cerebras/zai-glm-4.7', { reasoning: 'Hm' }, { reasoning: 'Hm' }],
    ['groq/openai/gpt-oss-120b', { reasoning: 'Hm' }, { reasoning: 'Hm' }],
    ['openrouter/z-ai/glm-5', { reasoning: 'Hm' }, { reasoning: 'Hm' }],
  ])('%s: %j', async (model, given, wanted) => {
    const { role, content, tool_calls, ...rest } = await sentBack(model, given);
    expect({ role, content, ids: tool_calls.map((made: Json) => made.id) }).toEqual({
      role: 'assistant',
      content: null,
      ids: ['call_1'],
    });
    expect(rest).toEqual(wanted);
  });

  it.each([
    ['groq/qwen/qwen3-32b', { reasoning: 'Hm' }],
    ['deepseek/deepseek-chat', { reasoning_content: 'Hm' }],
    ['xai/grok-3', { reasoning_content: 'Hm' }],
    ['together/deepseek-ai/DeepSeek-V3.1', { reasoning: 'Hm' }],
    ['openai/gpt-4o', { reasoning_content: 'Hm' }],
  ])('%s: not at all', async (model, given) => {
    expect(Object.keys(await sentBack(model, given))).toEqual(['role', 'content', 'tool_calls']);
  });

  it('of another model or vendor is left out', async () => {
    const message = await sentBack('cerebras/zai-glm-4.7', { reasoning: 'Hm' }, 'cerebras/gpt-oss-120b');
    expect(message).not.toHaveProperty('reasoning');
    const other = await sentBack('fireworks/glm-5', { reasoning_content: 'Hm' }, 'cerebras/glm-5');
    expect(JSON.stringify(other)).not.toContain('Hm');
  });
});

describe('deepseek', () => {
  it('deepseek: thinking models with tools get reasoning_content in every message, another model’s empty', async () => {
    const message = await sentBack('openai/gpt-4o', {}, 'deepseek/deepseek-v4-pro');
    expect(message).toMatchObject({ role: 'assistant', reasoning_content: '', tool_calls: [{ id: 'call_1' }] });
  });

  it('deepseek: older ones refuse reasoning_content of earlier turns', async () => {
    const model = 'deepseek/deepseek-reasoner';
    const first = await rig.whole(model, openAiAnswer({ content: 'Cold.', reasoning_content: 'Hm' }));
    expect(first.body.reasoning).toBe('Hm');
    const messages = [USER, first.message, { role: 'user', content: 'And tomorrow?' }];
    const { sent } = await rig.whole(model, openAiAnswer({ content: 'Cold.' }), { messages });
    expect(sent.messages[1]).toEqual({ role: 'assistant', content: 'Cold.' });
  });
});

describe('openrouter', () => {
  const model = 'openrouter/anthropic/claude-haiku-4.5';

  it('openrouter: reasoning_details go back unmodified', async () => {
    const reasoning_details = [
      { type: 'reasoning.summary', summary: 'S', format: 'openai-responses-v1', index: 0 },
      { type: 'reasoning.encrypted', data: 'gAAA', format: 'openai-responses-v1', id: 'rs_1', index: 0 },
      { type: 'reasoning.encrypted', data: 'gBBB', format: 'openai-responses-v1', id: 'rs_2', index: 0, more: null },
    ];
    const message = await sentBack(model, { reasoning: 'S', reasoning_details });
    expect(message.reasoning_details).toEqual(reasoning_details);
    expect(message).not.toHaveProperty('reasoning');
  });

  it('openrouter: streamed reasoning_details go back put together', async () => {
    const detail = (more: object) => ({ type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0, ...more });
    const deltas = [
      { reasoning: 'Let', reasoning_details: [detail({ text: 'Let' })] },
      { reasoning: ' me', reasoning_details: [detail({ text: ' me', signature: null })] },
      { content: '', reasoning_details: [detail({ signature: 'c2ln' })] },
      { reasoning: 'Next', reasoning_details: [detail({ index: 1, text: 'Next' })] },
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 'gA', id: 'r1', index: 2 }] },
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 'gB', id: 'r2', index: 2 }] },
      { content: 'I look.' },
      { tool_calls: [call('call_1', 'weather', '{}', 0)] },
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 'gC', id: 'call_1', index: 0 }] },
    ];
    const first = await rig.stream(model, { deltas });
    expect(first.events.map((event) => event.reasoning ?? '').join('')).toBe('Let meNext');
    const message = await continued(model, first.message);
    expect(message).toMatchObject({ content: 'I look.', tool_calls: [{ id: 'call_1' }] });
    expect(message.reasoning_details).toEqual([
      detail({ text: 'Let me', signature: 'c2ln' }),
      detail({ index: 1, text: 'Next' }),
      { type: 'reasoning.encrypted', data: 'gA', id: 'r1', index: 2 },
      { type: 'reasoning.encrypted', data: 'gB', id: 'r2', index: 2 },
      { type: 'reasoning.encrypted', data: 'gC', id: 'call_1', index: 0 },
    ]);
  });

  it('openrouter: another model gets no reasoning_details', async () => {
    const reasoning_details = [{ type: 'reasoning.encrypted', data: 'gAAA', index: 0 }];
    const message = await sentBack(model, { reasoning_details }, 'openrouter/openai/gpt-5.2');
    expect(message).not.toHaveProperty('reasoning_details');
  });
});

describe('mistral', () => {
  it('mistral: thinking goes back as parts of the content, streamed or whole', async () => {
    const model = 'mistral/magistral-medium-latest';
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }], closed: true },
      { type: 'text', text: 'I look.' },
    ];
    const wanted = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
      { type: 'text', text: 'I look.' },
    ];
    const made = [call('abcdefgh1', 'weather', '{}')];
    const whole = await sentBack(model, { content, tool_calls: made });
    expect(whole).toMatchObject({ content: wanted, tool_calls: [{ id: 'abcdefgh1' }] });
    const deltas = [
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'H' }] }] },
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'm' }] }] },
      { content: 'I look.' },
      { tool_calls: made },
    ];
    const first = await rig.stream(model, { deltas });
    expect((await continued(model, first.message)).content).toEqual(wanted);
  });

  it('mistral: tool-call ids are exactly 9 alphanumerics', async () => {
    const message = await sentBack('openai/gpt-4o', {}, 'mistral/mistral-small-latest');
    const { sent } = await rig.whole('mistral/mistral-small-latest', openAiAnswer({ content: 'x' }));
    expect(sent).not.toHaveProperty('stream_options');
    expect(message.tool_calls[0].id).toMatch(/^[a-zA-Z0-9]{9}$/);
  });
});

it.each(['openai/gpt-4o', 'deepseek/deepseek-v4-pro'])(
  '%s: an answer of nothing is no empty message',
  async (model) => {
    const nothing = { role: 'assistant', content: '', parts: [{ type: 'text', text: '' }] };
    const { sent } = await rig.whole(model, openAiAnswer({ content: 'x' }), { messages: [USER, nothing, USER] });
    expect(sent.messages.map(({ role }: Json) => role)).toEqual(['user', 'user']);
  },
);

it('an answer of nothing but reasoning that may not go back is no empty message', async () => {
  const first = await rig.whole('openai/gpt-4o', openAiAnswer({ content: null, reasoning_content: 'Hm' }));
  const messages = [USER, first.message, USER];
  const { sent } = await rig.whole('openai/gpt-4o', openAiAnswer({ content: 'x' }), { messages });
  expect(sent.messages.map(({ role }: Json) => role)).toEqual(['user', 'user']);
});
