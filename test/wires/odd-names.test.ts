import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/providers/chat-model.ts';
import type { WireName } from '../../src/providers/profiles.ts';
import { PROTOCOLS } from '../../src/providers/wire/wires.ts';
import { expectError } from '../contract/helpers.ts';
import { startTestServer } from '../server.ts';
import { readObjects, readWhole } from './reading.ts';

// Names that mean something to JavaScript or to a URL mean nothing on a wire.

describe.each(['constructor', '__proto__', 'toString'])('%s', (name) => {
  it('as the type of an event', () => {
    const end = { type: 'response.completed', response: { status: 'completed', output: [] } };
    expect(readObjects('openai-responses', [{ type: name, delta: 'no', output_index: 0 }, end])).toEqual({
      finish: 'stop',
    });
    const stop = { type: 'message_delta', delta: { stop_reason: 'end_turn' } };
    expect(readObjects('anthropic-messages', [{ type: name, delta: { text: 'no' } }, stop])).toEqual({
      finish: 'stop',
    });
  });

  it.each<[WireName, unknown]>([
    ['openai-chat', { choices: [{ message: { content: 'Yes' }, finish_reason: name }] }],
    ['anthropic-messages', { content: [{ type: 'text', text: 'Yes' }], stop_reason: name }],
    ['gemini', { candidates: [{ content: { parts: [{ text: 'Yes' }] }, finishReason: name, finishMessage: 'no' }] }],
    ['ollama-chat', { message: { content: 'Yes' }, done: true, done_reason: name }],
    ['cohere-chat', { message: { content: [{ type: 'text', text: 'Yes' }] }, finish_reason: name }],
  ])('as the finish reason of %s', (wire, body) => {
    expect(readWhole(wire, body)).toEqual({ text: 'Yes', finish: 'stop' });
  });
});

describe('a model whose name would lead to another path', () => {
  it.each(['..', '.', '../files', 'models/../files', 'a/./b', 'tunedModels/..'])('gemini: %s', (model) => {
    const request: ChatRequest = {
      model,
      messages: [],
      tools: [],
      toolChoice: undefined,
      temperature: undefined,
      maxTokens: undefined,
      stream: false,
    };
    expect(() => PROTOCOLS.gemini.lower(request, {})).toThrow(/model: ".*is no name of a model/);
    expect(PROTOCOLS.gemini.lower({ ...request, model: 'a..b/.c' }, {}).path).toBe('/models/a..b/.c:generateContent');
  });

  it('azure: the deployment', async () => {
    const server = await startTestServer({
      AZURE_OPENAI_API_KEY: 'x',
      AZURE_OPENAI_ENDPOINT: 'http://127.0.0.1:9',
      AZURE_OPENAI_API_VERSION: '2024-10-21',
    });
    const messages = [{ role: 'user', content: 'Hi' }];
    for (const model of ['azure/..', 'azure/.']) {
      const answer = await server.call('/api/chat/completions', { model, messages });
      expectError(answer, 400, 'invalid_request', /is no name of a model/);
    }
    await server.stop();
  });
});
