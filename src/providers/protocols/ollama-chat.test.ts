import { describe, expect, it } from 'vitest';
import { lowerWith, readStream } from '../../../test/protocol.ts';
import { AppError } from '../../errors.ts';
import type { ChatRequest, ProviderEvent, UserPart } from '../chat-model.ts';
import { ollamaChat } from './ollama-chat.ts';
import { ProtocolError, ReportedError } from './protocol.ts';

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
});
