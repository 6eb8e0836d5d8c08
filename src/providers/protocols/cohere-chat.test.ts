import { describe, expect, it } from 'vitest';
import { lowerWith, readStream } from '../../../test/protocol.ts';
import { AppError } from '../../errors.ts';
import type { ChatRequest, ProviderEvent } from '../chat-model.ts';
import { cohereChat } from './cohere-chat.ts';
import { ProtocolError, ReportedError } from './protocol.ts';

function stream(...events: unknown[]): ProviderEvent[] {
  return readStream(cohereChat, events);
}

function lower(over: Partial<ChatRequest>) {
  return lowerWith(cohereChat, { model: 'command-a', ...over });
}

const start = { type: 'message-start', delta: { message: { role: 'assistant' } } };
const piece = (content: object) => ({ type: 'content-delta', index: 0, delta: { message: { content } } });
const call = (type: string, index: number, tool_calls: object) => ({ type, index, delta: { message: { tool_calls } } });
const close = (finish_reason: string, usage?: object) => ({ type: 'message-end', delta: { finish_reason, usage } });

describe('cohere-chat, reading', () => {
  it('gives thinking, text and the counts of tokens', () => {
    const usage = {
      billed_units: { input_tokens: 1, output_tokens: 1 },
      tokens: { input_tokens: 9, output_tokens: 4 },
      cached_tokens: 3,
    };
    const events = stream(
      start,
      { type: 'content-start', index: 0, delta: { message: { content: { type: 'thinking', thinking: '' } } } },
      piece({ thinking: 'Hm' }),
      { type: 'content-end', index: 0 },
      piece({ text: 'Yes' }),
      { type: 'citation-start', index: 0, delta: { message: { citations: { text: 'Yes' } } } },
      { type: 'citation-end', index: 0 },
      close('COMPLETE', usage),
      '[DONE]',
    );
    expect(events).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoning', text: '', data: { type: 'thinking' } },
      { type: 'text', text: 'Yes' },
      { type: 'usage', usage: { promptTokens: 9, completionTokens: 4, totalTokens: 13, cachedTokens: 3 } },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  it('falls back on the billed units', () => {
    expect(stream(start, close('COMPLETE', { billed_units: { input_tokens: 2, output_tokens: 1 } }))).toContainEqual({
      type: 'usage',
      usage: { promptTokens: 2, completionTokens: 1, totalTokens: 3 },
    });
  });

  it('puts tool calls together; the plan is reasoning', () => {
    const events = stream(
      start,
      { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I will' } } },
      call('tool-call-start', 0, { id: 'a', type: 'function', function: { name: 'f', arguments: '' } }),
      call('tool-call-delta', 0, { function: { arguments: '{"n":' } }),
      call('tool-call-delta', 0, { function: { arguments: '1}' } }),
      { type: 'tool-call-end', index: 0 },
      call('tool-call-start', 1, { id: 'b', type: 'function', function: { name: 'g', arguments: 'null' } }),
      { type: 'tool-call-end', index: 1 },
      close('TOOL_CALL'),
    );
    expect(events).toEqual([
      { type: 'reasoning', text: 'I will' },
      { type: 'tool-call', call: { id: 'a', name: 'f', arguments: { n: 1 } } },
      { type: 'tool-call', call: { id: 'b', name: 'g', arguments: {} } },
      { type: 'finish', reason: 'tool-calls' },
    ]);
  });

  it.each([
    ['COMPLETE', 'stop'],
    ['STOP_SEQUENCE', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['ERROR', 'error'],
    ['TIMEOUT', 'error'],
    ['TOOL_CALL', 'stop'],
  ])('reads the finish reason %s, without tool calls, as %s', (reason, finish) => {
    expect(stream(start, close(reason))).toEqual([{ type: 'finish', reason: finish }]);
  });

  it('reports what a stream says went wrong, and a broken off stream', () => {
    expect(() =>
      stream(start, { type: 'message-end', delta: { error: 'upstream died', finish_reason: 'ERROR' } }),
    ).toThrow(new ReportedError({ message: 'upstream died', kinds: [] }));
    expect(() => stream({ id: 'x', message: 'trial key limit' })).toThrow(ReportedError);
    expect(() => stream(start, piece({ text: 'Y' }))).toThrow(ProtocolError);
    expect(() => stream('oops')).toThrow(ProtocolError);
  });

  it('reads a whole answer', () => {
    const body = {
      message: {
        tool_plan: 'I will',
        content: [
          { type: 'thinking', thinking: 'Hm' },
          { type: 'text', text: 'Yes' },
        ],
        tool_calls: [
          { id: 'a', function: { name: 'f', arguments: '{"n":1}' } },
          { id: 'b', function: { name: 'f', arguments: '' } },
        ],
      },
      finish_reason: 'TOOL_CALL',
    };
    expect(cohereChat.read(body, {})).toEqual([
      { type: 'reasoning', text: 'I will' },
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoning', text: '', data: { type: 'thinking' } },
      { type: 'text', text: 'Yes' },
      { type: 'tool-call', call: { id: 'a', name: 'f', arguments: { n: 1 } } },
      { type: 'tool-call', call: { id: 'b', name: 'f', arguments: {} } },
      { type: 'finish', reason: 'tool-calls' },
    ]);
    expect(() => cohereChat.read({ id: 'x' }, {})).toThrow(ProtocolError);
  });
});

describe('cohere-chat, lowering', () => {
  it('sends a tool loop', () => {
    const lowered = lower({
      stream: true,
      maxTokens: 5,
      temperature: 0,
      messages: [
        { role: 'system', text: 'Be brief' },
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'I will' },
            { type: 'tool-call', call: { id: 'a', name: 'f', arguments: { n: 1 } } },
          ],
        },
        { role: 'tool', toolCallId: 'a', toolName: 'f', text: 'one' },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'Hm' },
            { type: 'text', text: 'Done' },
          ],
        },
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'Look' },
            { type: 'image', media: { data: 'aGk=', mediaType: 'image/png' } },
          ],
        },
      ],
    });
    expect(lowered).toEqual({
      path: '/chat',
      warnings: [],
      body: {
        model: 'command-a',
        stream: true,
        max_tokens: 5,
        temperature: 0,
        messages: [
          { role: 'system', content: 'Be brief' },
          { role: 'user', content: 'a\n\nb' },
          {
            role: 'assistant',
            tool_plan: 'I will',
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"n":1}' } }],
          },
          { role: 'tool', tool_call_id: 'a', content: 'one' },
          { role: 'assistant', content: 'Done' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
            ],
          },
        ],
      },
    });
  });

  it.each([
    [undefined, undefined, ['f', 'g'], 0],
    ['auto' as const, undefined, ['f', 'g'], 0],
    ['none' as const, 'NONE', ['f', 'g'], 0],
    ['required' as const, 'REQUIRED', ['f', 'g'], 0],
    [{ name: 'g' }, 'REQUIRED', ['g'], 1],
  ])('lowers the tool choice %j to %s', (toolChoice, choice, offered, warnings) => {
    const tools = ['f', 'g'].map((name) => ({ name, description: undefined, parameters: { type: 'object' } }));
    const lowered = lower({ tools, toolChoice });
    expect(lowered.body.tool_choice).toBe(choice);
    expect(lowered.body.tools).toEqual(
      offered.map((name) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })),
    );
    expect(lowered.warnings).toHaveLength(warnings);
  });

  it('gives a model that reasons a budget, and others none', () => {
    const model = 'command-a-reasoning-08-2025';
    const thinking = (over: Partial<ChatRequest>) => lower({ model, ...over }).body.thinking;
    expect(lower({ model, effort: 'medium' })).toEqual({
      path: '/chat',
      body: { model, messages: [], thinking: { type: 'enabled', token_budget: 8192 } },
      warnings: [],
    });
    expect(thinking({ effort: 'low' })).toEqual({ type: 'enabled', token_budget: 1024 });
    expect(thinking({ effort: 'max' })).toEqual({ type: 'enabled', token_budget: 24_000 });
    expect(thinking({ effort: 'max', maxTokens: 1000 })).toEqual({ type: 'enabled', token_budget: 750 });
    expect(thinking({ effort: 'max', maxTokens: 1 })).toBeUndefined();
    expect(thinking({ effort: 'max', toolChoice: 'required' })).toBeUndefined();
    expect(lower({ model: 'command-a-03-2025', effort: 'medium' })).toEqual({
      path: '/chat',
      body: { model: 'command-a-03-2025', messages: [] },
      warnings: [],
    });
  });

  it('refuses files that are not text', () => {
    const file = { type: 'file' as const, media: { data: 'aGk=', mediaType: 'application/pdf' } };
    expect(() => lower({ messages: [{ role: 'user', parts: [file] }] })).toThrow(AppError);
  });
});
