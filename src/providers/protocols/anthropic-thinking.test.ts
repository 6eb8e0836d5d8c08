import { describe, expect, it } from 'vitest';
import { lowerWith } from '../../../test/protocol.ts';
import type { ChatRequest, Effort, Message, ReasoningPart } from '../chat-model.ts';
import { PROFILES } from '../profiles.ts';
import { anthropicMessages } from './anthropic-messages.ts';

function lower(model: string, over: Partial<ChatRequest> = {}) {
  return lowerWith(anthropicMessages, { model, ...over }, PROFILES.anthropic.quirks);
}

const ADAPTIVE = [
  'claude-opus-4-6',
  'claude-sonnet-4-6-20260217',
  'claude-opus-4-8',
  'claude-sonnet-5',
  'claude-opus-5-5',
  'claude-haiku-5-5',
  'claude-fable-5-1',
  'claude-mythos-5',
];
const BUDGETED = [
  'claude-3-7-sonnet-20250219',
  'claude-opus-4-20250514',
  'claude-sonnet-4-0',
  'claude-opus-4-1-20250805',
  'claude-sonnet-4-5',
  'claude-haiku-4-5-20251001',
  'claude-opus-4-5',
];
const NEITHER = [
  'claude-3-5-sonnet-20241022',
  'claude-3-haiku-20240307',
  'claude-mythos-preview',
  'kimi-k2',
  'MiniMax-M3',
];

const tools = [{ name: 'f', description: undefined, parameters: { type: 'object' } }];
const adaptive = { type: 'adaptive', display: 'summarized' };
const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });

describe('anthropic: effort', () => {
  it.each(ADAPTIVE)('%s thinks as it sees fit, with the effort it is told', (model) => {
    const same = { model, max_tokens: 32_000, messages: [] };
    for (const effort of ['low', 'medium', 'high', 'max'] as const) {
      expect(lower(model, { effort })).toEqual({
        path: '/messages',
        body: { ...same, thinking: adaptive, output_config: { effort } },
        warnings: [],
      });
    }
    expect(lower(model).body).toEqual(same);
  });

  it.each(BUDGETED)('%s gets a budget, which leaves room for the answer', (model) => {
    const most = model.startsWith('claude-3-7') ? 8192 : 32_000;
    const thinking = (effort: Effort, maxTokens?: number): unknown => lower(model, { effort, maxTokens }).body.thinking;
    expect(lower(model, { effort: 'low' })).toEqual({
      path: '/messages',
      body: { model, max_tokens: most, messages: [], thinking: { type: 'enabled', budget_tokens: 1024 } },
      warnings: [],
    });
    expect(thinking('medium', 20_000)).toEqual({ type: 'enabled', budget_tokens: 8192 });
    expect(thinking('max')).toEqual({ type: 'enabled', budget_tokens: (most * 3) / 4 });
    expect(thinking('max', 64_000)).toEqual({ type: 'enabled', budget_tokens: 32_768 });
    expect(thinking('high', 2000)).toEqual({ type: 'enabled', budget_tokens: 1500 });
    // Less than the least that is taken.
    expect(thinking('high', 1365)).toBeUndefined();
    expect(thinking('high', 1366)).toEqual({ type: 'enabled', budget_tokens: 1024 });
  });

  it.each(NEITHER)('%s is told nothing', (model) => {
    expect(lower(model, { effort: 'max' })).toEqual(lower(model));
  });

  it('goes without thinking where a temperature is asked for and sent', () => {
    expect(lower('claude-sonnet-4-5', { effort: 'high', temperature: 0.5 })).toEqual(
      lower('claude-sonnet-4-5', { temperature: 0.5 }),
    );
    const { body } = lower('claude-opus-4-6', { effort: 'high', temperature: 0.5 });
    expect(body).toMatchObject({ temperature: 0.5, output_config: { effort: 'high' } });
    expect(body).not.toHaveProperty('thinking');
    // It takes none, so none is in the way.
    expect(lower('claude-opus-4-7', { effort: 'high', temperature: 0.5 }).body).toMatchObject({ thinking: adaptive });
  });

  it.each(['required' as const, { name: 'f' }])('is left out where the call is forced: %j', (toolChoice) => {
    for (const model of ['claude-sonnet-4-5', 'claude-opus-4-6']) {
      expect(lower(model, { effort: 'high', tools, toolChoice })).toEqual(lower(model, { tools, toolChoice }));
    }
  });

  it('a choice that forces nothing goes together with it, also that of a last answer without tools', () => {
    expect(lower('claude-opus-4-6', { effort: 'high', tools, toolChoice: 'auto' }).body).toMatchObject({
      thinking: adaptive,
      tool_choice: { type: 'auto' },
    });
    expect(lower('claude-opus-4-6', { effort: 'high', messages: loop('sig') }).body).toMatchObject({
      thinking: adaptive,
      tool_choice: { type: 'none' },
    });
  });
});

/** A tool loop that began with thinking, if there is a signature. */
function loop(signature?: string): Message[] {
  const thought: ReasoningPart[] = signature ? [{ type: 'reasoning', text: 'Hm', data: { signature } }] : [];
  const called = (id: string, ...thoughts: ReasoningPart[]): Message[] => [
    { role: 'assistant', parts: [...thoughts, { type: 'tool-call', call: { id, name: 'f', arguments: {} } }] },
    { role: 'tool', toolCallId: id, toolName: 'f', text: 'one' },
  ];
  return [user('Go'), ...called('a', ...thought), ...called('b')];
}

describe('anthropic: a tool loop is thought about throughout or not at all', () => {
  const thinks = (model: string, messages: Message[]): boolean =>
    'thinking' in lower(model, { effort: 'medium', tools, messages }).body;

  it('one that began with thinking goes on so, also when the user breaks in', () => {
    expect(thinks('claude-sonnet-4-5', loop('sig'))).toBe(true);
    expect(thinks('claude-sonnet-4-5', [...loop('sig'), user('Hurry')])).toBe(true);
    const redacted: Message[] = loop('sig').with(1, {
      role: 'assistant',
      parts: [
        { type: 'reasoning', text: '', data: { redacted: 'xyz' } },
        { type: 'tool-call', call: { id: 'a', name: 'f', arguments: {} } },
      ],
    });
    expect(thinks('claude-sonnet-4-5', redacted)).toBe(true);
  });

  it('one that did not, of another model say, goes on without', () => {
    expect(thinks('claude-sonnet-4-5', loop())).toBe(false);
    expect(thinks('claude-sonnet-4-5', [...loop(), user('Hurry')])).toBe(false);
  });

  it('what is over does not matter', () => {
    const over: Message[] = [...loop(), { role: 'assistant', parts: [{ type: 'text', text: 'Done' }] }];
    expect(thinks('claude-sonnet-4-5', [...over, user('Again')])).toBe(true);
    expect(thinks('claude-sonnet-4-5', [...over, ...loop('sig')])).toBe(true);
    expect(
      thinks('claude-sonnet-4-5', [
        ...loop('sig'),
        { role: 'assistant', parts: [{ type: 'text', text: 'Done' }] },
        ...loop(),
      ]),
    ).toBe(false);
  });

  it('models that see for themselves do not mind', () => {
    expect(thinks('claude-opus-4-6', loop())).toBe(true);
  });
});
