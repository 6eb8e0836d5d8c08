import { describe, expect, it } from 'vitest';
import type { StartedCompletion } from '../../src/chat/complete.ts';
import { ANTHROPIC_WIRE } from '../../src/compat/anthropic-wire.ts';
import { toCompletionInput, toPrompt } from '../../src/compat/messages-input.ts';
import { messageUsage, wholeMessage } from '../../src/compat/messages-output.ts';
import { MessagesBody } from '../../src/compat/messages-schema.ts';
import { messageEvents } from '../../src/compat/messages-stream.ts';
import type { ProviderEvent } from '../../src/providers/chat-model.ts';
import type { Json } from '../server.ts';

// What becomes of requests and answers between Anthropic's form and ours.

const TARGET = { provider: 'google', model: 'm' } as const;
const BODY = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };

const read = (fields: object, target: { provider: string; model: string } = TARGET) =>
  toCompletionInput(MessagesBody.parse({ ...BODY, ...fields }), target);

function started(...events: ProviderEvent[]): StartedCompletion {
  async function* batches() {
    yield await Promise.resolve(events);
  }
  return { id: 'resp_1', startedAt: 0, ref: TARGET, warnings: [], attempts: [], events: batches() };
}

/** The blocks of a stream, put together. */
async function streamed(...events: ProviderEvent[]): Promise<Json> {
  let text = '';
  for await (const piece of messageEvents(started(...events), 'msg_1', { requestId: 'req_1', wire: ANTHROPIC_WIRE }))
    text += piece;
  const content: Json[] = [];
  let end: Json;
  for (const [, data = ''] of text.matchAll(/^data: (.*)$/gm)) {
    const { type, index, content_block, delta, ...rest } = JSON.parse(data);
    if (type === 'content_block_start') content[index] = content_block;
    if (type === 'message_delta' || type === 'error') end = { ...delta, ...rest };
    if (type !== 'content_block_delta') continue;
    if (delta.type === 'text_delta') content[index].text += delta.text;
    if (delta.type === 'thinking_delta') content[index].thinking += delta.thinking;
    if (delta.type === 'signature_delta') content[index].signature = delta.signature;
    if (delta.type === 'input_json_delta') content[index].input = JSON.parse(delta.partial_json);
  }
  return { content, end };
}

const EVENTS: ProviderEvent[] = [
  { type: 'reasoning', text: 'Hm' },
  { type: 'reasoning', text: ' hm', data: { sealed: 'a' } },
  { type: 'reasoning', text: '', data: { sealed: 'b' } },
  { type: 'text', text: 'So' },
  { type: 'text', text: '', data: { sealed: 'c' } },
  { type: 'tool-call', call: { id: 'c1', name: 'f', arguments: { n: 1 }, data: { sealed: 'd' } } },
  { type: 'tool-call', call: { id: 'c2', name: 'f', arguments: {}, invalidArguments: '{"n":' } },
  { type: 'text', text: '', data: { sealed: 'e' } },
  { type: 'usage', usage: { promptTokens: 10, completionTokens: 4, totalTokens: 14, cachedTokens: 7 } },
  { type: 'finish', reason: 'tool-calls' },
];

describe('an answer that comes back', () => {
  const origin = TARGET;
  const parts = [
    { type: 'reasoning', text: 'Hm hm', origin, data: { sealed: 'a' } },
    { type: 'reasoning', text: '', origin, data: { sealed: 'b' } },
    { type: 'text', text: 'So', origin, data: { sealed: 'c' } },
    { type: 'tool-call', call: { id: 'c1', name: 'f', arguments: { n: 1 }, origin, data: { sealed: 'd' } } },
    { type: 'tool-call', call: { id: 'c2', name: 'f', arguments: {}, invalidArguments: '{"n":' } },
    { type: 'text', text: '', origin, data: { sealed: 'e' } },
  ];
  const back = (content: unknown) =>
    toPrompt(MessagesBody.parse({ ...BODY, messages: [...BODY.messages, { role: 'assistant', content }] }), TARGET)
      .messages[1];

  it('has lost nothing, whole', async () => {
    const { content } = await wholeMessage(started(...EVENTS), 'msg_1');
    expect(back(content)).toEqual({ role: 'assistant', parts });
  });

  it('has lost nothing, streamed', async () => {
    const { content, end } = await streamed(...EVENTS);
    expect(back(content)).toEqual({ role: 'assistant', parts });
    expect(end).toMatchObject({ stop_reason: 'tool_use', usage: { input_tokens: 3, cache_read_input_tokens: 7 } });
  });

  it('has our own form where another provider has signatures too', async () => {
    const { content } = await wholeMessage(
      started({ type: 'reasoning', text: 'Hm', data: { signature: 'S' } }),
      'msg_1',
    );
    expect(content).toMatchObject([{ type: 'thinking', signature: expect.stringMatching(/^profclaw:/) }]);
  });

  it('is refused if what is opaque in it has been changed', () => {
    const content = [{ type: 'thinking', thinking: 'Hm', signature: 'profclaw:bm8' }];
    const result = MessagesBody.safeParse({ ...BODY, messages: [{ role: 'assistant', content }] });
    expect(result.error?.issues[0]?.message).toMatch(/sent back as it came/);
  });

  it('has Anthropic’s own signatures for the model that is asked', () => {
    const content = [{ type: 'thinking', thinking: 'Hm', signature: 'S' }];
    const { input } = read({ messages: [{ role: 'assistant', content }] }, { provider: 'anthropic', model: 'claude' });
    expect(input.messages[0]).toMatchObject({
      parts: [{ text: 'Hm', data: { signature: 'S' }, origin: { provider: 'anthropic', model: 'claude' } }],
    });
  });
});

describe('how an answer ends', () => {
  it.for([
    [{ type: 'finish', reason: 'stop' }, 'end_turn', null],
    [{ type: 'finish', reason: 'stop', stopSequence: 'END' }, 'stop_sequence', 'END'],
    [{ type: 'finish', reason: 'length' }, 'max_tokens', null],
    [{ type: 'finish', reason: 'content-filter' }, 'refusal', null],
  ] as const)('%o', async ([finish, stop_reason, stop_sequence]) => {
    const events = [{ type: 'text', text: 'A' }, finish] as const;
    expect(await wholeMessage(started(...events), 'msg_1')).toMatchObject({ stop_reason, stop_sequence });
    expect((await streamed(...events)).end).toMatchObject({ stop_reason, stop_sequence });
  });

  it('is an error where the provider says no more than that', async () => {
    const events = [
      { type: 'text', text: 'A' },
      { type: 'finish', reason: 'error' },
    ] as const;
    await expect(wholeMessage(started(...events), 'msg_1')).rejects.toMatchObject({ code: 'provider_protocol' });
    expect((await streamed(...events)).end).toMatchObject({ error: { type: 'api_error' }, request_id: 'req_1' });
  });
});

it('counts leave out what was cached, whether or not the provider does', () => {
  const usage = { promptTokens: 100, completionTokens: 5, totalTokens: 105, cachedTokens: 60, cacheWriteTokens: 10 };
  const cached = { cache_read_input_tokens: 60, cache_creation_input_tokens: 10, output_tokens: 5 };
  expect(messageUsage('openai', usage)).toEqual({ ...cached, input_tokens: 30 });
  expect(messageUsage('anthropic', usage)).toEqual({ ...cached, input_tokens: 100 });
});

describe('a request', () => {
  it.for([
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, 'low'],
    [{ thinking: { type: 'enabled', budget_tokens: 10_000 } }, 'high'],
    [{ thinking: { type: 'enabled', budget_tokens: 60_000 } }, 'max'],
    [{ thinking: { type: 'adaptive' } }, 'high'],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }, 'low'],
    [{ output_config: { effort: 'xhigh' } }, 'max'],
    [{ thinking: { type: 'disabled' } }, undefined],
    [{}, undefined],
  ] as const)('with %o is of the effort %s', ([fields, effort]) => {
    expect(read(fields).input.effort).toBe(effort);
  });

  it('brings all its parameters along', () => {
    const schema = { type: 'object', properties: {} };
    const tools = [{ name: 'f', input_schema: schema, strict: true }];
    const { input, warnings } = read({
      ...{ temperature: 0.5, top_p: 0.9, top_k: 3, stop_sequences: ['END'], stream: true, tools },
      ...{ system: [{ type: 'text', text: 'A' }], output_config: { format: { type: 'json_schema', schema } } },
      ...{ tool_choice: { type: 'any', disable_parallel_tool_use: true }, speed: 'fast', metadata: {} },
    });
    expect(input).toMatchObject({
      ...{ temperature: 0.5, sampling: { topP: 0.9, topK: 3, stop: ['END'] }, stream: true, maxTokens: 9 },
      ...{ toolChoice: 'required', parallelToolCalls: false, tools: [{ name: 'f', parameters: schema, strict: true }] },
      responseFormat: { type: 'json-schema', schema },
      messages: [{ role: 'system', text: 'A' }, { role: 'user' }],
    });
    expect(warnings).toEqual([expect.stringMatching(/^speed: /)]);
  });

  it('has results before words, with their pictures and failures', () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'aGk=' };
    const { input } = read({
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input: {} }] },
        {
          role: 'user',
          content: [
            { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hi' }, title: 'a' },
            {
              ...{ type: 'tool_result', tool_use_id: 'c', is_error: true },
              content: [
                { type: 'text', text: 'No' },
                { type: 'image', source },
              ],
            },
          ],
        },
      ],
    });
    expect(input.messages.slice(1)).toEqual([
      {
        ...{ role: 'tool', toolCallId: 'c', toolName: 'f', text: 'No', isError: true },
        media: [{ type: 'image', media: { data: 'aGk=', mediaType: 'image/png' } }],
      },
      { role: 'user', parts: [{ type: 'file', media: { data: 'aGk=', mediaType: 'text/plain' }, filename: 'a' }] },
    ]);
  });
});
