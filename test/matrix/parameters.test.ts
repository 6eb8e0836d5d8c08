import { afterAll, beforeAll, expect, it } from 'vitest';
import type { VendorType } from '../../src/providers/profiles.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { environmentOf, type Fakes, startFakes, TOOLS } from './fake.ts';
import { VENDORS } from './vendors.ts';

// All parameters at once, to every vendor: none may be refused, and each must be sent or named in a warning.

const SCHEMA = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
const ALL = {
  ...{ temperature: 0.625, topP: 0.375, topK: 37, stop: ['END-OF-IT'], seed: 4711 },
  ...{ frequencyPenalty: 0.125, presencePenalty: -0.125, logitBias: { 4242: -7 }, logprobs: 3 },
  responseFormat: { type: 'json-schema', schema: SCHEMA, strict: true },
  ...{ parallelToolCalls: false, tools: TOOLS.map((tool) => ({ ...tool, strict: true })) },
};

const NOT_OF_RESPONSES = ['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty', 'logitBias', 'logprobs'];
const NOT_OF_OPENAI = ['temperature', 'topP', ...NOT_OF_RESPONSES];

/** What each vendor's default model does not take. */
const LEFT: Readonly<Record<VendorType, readonly string[]>> = {
  anthropic: [
    ...['temperature', 'topP', 'topK', 'seed', 'frequencyPenalty', 'presencePenalty'],
    ...['logitBias', 'logprobs', 'strict'],
  ],
  openai: NOT_OF_OPENAI,
  azure: NOT_OF_OPENAI,
  xai: NOT_OF_RESPONSES,
  google: ['logitBias', 'logprobs', 'parallelToolCalls', 'strict'],
  groq: ['topK', 'logitBias', 'logprobs', 'responseFormat', 'strict'],
  mistral: ['topK', 'logitBias', 'logprobs'],
  deepseek: [
    ...['temperature', 'topK', 'seed', 'frequencyPenalty', 'presencePenalty', 'logitBias'],
    ...['responseFormat', 'strict'],
  ],
  together: ['logprobs', 'strict'],
  fireworks: [],
  cerebras: ['topK', 'frequencyPenalty', 'presencePenalty', 'logitBias'],
  openrouter: [],
  cohere: ['logitBias', 'logprobs', 'responseFormat', 'parallelToolCalls'],
  perplexity: ['seed', 'logitBias', 'strict', 'tools and toolChoice'],
  ollama: ['logitBias', 'logprobs', 'parallelToolCalls', 'strict'],
};

/** What of a request's body tells that a parameter has come through. */
const SIGNS: Readonly<Record<string, string>> = {
  ...{ temperature: '0.625', topP: '0.375', topK: ':37', stop: 'END-OF-IT', seed: '4711' },
  ...{ frequencyPenalty: ':0.125', presencePenalty: ':-0.125', logitBias: '4242', logprobs: 'top_logprobs' },
  ...{ responseFormat: '"a":{"type":"string"}', parallelToolCalls: 'parallel' },
};

let fakes: Fakes;
let server: TestServer;
const sent = new Map<string, Json>();

beforeAll(async () => {
  const vendors = VENDORS.map((vendor) => ({
    ...vendor,
    fake: {
      ...vendor.fake,
      check: (...[request, past]: Parameters<typeof vendor.fake.check>) => {
        sent.set(vendor.type, request.body);
        vendor.fake.check(request, past);
      },
    },
  }));
  fakes = await startFakes(vendors);
  server = await startTestServer(environmentOf(fakes.url, VENDORS));
});
afterAll(async () => {
  await server.stop();
  await fakes.stop();
});

it.for(VENDORS)('$name takes what it is sent, and what it is not sent is named', async ({ type, fake }) => {
  const asked = { model: `${type}/${fake.model}`, messages: [{ role: 'user', content: 'Hello' }], ...ALL };
  const { status, body, headers } = await server.call('/api/chat/completions', { ...asked, toolChoice: 'auto' });
  expect(status, body.error).toBe(200);
  const left = (body.warnings ?? []).map((warning: string) => warning.split(':')[0]);
  expect(left).toEqual(LEFT[type]);
  expect(JSON.parse(headers.get('x-profclaw-warnings') ?? '[]')).toEqual(body.warnings ?? []);
  const gone = new Set(left);
  // A vendor without tools is not told how to call them.
  if (type === 'perplexity') gone.add('parallelToolCalls');
  const text = JSON.stringify(sent.get(type));
  const came = Object.entries(SIGNS).flatMap(([name, sign]) => (text.includes(sign) ? [name] : []));
  expect(came).toEqual(Object.keys(SIGNS).filter((name) => !gone.has(name)));
  const { tools = [], strict_tools: areStrict = false } = sent.get(type);
  expect(areStrict || JSON.stringify(tools).includes('"strict":true')).toBe(!gone.has('strict'));
});
