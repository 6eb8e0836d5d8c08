import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type {
  LanguageModelV2,
  LanguageModelV2StreamPart,
  LanguageModelV3,
  LanguageModelV3StreamPart,
} from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { factoryOf } from '../../src/providers/ai-sdk/package.ts';
import type { Message } from '../../src/providers/chat-model.ts';
import { ask, HI, ORIGIN, request, type Script, scripted } from './scripted.ts';

const V2_USAGE = { inputTokens: 5, outputTokens: 4, totalTokens: 9, reasoningTokens: 1, cachedInputTokens: 2 };
const V3_USAGE = {
  inputTokens: { total: 5, noCache: 2, cacheRead: 2, cacheWrite: 1 },
  outputTokens: { total: 4, text: 3, reasoning: 1 },
};
const USAGE = { promptTokens: 5, completionTokens: 4, totalTokens: 9, cachedTokens: 2, reasoningTokens: 1 };
const SIGNED = { acme: { signature: 'sig-1' } };

describe.each([
  ['v2', V2_USAGE, 'tool-calls', USAGE],
  ['v3', V3_USAGE, { unified: 'tool-calls', raw: 'TOOLS' }, { ...USAGE, cacheWriteTokens: 1 }],
  ['v4', V3_USAGE, { unified: 'tool-calls', raw: 'TOOLS' }, { ...USAGE, cacheWriteTokens: 1 }],
])('a model of version %s', (version, usage, finishReason, counts) => {
  const CALL = { type: 'tool-call', toolCallId: 'c1', toolName: 'sum', input: '{"a":1}' };

  it('is read whole', async () => {
    const content = [
      { type: 'reasoning', text: 'Hm', providerMetadata: SIGNED },
      { type: 'text', text: 'Yes', providerMetadata: {} },
      { type: 'source', sourceType: 'url', id: 's', url: 'https://a.example', title: 'A' },
      { type: 'source', sourceType: 'document', id: 't', mediaType: 'text/plain', title: 'B' },
      { type: 'file', mediaType: 'image/png', data: 'AAAA' },
      { ...CALL, providerMetadata: { acme: { item: 'i' } } },
      { ...CALL, toolCallId: 'c2', toolName: 'web_search', providerExecuted: true },
    ];
    const script = { asked: [], whole: { content, finishReason, usage, warnings: [] } };
    const { events, warnings } = await ask({ languageModel: () => scripted(version, script) }, request(HI));
    expect(events).toEqual([
      { type: 'reasoning', text: 'Hm', data: SIGNED },
      { type: 'text', text: 'Yes' },
      { type: 'source', source: { url: 'https://a.example', title: 'A' } },
      { type: 'tool-call', call: { id: 'c1', name: 'sum', arguments: { a: 1 }, data: { acme: { item: 'i' } } } },
      { type: 'usage', usage: counts },
      { type: 'finish', reason: 'tool-calls' },
    ]);
    expect(warnings).toEqual([expect.stringContaining('image/png')]);
  });

  it('is read as a stream', async () => {
    const parts = [
      { type: 'stream-start', warnings: [{ type: 'other', message: 'Mind the gap' }] },
      { type: 'response-metadata', id: 'r', modelId: 'm' },
      { type: 'reasoning-start', id: '1' },
      { type: 'reasoning-delta', id: '1', delta: 'Le' },
      { type: 'reasoning-delta', id: '1', delta: 't me see' },
      { type: 'reasoning-delta', id: '1', delta: '', providerMetadata: SIGNED },
      { type: 'reasoning-end', id: '1' },
      { type: 'text-start', id: '2', providerMetadata: { acme: { item: 'old' } } },
      { type: 'text-delta', id: '2', delta: 'Yes' },
      { type: 'text-end', id: '2', providerMetadata: { acme: { item: 'new' } } },
      { type: 'raw', rawValue: {} },
      { type: 'tool-input-start', id: 'c1', toolName: 'sum' },
      { type: 'tool-input-delta', id: 'c1', delta: '{"a":1}' },
      { type: 'tool-input-end', id: 'c1' },
      CALL,
      { type: 'finish', finishReason, usage },
    ];
    const script = { asked: [], parts };
    const { answer, warnings, events } = await ask(() => scripted(version, script), request(HI, { stream: true }));
    expect(answer.parts).toEqual([
      { type: 'reasoning', text: 'Let me see', data: SIGNED, origin: ORIGIN },
      { type: 'text', text: 'Yes', data: { acme: { item: 'new' } }, origin: ORIGIN },
      { type: 'tool-call', call: { id: 'c1', name: 'sum', arguments: { a: 1 } } },
    ]);
    expect(events.slice(-2)).toEqual([
      { type: 'usage', usage: counts },
      { type: 'finish', reason: 'tool-calls' },
    ]);
    expect(warnings).toEqual(['Mind the gap']);
  });

  it('may leave open what it began', async () => {
    const parts = [
      { type: 'reasoning-start', id: 'a b', providerMetadata: SIGNED },
      { type: 'reasoning-delta', id: 'a b', delta: 'Hm' },
      { type: 'finish', finishReason, usage },
    ];
    const { answer } = await ask(() => scripted(version, { asked: [], parts }), request(HI, { stream: true }));
    expect(answer.parts).toEqual([{ type: 'reasoning', text: 'Hm', data: SIGNED, origin: ORIGIN }]);
  });

  it('is given back what it said of its parts, and nothing of others’', async () => {
    const own = { origin: ORIGIN, data: SIGNED };
    const other = { origin: { provider: 'anthropic', model: 'm' }, data: { signature: 'foreign' } };
    const messages: Message[] = [
      { role: 'system', text: 'Be brief' },
      { role: 'user', parts: [{ type: 'text', text: 'Add' }] },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm', ...own },
          { type: 'reasoning', text: 'foreign', ...other },
          { type: 'text', text: 'Yes', ...other },
          { type: 'tool-call', call: { id: 'c1', name: 'sum', arguments: { a: 1 }, ...own } },
          { type: 'tool-call', call: { id: 'c2', name: 'sum', arguments: { a: 2 } } },
        ],
      },
      { role: 'tool', toolCallId: 'c1', toolName: 'sum', text: '1' },
      { role: 'tool', toolCallId: 'c2', toolName: 'sum', text: '2' },
    ];
    const script: Script = { asked: [], whole: { content: [], finishReason, usage, warnings: [] } };
    await ask({ languageModel: () => scripted(version, script) }, request(messages));
    expect(script.asked[0].prompt).toEqual([
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: [{ type: 'text', text: 'Add' }] },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm', providerOptions: SIGNED },
          { type: 'text', text: 'Yes' },
          { type: 'tool-call', toolCallId: 'c1', toolName: 'sum', input: { a: 1 }, providerOptions: SIGNED },
          { type: 'tool-call', toolCallId: 'c2', toolName: 'sum', input: { a: 2 } },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'c1', toolName: 'sum', output: { type: 'text', value: '1' } },
          { type: 'tool-result', toolCallId: 'c2', toolName: 'sum', output: { type: 'text', value: '2' } },
        ],
      },
    ]);
  });

  it('is given settings, tools and files in its own form', async () => {
    const script: Script = { asked: [], whole: { content: [], finishReason, usage, warnings: [] } };
    const messages: Message[] = [
      {
        role: 'user',
        parts: [
          { type: 'image', media: { data: 'AAAA', mediaType: 'image/png' } },
          { type: 'image', media: { url: 'https://a.example/b.png' } },
          { type: 'file', media: { data: 'BBBB', mediaType: 'application/pdf' }, filename: 'b.pdf' },
        ],
      },
    ];
    const parameters = { type: 'object' };
    const more = { temperature: 0, maxTokens: 5, tools: [{ name: 'sum', description: 'Adds', parameters }] };
    await ask({ chat: () => scripted(version, script) }, request(messages, { ...more, toolChoice: { name: 'sum' } }));
    const url = new URL('https://a.example/b.png');
    const wrap = (bare: unknown, wrapped: object): unknown => (version === 'v4' ? wrapped : bare);
    expect(script.asked[0]).toEqual({
      abortSignal: expect.any(AbortSignal),
      temperature: 0,
      maxOutputTokens: 5,
      tools: [{ type: 'function', name: 'sum', description: 'Adds', inputSchema: parameters }],
      toolChoice: { type: 'tool', toolName: 'sum' },
      prompt: [
        {
          role: 'user',
          content: [
            { type: 'file', mediaType: 'image/png', data: wrap('AAAA', { type: 'data', data: 'AAAA' }) },
            { type: 'file', mediaType: 'image/*', data: wrap(url, { type: 'url', url }) },
            {
              type: 'file',
              mediaType: 'application/pdf',
              filename: 'b.pdf',
              data: wrap('BBBB', { type: 'data', data: 'BBBB' }),
            },
          ],
        },
      ],
    });
    await ask(() => scripted(version, script), request(HI, { ...more, toolChoice: 'none' }));
    expect(script.asked[1].toolChoice).toEqual({ type: 'none' });
  });
});

describe('what a model says of settings that it does not take', () => {
  it.each([
    [{ type: 'unsupported-setting', setting: 'temperature', details: 'Not here' }, 'temperature: Not here'],
    [{ type: 'unsupported-tool', tool: { name: 'sum' } }, 'sum: unsupported tool'],
    [{ type: 'unsupported', feature: 'toolChoice' }, 'toolChoice: unsupported'],
    [{ type: 'compatibility', feature: 'files', details: 'As text' }, 'files: As text'],
    [{ type: 'deprecated', setting: 'n', message: 'Old' }, 'n: Old'],
    [{ type: 'other', message: 'Hear' }, 'Hear'],
  ])('%j is a warning', async (warning, sentence) => {
    const whole = { content: [], finishReason: 'stop', usage: {}, warnings: [warning] };
    const { warnings, events } = await ask(() => scripted('v3', { asked: [], whole }), request(HI));
    expect(warnings).toEqual([sentence]);
    expect(events).toEqual([{ type: 'finish', reason: 'stop' }]);
  });
});

describe('why an answer ended', () => {
  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['content-filter', 'content-filter'],
    ['error', 'error'],
    ['tool-calls', 'stop'],
    ['other', 'stop'],
    ['unknown', 'stop'],
    ['interrupted', 'stop'],
  ])('%s is %s without a call, as a word and as an object', async (said, meant) => {
    for (const finishReason of [said, { unified: said, raw: 'X' }]) {
      const whole = { content: [{ type: 'text', text: 'a' }], finishReason, usage: {}, warnings: [] };
      const { answer } = await ask(() => scripted('v3', { asked: [], whole }), request(HI));
      expect(answer.finishReason).toBe(meant);
    }
  });
});

describe('the create function of a package', () => {
  const [createA, createB, helper] = [() => 'a', () => 'b', () => 'c'];

  it('is the only one, also under several names, or the one that is named', () => {
    const one = { createA, createOld: createA, helper, VERSION: '1', createNothing: 'text', create: createB };
    expect(factoryOf(one, 'acme', undefined)).toBe(createA);
    expect(factoryOf({ createA, createB }, 'acme', 'createB')).toBe(createB);
    expect(() => factoryOf({ createA, createB }, 'acme', undefined)).toThrow(/several .*factory: createA, createB/);
    expect(() => factoryOf({ createA }, 'acme', 'createC')).toThrow(/no export named createC; .*: createA/);
    expect(() => factoryOf({ helper }, 'acme', undefined)).toThrow(/no export named create…/);
  });
});

describe('types', () => {
  it('of the versions and of a real provider are what the mapping takes', async () => {
    const v2: LanguageModelV2StreamPart = { type: 'finish', finishReason: 'stop', usage: V2_USAGE };
    const v3: LanguageModelV3StreamPart = {
      type: 'finish',
      finishReason: { unified: 'stop', raw: 's' },
      usage: V3_USAGE,
    };
    const models = [
      scripted('v2', { asked: [], parts: [v2] }) as LanguageModelV2,
      scripted('v3', { asked: [], parts: [v3] }) as LanguageModelV3,
      createOpenAICompatible({
        name: 'acme',
        baseURL: 'http://a.example',
        fetch: () =>
          Promise.resolve(new Response('data: {"choices":[{"finish_reason":"stop","delta":{}}]}\n\ndata: [DONE]\n\n')),
      })('m'),
    ];
    for (const model of models) {
      const { answer } = await ask(() => model, request(HI, { stream: true }));
      expect(answer).toMatchObject({ finishReason: 'stop', error: undefined });
    }
  });
});
