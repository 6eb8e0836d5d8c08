import { describe, expect, it } from 'vitest';
import { lowerWith, readStream } from '../../../test/protocol.ts';
import { AppError } from '../../errors.ts';
import type { ChatRequest, Effort, ProviderEvent, UserPart } from '../chat-model.ts';
import { ollamaChat } from './ollama-chat.ts';
import { type ModelFacts, ProtocolError, ReportedError } from './protocol.ts';

function stream(...lines: unknown[]): ProviderEvent[] {
  return readStream(ollamaChat, lines);
}

function lower(over: Partial<ChatRequest>) {
  return lowerWith(ollamaChat, { model: 'qwen', ...over });
}

describe('ollama-chat, reading', () => {
  it('gives thinking, text, counts and the finish of a stream', () => {
    const events = stream(
      { message: { content: '', thinking: 'Hm' }, done: false },
      { message: { content: 'Yes' }, done: false },
      { message: { content: '' }, done: true, done_reason: 'length', prompt_eval_count: 4, eval_count: 2 },
    );
    expect(events).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Yes' },
      { type: 'usage', usage: { promptTokens: 4, completionTokens: 2, totalTokens: 6 } },
      { type: 'finish', reason: 'length' },
    ]);
  });

  it('keeps calls apart that share an index or have none, and makes ids', () => {
    const call = (n: number) => ({ function: { index: 0, name: 'f', arguments: { n } } });
    const events = stream(
      { message: { tool_calls: [call(1), call(2)] }, done: false },
      { message: { tool_calls: [{ id: 'own', function: { name: 'f', arguments: {} } }] }, done: false },
      { message: { content: '' }, done: true, done_reason: '' },
    );
    const calls = events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));
    expect(calls.map((each) => each.arguments)).toEqual([{ n: 1 }, { n: 2 }, {}]);
    expect(new Set(calls.map((each) => each.id)).size).toBe(3);
    expect(calls[2]?.id).toBe('own');
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool-calls' });
  });

  it('reports an error line, and a stream that ends before it is done', () => {
    expect(() => stream({ message: { content: 'Y' }, done: false }, { error: 'out of memory' })).toThrow(
      new ReportedError({ message: 'out of memory', kinds: [] }),
    );
    expect(() => stream({ message: { content: 'Y' }, done: false })).toThrow(ProtocolError);
    expect(() => ollamaChat.reader({}).step({ event: '', data: '<html>' })).toThrow(ProtocolError);
  });

  it('reads a whole answer; old versions give no reason', () => {
    expect(ollamaChat.read({ message: { content: 'Yes' }, done: true, eval_count: 1 }, {})).toEqual([
      { type: 'text', text: 'Yes' },
      { type: 'usage', usage: { promptTokens: 0, completionTokens: 1, totalTokens: 1 } },
      { type: 'finish', reason: 'stop' },
    ]);
  });
});

describe('ollama-chat, lowering', () => {
  it('always says whether to stream, and keeps parameters among the options', () => {
    expect(lower({})).toEqual({
      path: '/api/chat',
      body: { model: 'qwen', messages: [], stream: false, options: { num_ctx: 8192 } },
      warnings: [],
      window: 8192,
    });
    expect(lower({ stream: true, temperature: 0, maxTokens: 5 }).body).toMatchObject({
      stream: true,
      options: { temperature: 0, num_predict: 5 },
    });
  });

  it('sends arguments as objects, results with the name of their tool, pictures bare', () => {
    const user: UserPart[] = [
      { type: 'text', text: 'Hi' },
      { type: 'image', media: { data: 'aGk=', mediaType: 'image/png' } },
      { type: 'file', media: { data: 'aGk=', mediaType: 'text/plain' }, filename: 'a.txt' },
    ];
    const body = lower({
      messages: [
        { role: 'system', text: 'Be brief' },
        { role: 'user', parts: user },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'Hm' },
            { type: 'tool-call', call: { id: 'a', name: 'f', arguments: { n: 1 } } },
          ],
        },
        { role: 'tool', toolCallId: 'a', toolName: 'f', text: 'one' },
      ],
    }).body;
    expect(body.messages).toEqual([
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'Hi\n\na.txt:\n\nhi', images: ['aGk='] },
      {
        role: 'assistant',
        content: '',
        thinking: 'Hm',
        tool_calls: [{ id: 'a', function: { name: 'f', arguments: { n: 1 } } }],
      },
      { role: 'tool', tool_name: 'f', tool_call_id: 'a', content: 'one' },
    ]);
  });

  it.each<UserPart>([
    { type: 'image', media: { url: 'https://x.test/a.png' } },
    { type: 'file', media: { url: 'https://x.test/a.txt' } },
    { type: 'file', media: { data: 'aGk=', mediaType: 'application/pdf' } },
  ])('refuses what the wire cannot carry: %j', (part) => {
    const attempt = () => lower({ messages: [{ role: 'user', parts: [part] }] });
    expect(attempt).toThrow(AppError);
    expect(attempt).toThrow(/this provider takes/);
  });

  it.each([
    ['auto' as const, true, 0],
    ['none' as const, false, 0],
    ['required' as const, true, 1],
    [{ name: 'f' }, true, 1],
  ])('the tool choice %j: tools sent %s, warnings %i', (toolChoice, sent, warnings) => {
    const lowered = lower({ tools: [{ name: 'f', description: 'd', parameters: {} }], toolChoice });
    expect('tools' in lowered.body).toBe(sent);
    expect(lowered.warnings).toHaveLength(warnings);
    expect(lowered.body).not.toHaveProperty('tool_choice');
  });

  const think = (model: string, effort: Effort, facts?: ModelFacts): unknown => {
    const nothing = { messages: [], tools: [], toolChoice: undefined, temperature: undefined, maxTokens: undefined };
    const { body, warnings } = ollamaChat.lower({ ...nothing, model, effort, stream: false }, {}, facts);
    expect(warnings).toEqual([]);
    expect(body).toEqual({
      model,
      messages: [],
      stream: false,
      options: { num_ctx: 8192 },
      ...('think' in body ? { think: body.think } : {}),
    });
    return body.think;
  };

  it('tells a model that can think to do so, OpenAI’s how hard, and others nothing', () => {
    const able = { supportsReasoning: true };
    expect(think('qwen3:4b', 'low', able)).toBe(true);
    expect(think('gpt-oss:20b', 'low', able)).toBe('low');
    expect(think('gpt-oss:20b', 'max', able)).toBe('high');
    for (const facts of [undefined, {}, { supportsReasoning: false }]) {
      expect(think('gpt-oss:20b', 'high', facts)).toBeUndefined();
    }
  });

  it('tells a model only what its server says that it takes', () => {
    const taking = (...reasoningValues: unknown[]): ModelFacts => ({ supportsReasoning: true, reasoningValues });
    expect(think('m', 'medium', taking('low', 'medium', 'high'))).toBe('medium');
    expect(think('m', 'max', taking('low', 'medium', 'high'))).toBe('high');
    expect(think('m', 'max', taking('high', 'max'))).toBe('max');
    expect(think('gpt-oss', 'medium', taking(true, false))).toBe(true);
    expect(think('gpt-oss', 'medium', taking(false))).toBeUndefined();
    expect(think('m', 'low', taking('medium', 'high'))).toBeUndefined();
    expect(think('m', 'high', { supportsReasoning: false, reasoningValues: ['high'] })).toBeUndefined();
  });

  it('asks the server about a model before it is told how hard to reason', () => {
    const request = { model: 'm', messages: [], tools: [], toolChoice: undefined, temperature: undefined };
    const matter = (over: Partial<ChatRequest>) =>
      ollamaChat.facts?.matter({ ...request, maxTokens: undefined, stream: false, ...over });
    expect(matter({})).toBe(false);
    expect(matter({ effort: 'low' })).toBe(true);
    expect(matter({ effort: 'low', model: 'gpt-oss:120b-cloud' })).toBe(true);
    const shown = { capabilities: ['completion', 'thinking'], thinking: { values: ['low', 'high'], default: 'low' } };
    expect(ollamaChat.facts?.read(shown)).toMatchObject({ supportsReasoning: true, reasoningValues: ['low', 'high'] });
    expect(ollamaChat.facts?.read({ capabilities: [] })).toMatchObject({ supportsReasoning: false });
    expect(ollamaChat.facts?.read({ capabilities: [] }).reasoningValues).toBeUndefined();
  });
});
