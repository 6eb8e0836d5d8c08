import { describe, expect, it } from 'vitest';
import { lowerWith } from '../../../test/protocol.ts';
import type { AssistantPart, ChatRequest, Message } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { openaiResponses } from './openai-responses.ts';

function lower(over: Partial<ChatRequest>, quirks: Quirks = {}) {
  return lowerWith(openaiResponses, { model: 'gpt-5', ...over }, quirks);
}

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });

describe('openai-responses, lowering', () => {
  it('sends only what is set, and asks that nothing be stored', () => {
    expect(lower({ messages: [{ role: 'system', text: 'Be brief' }, user('Hi')] })).toEqual({
      path: '/responses',
      body: {
        model: 'gpt-5',
        input: [
          { role: 'system', content: 'Be brief' },
          { role: 'user', content: 'Hi' },
        ],
        store: false,
        include: ['reasoning.encrypted_content'],
      },
      warnings: [],
    });
    expect(lower({ stream: true }).body.stream).toBe(true);
  });

  it.each(['gpt-4o', 'gpt-4.1-nano', 'gpt-35-turbo', 'gpt-5-chat-latest'])('asks %s for no reasoning', (model) => {
    expect(lower({ model }).body).not.toHaveProperty('include');
  });

  it('names what it leaves out or changes', () => {
    const reasons: Quirks = { reasoningModels: /^gpt-5/ };
    expect(lower({ temperature: 1, maxTokens: 15 }, reasons)).toMatchObject({
      body: { max_output_tokens: 16 },
      warnings: [expect.stringMatching(/^maxTokens: .*16/), expect.stringMatching(/^temperature: /)],
    });
    expect(lower({ temperature: 1 }, reasons).body).not.toHaveProperty('temperature');
    expect(lower({ temperature: 1, maxTokens: 16 })).toMatchObject({
      body: { max_output_tokens: 16, temperature: 1 },
      warnings: [],
    });
  });

  it('tells models how hard to reason, in the words of their rule, and others nothing', () => {
    const quirks: Quirks = {
      effort: [{ models: /^gpt-5/, words: { high: 'high', max: 'xhigh' }, notWithTools: true }],
    };
    const tools = [{ name: 'f', description: undefined, parameters: {} }];
    const same = { input: [], store: false, include: ['reasoning.encrypted_content'] };
    const lowered = lower({ effort: 'max' }, quirks);
    expect(lowered).toEqual({
      path: '/responses',
      body: { model: 'gpt-5', ...same, reasoning: { effort: 'xhigh' } },
      warnings: [],
    });
    expect(lower({ effort: 'high', tools }, quirks).body).toMatchObject({ reasoning: { effort: 'high' } });
    expect(lower({ effort: 'low' }, quirks).body).toEqual({ model: 'gpt-5', ...same });
    expect(lower({ model: 'other', effort: 'max' }, quirks)).toEqual({
      path: '/responses',
      body: { model: 'other', ...same },
      warnings: [],
    });
  });

  it('writes tools flat and not strict', () => {
    const parameters = { type: 'object', properties: { n: { type: 'array', minItems: 1 } } };
    const tools = [
      { name: 'f', description: 'd', parameters },
      { name: 'g', description: undefined, parameters },
    ];
    const { body } = lower({ tools, toolChoice: { name: 'f' } });
    expect(body.tools).toEqual([
      { type: 'function', name: 'f', description: 'd', parameters, strict: false },
      { type: 'function', name: 'g', parameters, strict: false },
    ]);
    expect(body.tool_choice).toEqual({ type: 'function', name: 'f' });
    expect(lower({ tools, toolChoice: 'required' }).body.tool_choice).toBe('required');
    expect(lower({ tools }, { refusedSchemaKeywords: ['minItems'] }).warnings).toEqual([
      expect.stringContaining('minItems'),
    ]);
  });

  it('carries pictures and files, by address too', () => {
    const parts = [
      { type: 'text' as const, text: 'Look' },
      { type: 'image' as const, media: { data: 'aGk=', mediaType: 'image/png' } },
      { type: 'file' as const, media: { data: 'aGk=', mediaType: 'application/pdf' } },
      { type: 'file' as const, media: { url: 'https://x.test/a.pdf' } },
      { type: 'file' as const, media: { data: 'aGk=', mediaType: 'text/plain' }, filename: 'a.txt' },
    ];
    const messages: Message[] = [{ role: 'user', parts }];
    expect(() => lower({ messages })).toThrow(/as a URL/);
    expect(lower({ messages }, { files: 'file' }).body.input).toEqual([
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look' },
          { type: 'input_image', image_url: 'data:image/png;base64,aGk=' },
          { type: 'input_file', filename: 'file', file_data: 'data:application/pdf;base64,aGk=' },
          { type: 'input_file', file_url: 'https://x.test/a.pdf' },
          { type: 'input_text', text: 'a.txt:\n\nhi' },
        ],
      },
    ]);
  });
});

describe('openai-responses, there and back', () => {
  const message = { type: 'message', role: 'assistant', phase: 'commentary' };
  const content = [{ type: 'output_text', text: 'I look.' }];
  const first = {
    type: 'reasoning',
    encrypted_content: 'AAA',
    summary: [
      { type: 'summary_text', text: 'One' },
      { type: 'summary_text', text: 'Two' },
    ],
  };
  const second = { type: 'reasoning', encrypted_content: 'BBB', summary: [], content: [] };
  const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{"n":1}' });
  const items = [first, { ...message, content }, second, call('call_a'), call('call_b')];

  /** The items of an answer, as the next request has them. */
  function back(output: unknown[]): unknown {
    const parts: AssistantPart[] = [];
    let isOpen = false;
    for (const event of openaiResponses.read({ output }, {})) {
      if (event.type === 'tool-call') parts.push({ type: 'tool-call', call: event.call });
      if (event.type !== 'text' && event.type !== 'reasoning') continue;
      const last = parts.at(-1);
      if (isOpen && last?.type === event.type) Object.assign(last, event, { text: last.text + event.text });
      else parts.push({ ...event });
      isOpen = event.data === undefined;
    }
    // As a client keeps them.
    const kept = JSON.parse(JSON.stringify(parts));
    return lower({ messages: [{ role: 'assistant', parts: kept }] }).body.input;
  }

  it('sends the items of an answer back as they came, but for the ids of what is stored nowhere', () => {
    expect(back(items.map((item, index) => ({ id: `id_${index}`, status: 'completed', ...item })))).toEqual(items);
  });

  it('leaves out reasoning that the provider could not read, and that nothing follows', () => {
    expect(back([{ ...first, encrypted_content: null }, { type: 'reasoning', id: 'rs' }, call('call_a')])).toEqual([
      call('call_a'),
    ]);
    expect(back([first, call('call_a'), second])).toEqual([first, call('call_a')]);
    expect(back([second])).toEqual([]);
    const parts: AssistantPart[] = [
      { type: 'reasoning', text: '', data: second },
      { type: 'text', text: '', data: { phase: 'commentary' } },
    ];
    expect(lower({ messages: [{ role: 'assistant', parts }] }).body.input).toEqual([]);
  });

  it('sends results, and text that has no origin here', () => {
    const messages: Message[] = [
      {
        role: 'assistant',
        parts: [
          { type: 'text', text: '', data: { phase: 'commentary' } },
          { type: 'text', text: 'Hm', data: { reasoning_details: [] } },
        ],
      },
      { role: 'tool', toolCallId: 'call_a', toolName: 'f', text: 'one' },
    ];
    expect(lower({ messages }).body.input).toEqual([
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hm' }] },
      { type: 'function_call_output', call_id: 'call_a', output: 'one' },
    ]);
  });
});
