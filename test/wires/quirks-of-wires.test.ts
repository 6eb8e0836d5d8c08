import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/providers/chat-model.ts';
import { PROFILES, type Quirks, type WireName } from '../../src/providers/profiles.ts';
import { settingIssues } from '../../src/providers/settings/issues.ts';
import { QuirksSchema } from '../../src/providers/settings/quirks.ts';
import { PROTOCOLS } from '../../src/providers/wire/wires.ts';

const WIRES = Object.keys(PROTOCOLS) as WireName[];
const QUIRKS = Object.keys(QuirksSchema.shape) as (keyof Quirks)[];

const request: ChatRequest = {
  model: 'm',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
  tools: [
    { name: 'f', description: undefined, parameters: { type: 'object', properties: { minItems: { minItems: 1 } } } },
  ],
  toolChoice: { name: 'f' },
  temperature: 0.5,
  maxTokens: undefined,
  stream: false,
};

describe('the quirks of a custom provider', () => {
  const refused = (wire: WireName | undefined, quirk: string): string[] => {
    const settings = { baseUrl: 'http://a.example', quirks: { [quirk]: true }, ...(wire ? { wire } : {}) };
    return settingIssues('custom:acme', settings as never).map(({ path, message }) => `${path} ${message}`);
  };

  it.each(WIRES)('%s: those that it does not heed are refused', (wire) => {
    for (const quirk of QUIRKS) {
      const isHeeded = PROTOCOLS[wire].quirks.includes(quirk);
      expect(refused(wire, quirk), quirk).toEqual(isHeeded ? [] : [`quirks.${quirk} is not for this wire`]);
    }
  });

  it('thinkTags and noTools are for openai-chat, which is the wire if none is named', () => {
    for (const quirk of ['thinkTags', 'noTools']) {
      expect(refused(undefined, quirk)).toEqual([]);
      expect(refused('gemini', quirk)).toHaveLength(1);
      expect(refused('openai-responses', quirk)).toHaveLength(1);
    }
    expect(refused('gemini', 'toolCallIds')).toEqual([]);
  });

  it.each(WIRES)('%s: refusedSchemaKeywords are heeded, with a warning, where that is said', (wire) => {
    const { quirks, lower } = PROTOCOLS[wire];
    const { body, warnings } = lower(request, { refusedSchemaKeywords: ['minItems'] });
    const isHeeded = quirks.includes('refusedSchemaKeywords');
    expect(JSON.stringify(body).match(/"minItems":/g)).toHaveLength(isHeeded ? 1 : 2);
    const said = 'tools: m does not take minItems in their parameters; left out';
    expect(warnings.filter((warning) => warning.startsWith('tools'))).toEqual(isHeeded ? [said] : []);
  });

  it.each(WIRES)('%s: reasoningModels are heeded where that is said', (wire) => {
    const { quirks, lower } = PROTOCOLS[wire];
    const { warnings } = lower(request, { reasoningModels: /m/ });
    const said = 'temperature: m does not take it; left out';
    expect(warnings.includes(said)).toBe(quirks.includes('reasoningModels'));
  });
});

it.each(Object.entries(PROFILES))(
  '%s has no quirk that its wires do not heed',
  (_type, { wire, otherWire, quirks }) => {
    const heeded = [wire, ...(otherWire ? [otherWire.wire] : [])].flatMap((name) => PROTOCOLS[name].quirks);
    expect(Object.keys(quirks).filter((quirk) => !heeded.includes(quirk as keyof Quirks))).toEqual([]);
  },
);

it('warnings name our parameters, and the model', () => {
  for (const wire of ['cohere-chat', 'ollama-chat'] as const) {
    expect(PROTOCOLS[wire].lower(request, {}).warnings).toEqual([expect.stringMatching(/^toolChoice: m /)]);
  }
});

it('ollama: no more than 131,072 tokens are asked for while the window is not known', () => {
  const huge = { ...request, maxTokens: Number.MAX_SAFE_INTEGER };
  const window = (facts?: object) => PROTOCOLS['ollama-chat'].lower(huge, {}, facts).window;
  expect(window()).toBe(131_072);
  expect(window({ contextWindow: 262_144 })).toBe(262_144);
  expect(window({ lastWindow: 262_144 })).toBe(262_144);
});
