import OpenAI, { BadRequestError } from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, RunRig } from '../runs/rig.ts';
import type { Json } from '../server.ts';
import { held, type Model, talk, toolCall } from '../turns/rig.ts';

// What is kept of a response, and how it is said again.

let rig: RunRig;
let client: OpenAI;

beforeAll(async () => {
  rig = await RunRig.start(undefined);
  const scopes = ['chat', 'conversations:read'];
  const { secret } = await must(rig.server.call('/api/keys', { name: 'forms', scopes }));
  client = new OpenAI({ baseURL: `${rig.server.url}/v1`, apiKey: secret, maxRetries: 0 });
});
afterAll(async () => {
  await rig.stop();
});

async function ask(fields: object, model: Pick<Model, 'name'> = { name: 'demo' }): Promise<Response> {
  const body = { model: model.name, ...fields };
  return await client.responses.create(body as OpenAI.Responses.ResponseCreateParamsNonStreaming);
}

async function messagesOf({ conversation }: Response): Promise<Json[]> {
  return await talk(rig.server, conversation?.id ?? '').messages();
}

async function listed({ id }: Response): Promise<Json[]> {
  return (await client.responses.inputItems.list(id, { order: 'asc' })).data;
}

describe('an input that was never said here', () => {
  const look = { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{"at":"sky"}' };
  const input = [
    { role: 'developer', content: 'Be short' },
    { role: 'user', content: 'Go' },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] },
    { role: 'assistant', content: 'Let me look' },
    look,
    { type: 'function_call_output', call_id: 'c1', output: 'blue' },
  ];

  it('is kept with its calls, their results and its reasoning; prompts are not', async () => {
    const model = rig.vendor.model();
    const first = await ask({ input, instructions: 'Be kind' }, model);
    const sent = model.calls[0]?.body.messages as Json[];
    expect(sent.map(({ role }) => role)).toEqual(['system', 'system', 'user', 'assistant', 'tool']);
    expect(sent.slice(0, 2).map(({ content }) => content)).toEqual(['Be kind', 'Be short']);
    const [, said, answer] = await messagesOf(first);
    expect(said).toMatchObject({ content: 'Let me look', reasoning: 'Hm' });
    expect(said.toolCalls[0]).toMatchObject({ id: 'c1', arguments: { at: 'sky' }, result: 'blue' });
    expect(answer.content).toBe('re blue');
    const items = await listed(first);
    expect(items.map(({ type }) => type)).toEqual([
      'message',
      'reasoning',
      'message',
      'function_call',
      'function_call_output',
    ]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(5);
    const more = [...input, ...first.output, { role: 'user', content: 'More' }];
    expect((await ask({ input: more }, model)).conversation).toEqual(first.conversation);
    const changed = input.map((item) => (item === look ? { ...look, arguments: '{"at":"sea"}' } : item));
    const other = await ask({ input: [...changed, ...first.output, { role: 'user', content: 'More' }] }, model);
    expect(other.conversation).not.toEqual(first.conversation);
  });

  it('must have the calls of its outputs, and no pictures in them if it is kept', async () => {
    const [, , , , , output] = input;
    for (const store of [true, false])
      await expect(ask({ input: [{ role: 'user', content: 'Go' }, output], store })).rejects.toThrow('"c1"');
    const picture = [{ type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' }];
    const shown = [...input.slice(0, 5), { ...output, output: picture }];
    await expect(ask({ input: shown })).rejects.toThrow('send store: false');
  });
});

it('items without ids belong to the answer of the one before them', async () => {
  const input = '/reason Hm\n/say one';
  const first = await ask({ input });
  const [reasoning, message] = first.output;
  const { id: _, ...nameless } = message as Json;
  const again = [{ role: 'user', content: input }, reasoning, nameless, { role: 'user', content: '/say two' }];
  expect((await ask({ input: again })).conversation).toEqual(first.conversation);
});

it('of two answers with a call of the same id, the newer one is gone on from', async () => {
  const model = rig.vendor.model((call) => {
    const isFirst = call.said.length === 1;
    call.answer(
      isFirst
        ? { content: null, tool_calls: [toolCall('call_1', 'look', {}), toolCall('call_0', 'look', {})] }
        : 'Done',
    );
  });
  const tools = [{ type: 'function', name: 'look', parameters: {} }];
  await ask({ input: 'One', tools }, model);
  const second = await ask({ input: 'Two', tools }, model);
  const nameless = (second.output as Json[]).map(({ id: _, ...item }) => item);
  const outputs = ['call_1', 'call_0'].map((call_id) => ({ type: 'function_call_output', call_id, output: 'sun' }));
  const next = await ask({ input: [{ role: 'user', content: 'Two' }, ...nameless, ...outputs], tools }, model);
  expect(next).toMatchObject({ output_text: 'Done', conversation: second.conversation });
});

it('one that was cut short is so when it is read again', async () => {
  const { id } = await ask({ input: '/say one two three', max_output_tokens: 2 });
  expect(await client.responses.retrieve(id)).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    completed_at: null,
  });
});

it('calls with a text keep their form, and can be referred to', async () => {
  const tools = [{ type: 'custom', name: 'patch' }];
  const input = '/tool patch {"input":"*** Begin"}\n/next\n/say Done';
  const first = await ask({ input, tools });
  const [call] = first.output as Json[];
  const output = { type: 'custom_tool_call_output', call_id: call.call_id, output: 'ok' };
  const asked = [{ role: 'user', content: input }, { type: 'item_reference', id: call.id }, output];
  const second = await ask({ input: asked, tools });
  expect(second).toMatchObject({ output_text: 'Done', conversation: first.conversation });
  const [, listedCall, listedOutput] = await listed(second);
  expect(listedCall).toEqual(call);
  expect(listedOutput).toMatchObject(output);
});

describe('in the background', () => {
  it('what is left out is named', async () => {
    for (const stream of [false, true]) {
      const body = { model: 'demo', input: '/say a', background: true, stream, truncation: 'auto' } as const;
      const response = await client.responses.create(body).asResponse();
      const { headers } = response;
      expect(await response.text()).toContain('"model":"demo/');
      expect(JSON.parse(headers.get('x-profclaw-warnings') ?? '[]')).toEqual([expect.stringMatching(/^truncation /)]);
      expect(headers.get('x-profclaw-provider')).toBe('demo');
    }
  });

  it('it is asked as it would be with its caller there', async () => {
    const model = rig.vendor.model();
    const text = { format: { type: 'json_object' } };
    const fields = { instructions: 'Be kind', temperature: 0.5, max_output_tokens: 50, top_p: 0.9, text };
    const { id } = await ask({ input: 'Go', background: true, ...fields }, model);
    await expect.poll(async () => (await client.responses.retrieve(id)).status).toBe('completed');
    await ask({ input: 'Go', ...fields }, model);
    await ask({ input: 'Go', ...fields, store: false }, model);
    const [run, turn, unkept] = model.calls.map(({ body: { stream: _, stream_options: __, ...body } }) => body);
    expect(run).toEqual(turn);
    expect(unkept).toEqual(turn);
    expect(run).toMatchObject({ temperature: 0.5, top_p: 0.9, messages: [{ content: 'Be kind' }, { content: 'Go' }] });
  });

  it('an attempt that broke off does not count', async () => {
    const model = rig.vendor.model(held);
    const stream = await client.responses.create({ model: model.name, input: 'Go', background: true, stream: true });
    const events: ResponseStreamEvent[] = [];
    let isCut = false;
    (await model.call(1)).piece('Once ');
    for await (const event of stream) {
      events.push(event);
      if (event.type !== 'response.output_text.delta' || isCut) continue;
      isCut = true;
      model.calls[0]?.cut();
      const call = await model.call(2);
      call.piece('Twice');
      call.end();
    }
    const begun = events.flatMap((event) => ('response' in event ? [[event.type, event.response.status]] : []));
    expect(begun).toEqual([
      ['response.created', 'queued'],
      ['response.queued', 'queued'],
      ['response.in_progress', 'in_progress'],
      ['response.completed', 'completed'],
    ]);
    const done = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event] : []));
    expect(done).toMatchObject([
      { output_index: 0, item: { status: 'incomplete', content: [{ text: 'Once ' }] } },
      { output_index: 1, item: { status: 'completed', content: [{ text: 'Twice' }] } },
    ]);
    const last = events.at(-1);
    expect(last?.type === 'response.completed' && last.response.output).toEqual([done[1]?.item]);
    const input = [
      { type: 'item_reference', id: done[1]?.item.id ?? '' },
      { role: 'user', content: 'More' },
    ];
    const next = await ask({ input, store: false }, rig.vendor.model());
    expect(next.output_text).toBe('re More');
  });
});

it('more than a request could bring is not sent for one that is not kept', async () => {
  const first = await ask({ input: '/say one' });
  const { id } = (await messagesOf(first))[0];
  await rig.db
    .updateTable('messages')
    .set({ size: 33 * 1024 ** 2 })
    .where('id', 'in', [id, first.id.replace('resp_', 'msg_')])
    .execute();
  const fields = { input: '/say two', store: false };
  await expect(ask({ ...fields, previous_response_id: first.id })).rejects.toBeInstanceOf(BadRequestError);
  const reference = { type: 'item_reference', id: first.output[0]?.id };
  await expect(ask({ ...fields, input: [reference, { role: 'user', content: 'a' }] })).rejects.toThrow('refers to');
  expect((await ask({ input: '/say two', previous_response_id: first.id })).output_text).toBe('two');
});
