import { describe, expect, it } from 'vitest';
import { lowerWith, readStream } from '../../../test/protocol.ts';
import type { ChatRequest, Message, ProviderEvent } from '../chat-model.ts';
import { gemini } from './gemini.ts';
import { ProtocolError, ReportedError } from './protocol.ts';

function stream(...chunks: unknown[]): ProviderEvent[] {
  return readStream(gemini, chunks);
}

const chunk = (parts: object[], finishReason?: string) => ({ candidates: [{ content: { parts }, finishReason }] });

function lower(over: Partial<ChatRequest>) {
  return lowerWith(gemini, { model: 'gemini-2.0-flash', ...over });
}

describe('gemini, reading', () => {
  it('tells thoughts from text and skips what it does not know', () => {
    const events = stream(
      chunk([{ text: 'Hm', thought: true }]),
      chunk([{ executableCode: { code: 'x' } }, { inlineData: { data: 'aGk=' } }, { text: 'Yes' }]),
      chunk([{ text: '', thoughtSignature: 's' }], 'STOP'),
    );
    expect(events).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Yes' },
      { type: 'text', text: '', data: { thoughtSignature: 's' } },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  it('makes ids for tool calls, keeps signatures, and calls the turn one of tool calls despite STOP', () => {
    const events = stream(
      chunk([
        { functionCall: { name: 'f', args: { n: 1 } }, thoughtSignature: 'sig' },
        { functionCall: { name: 'f' } },
      ]),
      chunk([{ functionCall: { id: 'own', name: 'g', args: {} } }], 'STOP'),
    );
    const calls = events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));
    expect(calls).toEqual([
      { id: expect.stringMatching(/^call_/), name: 'f', arguments: { n: 1 }, data: { thoughtSignature: 'sig' } },
      { id: expect.stringMatching(/^call_/), name: 'f', arguments: {} },
      { id: 'own', name: 'g', arguments: {} },
    ]);
    expect(calls[0]?.id).not.toBe(calls[1]?.id);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool-calls' });
  });

  it('counts thoughts as completion', () => {
    const usageMetadata = {
      promptTokenCount: 10,
      candidatesTokenCount: 3,
      thoughtsTokenCount: 4,
      totalTokenCount: 17,
      cachedContentTokenCount: 2,
    };
    expect(gemini.read({ ...chunk([{ text: 'x' }], 'STOP'), usageMetadata }, {})).toContainEqual({
      type: 'usage',
      usage: { promptTokens: 10, completionTokens: 7, totalTokens: 17, cachedTokens: 2, reasoningTokens: 4 },
    });
  });

  it.each([
    ['SAFETY', 'content-filter'],
    ['RECITATION', 'content-filter'],
    ['PROHIBITED_CONTENT', 'content-filter'],
    ['MAX_TOKENS', 'length'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['UNEXPECTED_TOOL_CALL', 'error'],
  ])('reads the finish reason %s as %s', (reason, finish) => {
    expect(gemini.read(chunk([], reason), {})).toEqual([{ type: 'finish', reason: finish }]);
  });

  it('takes a blocked prompt for a filtered answer, and nothing at all for a broken one', () => {
    expect(gemini.read({ promptFeedback: { blockReason: 'SAFETY' } }, {})).toEqual([
      { type: 'finish', reason: 'content-filter' },
    ]);
    expect(() => gemini.read({}, {})).toThrow(ProtocolError);
    expect(() => stream(chunk([{ text: 'x' }]))).toThrow(ProtocolError);
    expect(() => stream({ error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } })).toThrow(ReportedError);
  });

  it('finds when to try again, and why a key is refused, in the details of an error', () => {
    const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '17.2s' };
    expect(
      gemini.readError([{ error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED', details: [retry] } }]),
    ).toEqual({ message: 'Quota', kinds: ['RESOURCE_EXHAUSTED'], status: 429, retryAfter: 18 });
    const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' };
    expect(
      gemini.readError({ error: { code: 400, message: 'Bad key', status: 'INVALID_ARGUMENT', details: [info] } })
        ?.kinds,
    ).toEqual(['INVALID_ARGUMENT', 'API_KEY_INVALID']);
    expect(gemini.readError('no')).toBeUndefined();
  });
});

describe('gemini, lowering', () => {
  it.each([
    ['gemini-2.0-flash', false, '/models/gemini-2.0-flash:generateContent'],
    ['gemini-2.0-flash', true, '/models/gemini-2.0-flash:streamGenerateContent?alt=sse'],
    ['models/gemini-x', false, '/models/gemini-x:generateContent'],
    ['tunedModels/mine', false, '/tunedModels/mine:generateContent'],
    ['a?b', false, '/models/a%3Fb:generateContent'],
  ])('addresses %s, streaming %s', (model, streaming, path) => {
    expect(lower({ model, stream: streaming }).path).toBe(path);
  });

  it('sends only what is set, and asks for thoughts where there are some', () => {
    expect(lower({}).body).toEqual({ contents: [] });
    expect(lower({ temperature: 0, maxTokens: 5 }).body.generationConfig).toEqual({
      temperature: 0,
      maxOutputTokens: 5,
    });
    const thinkingConfig = { includeThoughts: true };
    for (const model of ['gemini-2.5-pro', 'gemini-3-flash-preview', 'models/gemini-3.6-flash', 'gemini-10']) {
      expect(lower({ model }).body.generationConfig, model).toEqual({ thinkingConfig });
    }
    for (const model of ['gemini-1.5-pro', 'gemini-2.5-flash-image', 'gemma-3-27b-it']) {
      expect(lower({ model }).body, model).not.toHaveProperty('generationConfig');
    }
  });

  it('tells Gemini 2.5 a budget, later ones a level, and others nothing', () => {
    const told = (model: string, over: Partial<ChatRequest>) => {
      const { body, warnings } = lower({ model, ...over });
      expect(warnings).toEqual([]);
      return body.generationConfig;
    };
    const thinks = (how: object) => ({ thinkingConfig: { includeThoughts: true, ...how } });
    expect(lower({ model: 'gemini-2.5-flash', effort: 'medium' }).body).toEqual({
      contents: [],
      generationConfig: thinks({ thinkingBudget: 8192 }),
    });
    expect(told('gemini-2.5-flash-lite', { effort: 'low' })).toEqual(thinks({ thinkingBudget: 1024 }));
    expect(told('gemini-2.5-flash', { effort: 'max' })).toEqual(thinks({ thinkingBudget: 24_576 }));
    expect(told('gemini-2.5-pro', { effort: 'high' })).toEqual(thinks({ thinkingBudget: 24_576 }));
    expect(told('gemini-2.5-pro', { effort: 'max' })).toEqual(thinks({ thinkingBudget: 32_768 }));
    // It is part of the answer.
    const short = { maxOutputTokens: 2000, ...thinks({ thinkingBudget: 1500 }) };
    expect(told('gemini-2.5-pro', { effort: 'high', maxTokens: 2000 })).toEqual(short);
    expect(told('gemini-2.5-pro', { effort: 'high', maxTokens: 600 })).toEqual({ maxOutputTokens: 600, ...thinks({}) });
    for (const model of ['gemini-3-flash-preview', 'models/gemini-3.8-flash', 'gemini-3.1-pro', 'gemini-4-argon']) {
      for (const effort of ['low', 'medium', 'high'] as const) {
        expect(told(model, { effort }), model).toEqual(thinks({ thinkingLevel: effort }));
      }
      expect(told(model, { effort: 'max' }), model).toEqual(thinks({ thinkingLevel: 'high' }));
    }
    expect(told('gemini-3-pro-preview', { effort: 'low' })).toEqual(thinks({ thinkingLevel: 'low' }));
    expect(told('gemini-3-pro-preview', { effort: 'medium' })).toEqual(thinks({}));
    for (const model of ['gemini-2.5-computer-use-preview-10-2025', 'gemini-10']) {
      expect(told(model, { effort: 'high' }), model).toEqual(thinks({}));
    }
    for (const model of ['gemini-2.0-flash', 'gemini-2.5-flash-image', 'gemini-3-pro-image', 'gemma-3-27b-it']) {
      expect(told(model, { effort: 'high' }), model).toBeUndefined();
    }
    expect(told('gemini-3.8-flash', { effort: 'high', toolChoice: 'required' })).toEqual(thinks({}));
  });

  const loop = (signature?: string): Message[] => [
    { role: 'system', text: 'Be brief' },
    {
      role: 'user',
      parts: [
        { type: 'text', text: 'Hi' },
        { type: 'image', media: { data: 'aGk=', mediaType: 'image/png' } },
      ],
    },
    {
      role: 'assistant',
      parts: [
        { type: 'reasoning', text: 'Hm' },
        {
          type: 'tool-call',
          call: {
            id: 'a',
            name: 'f',
            arguments: { n: 1 },
            ...(signature ? { data: { thoughtSignature: signature } } : {}),
          },
        },
        { type: 'tool-call', call: { id: 'b', name: 'g', arguments: {} } },
      ],
    },
    { role: 'tool', toolCallId: 'a', toolName: 'f', text: '{"ok":true}' },
    { role: 'tool', toolCallId: 'b', toolName: 'g', text: '[1]' },
  ];

  it('puts a tool loop into contents, results of parallel calls in one', () => {
    expect(lower({ messages: loop('sig') }).body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hi' }, { inlineData: { mimeType: 'image/png', data: 'aGk=' } }] },
        {
          role: 'model',
          parts: [
            { functionCall: { id: 'a', name: 'f', args: { n: 1 } }, thoughtSignature: 'sig' },
            { functionCall: { id: 'b', name: 'g', args: {} } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'a', name: 'f', response: { ok: true } } },
            { functionResponse: { id: 'b', name: 'g', response: { result: '[1]' } } },
          ],
        },
      ],
    });
  });

  it('excuses the first of unsigned calls, for models that check, and no others', () => {
    const signatures = (model: string, signature?: string): unknown[] => {
      const { contents } = lower({ model, messages: loop(signature) }).body as { contents: { parts: object[] }[] };
      return contents[1]?.parts.map((part) => ('thoughtSignature' in part ? part.thoughtSignature : undefined)) ?? [];
    };
    expect(signatures('gemini-3-pro-preview')).toEqual(['skip_thought_signature_validator', undefined]);
    expect(signatures('gemini-3-pro-preview', 'sig')).toEqual(['sig', undefined]);
    expect(signatures('gemini-2.5-pro')).toEqual([undefined, undefined]);
  });

  it.each([
    ['auto' as const, { mode: 'AUTO' }],
    ['none' as const, { mode: 'NONE' }],
    ['required' as const, { mode: 'ANY' }],
    [{ name: 'f' }, { mode: 'ANY', allowedFunctionNames: ['f'] }],
  ])('lowers the tool choice %j', (toolChoice, functionCallingConfig) => {
    const tools = [{ name: 'f', description: 'd', parameters: { type: 'object' } }];
    expect(lower({ tools, toolChoice }).body).toMatchObject({
      tools: [{ functionDeclarations: [{ name: 'f', description: 'd', parametersJsonSchema: { type: 'object' } }] }],
      toolConfig: { functionCallingConfig },
    });
  });
});
