import { describe, expect, it } from 'vitest';
import { callOptions } from '../ai-sdk/prompt.ts';
import type { ChatRequest } from '../chat-model.ts';
import type { Quirks, WireName } from '../profiles.ts';
import { PROTOCOLS } from '../wire/wires.ts';

const TOOL = { name: 'look', description: undefined, parameters: { type: 'object' } };
const ASKED: ChatRequest = {
  ...{ model: 'a-model', tools: [TOOL], toolChoice: undefined, temperature: undefined, maxTokens: 99, stream: false },
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
};
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } };
const NEW: Partial<ChatRequest> = {
  sampling: {
    ...{ topP: 0.5, topK: 7, stop: ['END'], seed: 11, frequencyPenalty: 0.25, presencePenalty: -0.25 },
    ...{ logitBias: { 42: -100 }, logprobs: 2 },
  },
  responseFormat: { type: 'json-schema', name: 'answer', schema: SCHEMA, strict: true },
  parallelToolCalls: false,
  tools: [{ ...TOOL, strict: true }],
};

/** What of a body is there only because it was asked for, and what was left out. */
function lowered(wire: WireName, more: Partial<ChatRequest>, quirks: Quirks = {}): { body: object; left: string[] } {
  const plain = PROTOCOLS[wire].lower(ASKED, quirks).body;
  const { body, warnings } = PROTOCOLS[wire].lower({ ...ASKED, ...more }, quirks);
  const isNew = ([name, value]: [string, unknown]) => JSON.stringify(value) !== JSON.stringify(plain[name]);
  return {
    body: Object.fromEntries(Object.entries(body).filter(isNew)),
    left: warnings.map((warning) => warning.split(':')[0] ?? ''),
  };
}

const PENALTIES = { frequency_penalty: 0.25, presence_penalty: -0.25 };
const TABLE: Record<WireName, { body: object; left: string[] }> = {
  'openai-chat': {
    body: {
      ...{ top_p: 0.5, stop: ['END'], seed: 11, ...PENALTIES, logit_bias: { 42: -100 } },
      ...{ logprobs: true, top_logprobs: 2, parallel_tool_calls: false },
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } },
    },
    left: ['topK', 'strict'],
  },
  'openai-responses': {
    body: {
      ...{ top_p: 0.5, parallel_tool_calls: false, top_logprobs: 2 },
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      text: { format: { type: 'json_schema', name: 'answer', schema: SCHEMA, strict: true } },
      tools: [{ type: 'function', strict: true, name: 'look', parameters: { type: 'object' } }],
    },
    left: ['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty', 'logitBias'],
  },
  'anthropic-messages': {
    body: {
      ...{ top_p: 0.5, top_k: 7, stop_sequences: ['END'] },
      output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
    left: ['seed', 'frequencyPenalty', 'presencePenalty', 'logitBias', 'logprobs', 'strict'],
  },
  gemini: {
    body: {
      generationConfig: {
        ...{ maxOutputTokens: 99, topP: 0.5, topK: 7, stopSequences: ['END'], seed: 11 },
        ...{ frequencyPenalty: 0.25, presencePenalty: -0.25 },
      },
    },
    left: ['logitBias', 'logprobs', 'responseFormat', 'parallelToolCalls', 'strict'],
  },
  'ollama-chat': {
    body: {
      format: SCHEMA,
      options: { ...{ num_predict: 99, top_p: 0.5, top_k: 7, stop: ['END'], seed: 11 }, ...PENALTIES },
    },
    left: ['logitBias', 'logprobs', 'parallelToolCalls', 'strict'],
  },
  'cohere-chat': {
    body: {
      ...{ p: 0.5, k: 7, stop_sequences: ['END'], seed: 11, ...PENALTIES, strict_tools: true },
    },
    left: ['logitBias', 'logprobs', 'responseFormat', 'parallelToolCalls'],
  },
};

describe('what is asked beside the messages', () => {
  it.for(Object.keys(TABLE) as WireName[])('%s takes it, or says that it was left out', (wire) => {
    const { body, left } = lowered(wire, NEW);
    expect(body).toMatchObject(TABLE[wire].body);
    expect(Object.keys(body).toSorted()).toEqual(Object.keys(TABLE[wire].body).toSorted());
    expect(left).toEqual(TABLE[wire].left);
  });

  it.for(Object.keys(TABLE) as WireName[])('%s sends nothing that was not asked for', (wire) => {
    expect(lowered(wire, {})).toEqual({ body: {}, left: [] });
  });

  it('JSON without a schema, where there is a word for it', () => {
    const responseFormat = { type: 'json' } as const;
    const alone = { responseFormat, tools: [] };
    expect(lowered('openai-chat', { responseFormat }).body).toEqual({ response_format: { type: 'json_object' } });
    expect(lowered('openai-responses', { responseFormat }).body).toEqual({ text: { format: { type: 'json_object' } } });
    expect(lowered('ollama-chat', { responseFormat }).body).toEqual({ format: 'json' });
    expect(lowered('cohere-chat', alone).body).toMatchObject({ response_format: { type: 'json_object' } });
    expect(lowered('gemini', alone).body).toMatchObject({
      generationConfig: { responseMimeType: 'application/json' },
    });
    expect(lowered('anthropic-messages', { responseFormat })).toEqual({ body: {}, left: ['responseFormat'] });
  });

  it.for(['openai-chat', 'openai-responses', 'anthropic-messages'] as const)(
    '%s: a model that takes no temperature keeps its own choice of words',
    (wire) => {
      const { body, left } = lowered(wire, { sampling: { topP: 0.5, topK: 3 } }, { reasoningModels: /a-model/ });
      expect({ body, left }).toEqual({ body: {}, left: ['topP', 'topK'] });
    },
  );

  it('JSON by a schema, where it does not go together with tools', () => {
    const responseFormat = { type: 'json-schema', name: 'answer', schema: SCHEMA } as const;
    const schema = { type: 'json_object', json_schema: SCHEMA };
    expect(lowered('cohere-chat', { responseFormat, tools: [] })).toMatchObject({
      body: { response_format: schema },
      left: [],
    });
    const config = { responseMimeType: 'application/json', responseJsonSchema: SCHEMA };
    const alone = lowered('gemini', { responseFormat, tools: [] });
    expect(alone).toMatchObject({ body: { generationConfig: config }, left: [] });
    const old = lowered('gemini', { responseFormat, model: 'gemini-2.5-pro' });
    expect(old.left).toEqual(['responseFormat']);
    for (const model of ['gemini-3-pro-preview', 'gemini-flash-latest']) {
      const { body } = PROTOCOLS.gemini.lower({ ...ASKED, ...NEW, model }, {});
      expect(body, model).toMatchObject({ generationConfig: config, tools: [{}] });
    }
  });

  it('packages get it by their own names', () => {
    const warnings: string[] = [];
    expect(callOptions({ ...ASKED, ...NEW }, 'v4', warnings)).toMatchObject({
      ...{ topP: 0.5, topK: 7, stopSequences: ['END'], seed: 11, frequencyPenalty: 0.25, presencePenalty: -0.25 },
      responseFormat: { type: 'json', name: 'answer', schema: SCHEMA },
    });
    const left = warnings.map((warning) => warning.split(':')[0]);
    expect(left).toEqual(['parallelToolCalls', 'strict', 'logitBias', 'logprobs']);
  });
});

describe('what an answer says of it', () => {
  const chunk = (choice: object) => ({ choices: [{ index: 0, ...choice }] });
  const token = (text: string) => ({ token: text, logprob: -0.5, bytes: null, top_logprobs: [] });

  it('logprobs of every chunk, also where nothing else differs', () => {
    const reader = PROTOCOLS['openai-chat'].reader({});
    const said = ['a', 'b', 'b', 'b'];
    const pieces = said.map((text) =>
      chunk({ delta: { content: text }, logprobs: { content: [token(text)] }, finish_reason: null }),
    );
    const events = pieces.flatMap((piece) => reader.step({ data: JSON.stringify(piece), event: '' }));
    expect(events.flatMap((event) => (event.type === 'logprobs' ? event.tokens : []))).toEqual(said.map(token));
  });

  it('logprobs of Responses, in the same form, whole and streamed', () => {
    const part = (text: string) => ({ type: 'output_text', text, logprobs: [{ token: text, logprob: -0.5 }] });
    const given = { token: 'a', logprob: -0.5, bytes: null, top_logprobs: [] };
    const whole = PROTOCOLS['openai-responses'].read(
      { output: [{ type: 'message', content: [part('a')] }], status: 'completed' },
      {},
    );
    expect(whole.filter(({ type }) => type === 'logprobs')).toEqual([{ type: 'logprobs', tokens: [given] }]);
    const reader = PROTOCOLS['openai-responses'].reader({});
    const delta = (text: string) => ({ type: 'response.output_text.delta', output_index: 0, delta: text });
    const final = { output: [{ type: 'message', content: [part('ab')] }], status: 'completed' };
    const others = [{ token: 'z', logprob: -3 }];
    const events = [
      { ...delta('a'), logprobs: [{ token: 'a', logprob: -0.5, top_logprobs: others }] },
      { ...delta('b'), logprobs: [{ token: 'b', logprob: -0.25, top_logprobs: [] }] },
      { ...delta('c'), logprobs: [] },
      { type: 'response.completed', response: final },
    ].flatMap((event) => reader.step({ data: JSON.stringify(event), event: '' }));
    expect(events.flatMap((event) => (event.type === 'logprobs' ? event.tokens : []))).toEqual([
      { token: 'a', logprob: -0.5, bytes: null, top_logprobs: [{ token: 'z', logprob: -3, bytes: null }] },
      { token: 'b', logprob: -0.25, bytes: null, top_logprobs: [] },
    ]);
  });

  it('which text has ended it', () => {
    const events = PROTOCOLS['anthropic-messages'].read(
      { content: [{ type: 'text', text: 'x' }], stop_reason: 'stop_sequence', stop_sequence: 'END', usage: {} },
      {},
    );
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop', stopSequence: 'END' });
  });
});
