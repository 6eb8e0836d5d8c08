import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../chat-model.ts';
import { PROFILES, type Quirks, type VendorType } from '../profiles.ts';
import { QuirksSchema, toQuirks } from '../settings/quirks.ts';
import { PROTOCOLS } from '../wire/wires.ts';
import type { WireRequest } from './protocol.ts';

const ASKED: ChatRequest = {
  ...{ model: 'a-model', tools: [], toolChoice: undefined, temperature: 0.5, maxTokens: 4000, stream: false },
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
};
const SAMPLING = {
  ...{ topP: 0.5, topK: 7, stop: ['END'], seed: 11, frequencyPenalty: 0.25, presencePenalty: -0.25 },
  ...{ logitBias: { 42: -100 }, logprobs: 2 },
};

/** A request to a model of a vendor, on the wire that the model takes. */
function lower(type: VendorType, model: string, more: Partial<ChatRequest> = { sampling: SAMPLING }): WireRequest {
  const { wire, otherWire, quirks } = PROFILES[type];
  const taken = otherWire?.models.test(model) ? otherWire.wire : wire;
  return PROTOCOLS[taken].lower({ ...ASKED, model, ...more }, quirks);
}

const namesOf = ({ warnings }: WireRequest): string[] => warnings.map((warning) => warning.split(':')[0] ?? '');

describe('what single vendors take', () => {
  it('mistral calls the seed random_seed', () => {
    expect(lower('mistral', 'mistral-medium-latest').body).toMatchObject({ random_seed: 11 });
    expect(lower('mistral', 'mistral-medium-latest').body).not.toHaveProperty('seed');
  });

  it.for(['together', 'fireworks', 'openrouter', 'perplexity'] as const)('%s takes top_k', (type) => {
    expect(lower(type, 'a-model').body).toMatchObject({ top_k: 7 });
  });

  it('xai: models that reason refuse stop and penalties; none takes logit_bias', () => {
    const refused = ['stop', 'frequencyPenalty', 'presencePenalty'];
    const left = (model: string) => namesOf(lower('xai', model)).filter((name) => name !== 'topK');
    expect(left('grok-code-fast-1')).toEqual([...refused, 'logitBias']);
    expect(left('grok-3')).toEqual(['presencePenalty', 'logitBias']);
    expect(left('grok-4-1-fast-non-reasoning')).toEqual(['logitBias']);
    // The later ones take it and do not heed it.
    expect(left('grok-4.20-0309-non-reasoning')).toEqual(['logitBias', 'logprobs']);
    expect(lower('xai', 'grok-3').body).toMatchObject({ stop: ['END'], frequency_penalty: 0.25 });
    expect(left('grok-4-fast-reasoning')).toContain('logprobs');
    expect(lower('xai', 'grok-4-fast-reasoning').body).not.toHaveProperty('top_logprobs');
  });

  it('deepseek: models that think choose their words by themselves', () => {
    const left = (model: string) => namesOf(lower('deepseek', model));
    expect(left('deepseek-chat')).toEqual(['topK', 'seed', 'logitBias']);
    const thinking = ['temperature', 'topK', 'seed', 'frequencyPenalty', 'presencePenalty', 'logitBias'];
    expect(left('deepseek-v4-pro')).toEqual(thinking);
    expect(left('deepseek-reasoner')).toEqual(['temperature', 'topP', ...thinking.slice(1), 'logprobs']);
  });

  it('deepseek takes JSON without a schema, perplexity only with one', () => {
    const schema = { type: 'json-schema', name: 'answer', schema: { type: 'object' } } as const;
    const asked = (type: VendorType, responseFormat: NonNullable<ChatRequest['responseFormat']>) => {
      const { body, warnings } = lower(type, 'a-model', { responseFormat });
      return [body.response_format, warnings];
    };
    const json = { type: 'json_object' };
    const without = ['responseFormat: a-model takes no schema; only JSON was asked for'];
    expect(asked('deepseek', schema)).toEqual([json, without]);
    expect(asked('deepseek', { type: 'json' })).toEqual([json, []]);
    const left = ['responseFormat: a-model does not take it; left out'];
    expect(asked('perplexity', { type: 'json' })).toEqual([undefined, left]);
    expect(asked('perplexity', schema)).toMatchObject([{ type: 'json_schema' }, []]);
  });

  it('groq takes no form of the answer beside tools, and of Llama 3 no schema', () => {
    const format = { type: 'json-schema', name: 'answer', schema: { type: 'object' } } as const;
    const formatOf = (model: string, tools: ChatRequest['tools'] = []) => {
      const { body, warnings } = lower('groq', model, { responseFormat: format, tools });
      return [(body.response_format as { type?: string } | undefined)?.type, warnings];
    };
    expect(formatOf('openai/gpt-oss-20b')).toEqual(['json_schema', []]);
    const without = 'responseFormat: llama-3.3-70b-versatile takes no schema; only JSON was asked for';
    expect(formatOf('llama-3.3-70b-versatile')).toEqual(['json_object', [without]]);
    const tool = { name: 'look', description: undefined, parameters: {} };
    const left = 'responseFormat: openai/gpt-oss-20b does not take it together with tools; left out';
    expect(formatOf('openai/gpt-oss-20b', [tool])).toEqual([undefined, [left]]);
  });

  it('strict tools, where the vendor has them', () => {
    const tools = ['a', 'b'].map((name) => ({ name, description: undefined, parameters: {}, strict: name === 'a' }));
    const strict = (type: VendorType) => {
      const { body, warnings } = lower(type, 'a-model', { tools });
      return [JSON.parse(JSON.stringify(body.tools)).map((tool: { function: object }) => tool.function), warnings];
    };
    const [a, b] = ['a', 'b'].map((name) => ({ name, parameters: {} }));
    for (const type of ['openai', 'mistral', 'fireworks', 'cerebras', 'openrouter'] as const) {
      expect(strict(type), type).toEqual([[{ ...a, strict: true }, b], []]);
    }
    for (const type of ['groq', 'xai', 'deepseek', 'together'] as const) {
      expect(strict(type), type).toEqual([[a, b], ['strict: a-model does not take it; left out']]);
    }
    // All or none.
    const left = ['strict: a-model does not take it; left out'];
    expect(lower('cohere', 'a-model', { tools })).toMatchObject({ body: { tools: [{}, {}] }, warnings: left });
    expect(lower('cohere', 'a-model', { tools }).body).not.toHaveProperty('strict_tools');
    const all = lower('cohere', 'a-model', { tools: tools.slice(0, 1) });
    expect(all).toMatchObject({ body: { strict_tools: true }, warnings: [] });
  });
});

describe('anthropic', () => {
  const both = { sampling: { topP: 0.5 } };

  it.for(['claude-opus-4-1-20250805', 'claude-sonnet-4-5', 'claude-haiku-4.5', 'claude-opus-4-6'])(
    '%s takes no top_p beside a temperature',
    (model) => {
      const { body, warnings } = lower('anthropic', model, both);
      expect(body).toMatchObject({ temperature: 0.5 });
      expect(body).not.toHaveProperty('top_p');
      expect(warnings).toEqual([`topP: ${model} does not take it together with temperature; left out`]);
      expect(lower('anthropic', model, { ...both, temperature: undefined })).toMatchObject({
        body: { top_p: 0.5 },
        warnings: [],
      });
    },
  );

  it.for(['claude-3-7-sonnet-latest', 'claude-sonnet-4-20250514', 'claude-3-5-haiku-latest'])(
    '%s takes both',
    (model) => {
      expect(lower('anthropic', model, both)).toMatchObject({ body: { temperature: 0.5, top_p: 0.5 }, warnings: [] });
    },
  );

  it.for([{ topK: 5 }, { topP: 0.9 }])('does not think where it is told how to choose its words (%o)', (sampling) => {
    const asked = { sampling, temperature: undefined, effort: 'high' as const };
    expect(lower('anthropic', 'claude-sonnet-4-5', asked).body).not.toHaveProperty('thinking');
    const free = { ...asked, sampling: { topP: 0.95 } };
    expect(lower('anthropic', 'claude-sonnet-4-5', free).body).toHaveProperty('thinking');
  });
});

describe('of custom providers', () => {
  it('names and refusals are settings, on every wire', () => {
    const written = {
      parameterNames: { seed: 'random_seed', topK: 'k_best' },
      refusedParameters: [
        { models: ['a-'], parameters: ['temperature', 'topP'] },
        { models: ['b-'], parameters: ['seed'] },
      ],
    };
    const quirks: Quirks = toQuirks(QuirksSchema.parse(written));
    for (const [wire, { lower: lowerOn, quirks: heeded }] of Object.entries(PROTOCOLS)) {
      const request = lowerOn({ ...ASKED, sampling: { topP: 0.5, topK: 7, seed: 11 } }, quirks);
      const text = JSON.stringify(request.body);
      expect(text, wire).toContain('"random_seed":11');
      expect(text, wire).toContain('"k_best":7');
      expect(namesOf(request), wire).toEqual(['temperature', 'topP']);
      expect(heeded, wire).toEqual(expect.arrayContaining(['parameterNames', 'refusedParameters']));
    }
    const oneByOne: Quirks = toQuirks({ refusedParameters: [{ parameters: ['parallelToolCalls'] }] });
    const tools = [{ name: 'look', description: undefined, parameters: { type: 'object' } }];
    for (const wire of ['openai-chat', 'openai-responses', 'anthropic-messages'] as const) {
      const request = { ...ASKED, tools, parallelToolCalls: false };
      expect(JSON.stringify(PROTOCOLS[wire].lower(request, {}).body), wire).toContain('parallel_tool');
      const { body, warnings } = PROTOCOLS[wire].lower(request, oneByOne);
      expect(JSON.stringify(body), wire).not.toContain('parallel_tool');
      expect(warnings, wire).toEqual(['parallelToolCalls: a-model does not take it; left out']);
    }
    const { responseFormats } = toQuirks(
      QuirksSchema.parse({ responseFormats: [{ models: ['a'], formats: ['json'] }] }),
    );
    expect(responseFormats).toEqual([{ models: /^(?:a)/, formats: ['json'] }]);
    for (const wrong of [
      { parameterNames: { seed: 'a b' } },
      { parameterNames: { temperature: 't' } },
      { refusedParameters: [{ parameters: ['seeds'] }] },
      { refusedParameters: [{ parameters: [] }] },
      { responseFormats: [{ formats: ['xml'] }] },
    ]) {
      expect(QuirksSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});
