import OpenAI, { BadRequestError, ConflictError, NotFoundError, PermissionDeniedError } from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyed, newKey } from '../contract/keyed.ts';
import { must, RunRig } from '../runs/rig.ts';
import type { Json } from '../server.ts';
import { held, type Model, talk, toolCall } from '../turns/rig.ts';

// How responses end, fail and go, and what becomes of their conversations.

let rig: RunRig;
let client: OpenAI;
let echoing: Model;

beforeAll(async () => {
  rig = await RunRig.start(undefined);
  client = await clientWith(['chat', 'conversations:read']);
  echoing = rig.vendor.model();
});
afterAll(async () => {
  await rig.stop();
});

async function clientWith(scopes: string[]): Promise<OpenAI> {
  const { secret } = await must(rig.server.call('/api/keys', { name: scopes.join(), scopes }));
  return new OpenAI({ baseURL: `${rig.server.url}/v1`, apiKey: secret, maxRetries: 0 });
}

async function ask(fields: object, model: Model = echoing): Promise<Response> {
  const body = { model: model.name, input: 'Hi', ...fields };
  return await client.responses.create(body as OpenAI.Responses.ResponseCreateParamsNonStreaming);
}

function talkOf({ conversation }: Response): ReturnType<typeof talk> {
  return talk(rig.server, conversation?.id ?? '');
}

async function rowsOf({ id }: { id: string }): Promise<number> {
  return (await rig.db.selectFrom('responses').select('id').where('id', '=', id).execute()).length;
}

async function isThere(response: Response): Promise<boolean> {
  return (await rig.server.call(talkOf(response).path)).status === 200;
}

/** A kept response that has failed after its first words, with its stream's last event. */
async function failed(fields: object = {}): Promise<Response> {
  const model = rig.vendor.model(held);
  const stream = client.responses.create({ model: model.name, input: 'Fail', stream: true, ...fields });
  const call = await model.call(1);
  call.piece('Once ');
  let last: ResponseStreamEvent | undefined;
  for await (const event of await stream) {
    last = event;
    if (event.type === 'response.output_text.delta') call.cut();
  }
  if (last?.type !== 'response.failed') throw new Error(`it ended with ${last?.type}`);
  return last.response;
}

describe('one that has failed', () => {
  it('does not make others go on in a copy', async () => {
    const first = await ask({ input: 'One' });
    const refused = rig.vendor.model((call) => call.fail(400, 'no'));
    await expect(ask({ previous_response_id: first.id }, refused)).rejects.toBeInstanceOf(BadRequestError);
    const broken = await failed({ previous_response_id: first.id });
    const next = await ask({ input: 'Two', previous_response_id: first.id });
    expect([broken.conversation, next.conversation]).toEqual([first.conversation, first.conversation]);
    expect(await client.responses.retrieve(broken.id)).toMatchObject({ status: 'failed' });
    await expect(ask({ previous_response_id: broken.id })).rejects.toBeInstanceOf(ConflictError);
  });

  it('takes the outputs of calls once more', async () => {
    const calling = rig.vendor.model((call) =>
      call.answer({ content: null, tool_calls: [toolCall('c1', 'look', {})] }),
    );
    const tools = [{ type: 'function', name: 'look', parameters: null, strict: null }];
    const first = await ask({ tools }, calling);
    const fields = { previous_response_id: first.id, tools };
    const input = [{ type: 'function_call_output', call_id: 'c1', output: 'sun' }];
    const refused = rig.vendor.model((call) => call.fail(400, 'no'));
    await expect(ask({ ...fields, input }, refused)).rejects.toBeInstanceOf(BadRequestError);
    const next = await ask({ ...fields, input });
    expect(next).toMatchObject({ output_text: 're sun', conversation: first.conversation });
    const stray = [{ type: 'function_call_output', call_id: 'c2', output: 'rain' }];
    for (const store of [true, false]) await expect(ask({ ...fields, input: stray, store })).rejects.toThrow('"c2"');
  });

  it('takes nothing with it that somebody has added since', async () => {
    const broken = await failed();
    await must(talkOf(broken).send('Mine', { model: echoing.name }));
    await client.responses.delete(broken.id);
    expect((await talkOf(broken).messages()).map(({ content }) => content)).toContain('re Mine');
    const other = await failed();
    await client.responses.delete(other.id);
    expect(await isThere(other)).toBe(false);
  });
});

describe('one that is deleted', () => {
  it('leaves the conversation to those that are left, whichever they are', async () => {
    const first = await ask({ input: 'One' });
    const second = await ask({ input: 'Two', previous_response_id: first.id });
    await client.responses.delete(second.id);
    expect((await client.responses.retrieve(first.id)).output_text).toBe('re One');
    await client.responses.delete(first.id);
    expect(await isThere(first)).toBe(true);
  });

  it('leaves it to whoever has gone on in another way', async () => {
    const first = await ask({ input: 'One' });
    await must(talkOf(first).send('Mine', { model: echoing.name }));
    await client.responses.delete(first.id);
    expect(await isThere(first)).toBe(true);
  });

  it('takes the copy with it that was made for it', async () => {
    const conversation = await must(rig.server.call('/api/chat/conversations', {}));
    const first = await ask({ input: 'One', conversation: conversation.conversation.id });
    await must(talkOf(first).send('Mine', { model: echoing.name }));
    const beside = await ask({ input: 'Two', previous_response_id: first.id });
    expect(beside.conversation).not.toEqual(first.conversation);
    await client.responses.delete(beside.id);
    expect([await isThere(first), await isThere(beside)]).toEqual([true, false]);
  });

  it('leaves a conversation that was there before, also if others went on from it', async () => {
    const { conversation } = await must(rig.server.call('/api/chat/conversations', {}));
    const first = await ask({ input: 'One', conversation: conversation.id });
    const second = await ask({ input: 'Two', previous_response_id: first.id });
    const input = [{ role: 'user', content: 'One' }, ...first.output, { role: 'user', content: 'Two' }];
    const third = await ask({ input: [...input, ...second.output, { role: 'user', content: 'Three' }] });
    for (const { id, conversation: own } of [first, second, third]) {
      expect(own?.id).toBe(conversation.id);
      await client.responses.delete(id);
    }
    expect(await isThere(first)).toBe(true);
  });

  it('must have its answer first, or it is stopped if it is in the background', async () => {
    const model = rig.vendor.model(held);
    const stream = client.responses.create({ model: model.name, input: 'Hi', stream: true });
    const call = await model.call(1);
    call.piece('Once ');
    for await (const event of await stream) {
      if (event.type !== 'response.created') continue;
      expect((await client.responses.retrieve(event.response.id)).status).toBe('in_progress');
      await expect(client.responses.delete(event.response.id)).rejects.toBeInstanceOf(ConflictError);
      call.end();
    }
    const begun = await ask({ background: true }, model);
    const second = await model.call(2);
    await client.responses.delete(begun.id);
    await expect.poll(() => second.isGone()).toBe(true);
    expect([await rowsOf(begun), await isThere(begun)]).toEqual([0, false]);
  });

  it('goes with its conversation, and with its run’s messages', async () => {
    const whole = await ask({});
    const broken = await failed();
    for (const one of [whole, broken]) await must(rig.server.call(talkOf(one).path, undefined, { method: 'DELETE' }));
    const begun = await ask({ background: true });
    await expect.poll(async () => (await client.responses.retrieve(begun.id)).status).toBe('completed');
    const [{ id }] = await talkOf(begun).messages();
    await must(rig.server.call(`${talkOf(begun).path}/messages/${id}`, undefined, { method: 'DELETE' }));
    for (const response of [whole, broken, begun]) {
      await expect(client.responses.retrieve(response.id)).rejects.toBeInstanceOf(NotFoundError);
      expect(await rowsOf(response)).toBe(0);
    }
  });
});

it('a conversation that is deleted under it ends it, with the reason', async () => {
  const model = rig.vendor.model(held);
  const answer = ask({}, model);
  const call = await model.call(1);
  const [{ id }] = (await must(rig.server.call('/api/chat/conversations'))).conversations;
  await must(rig.server.call(`/api/chat/conversations/${id}`, undefined, { method: 'DELETE' }));
  await expect(answer).rejects.toThrow('deleted while it was being answered');
  await expect.poll(() => call.isGone()).toBe(true);
});

it('a conversation that is deleted under its stream ends it, with the reason', async () => {
  const model = rig.vendor.model(held);
  const stream = client.responses.create({ model: model.name, input: 'Hi', stream: true });
  (await model.call(1)).piece('Once ');
  let last: ResponseStreamEvent | undefined;
  for await (const event of await stream) {
    last = event;
    if (event.type !== 'response.output_text.delta') continue;
    const [{ id }] = (await must(rig.server.call('/api/chat/conversations'))).conversations;
    await must(rig.server.call(`/api/chat/conversations/${id}`, undefined, { method: 'DELETE' }));
  }
  const message = expect.stringContaining('deleted while it was being answered');
  expect(last).toMatchObject({ type: 'response.failed', response: { error: { message } } });
});

it('one that is not kept and fails in the middle is an error', async () => {
  const cut = { model: 'demo', input: '/say half\n/cut 503 gone', store: false };
  await expect(ask(cut)).rejects.toMatchObject({ code: 'provider_unavailable' });
});

it('an answer that cannot be kept has failed', async () => {
  const lose = () => rig.db.deleteFrom('turns').where('id', 'like', 'turn_%').execute();
  const model = rig.vendor.model(held);
  const whole = ask({}, model);
  whole.catch(() => undefined);
  const first = await model.call(1);
  const [{ id }] = (await must(rig.server.call('/api/chat/conversations'))).conversations;
  await lose();
  first.answer('Hello');
  await expect(whole).rejects.toThrow('The turn was taken back');
  expect((await rig.server.call(`/api/chat/conversations/${id}`)).status).toBe(404);
  const stream = client.responses.create({ model: model.name, input: 'Hi', stream: true });
  const second = await model.call(2);
  second.piece('Once ');
  let last: ResponseStreamEvent | undefined;
  for await (const event of await stream) {
    last = event;
    if (event.type !== 'response.output_text.delta') continue;
    await lose();
    second.end();
  }
  const message = expect.stringContaining('The turn was taken back');
  expect(last).toMatchObject({ type: 'response.failed', response: { error: { message } } });
  // A turn that nobody has taken back in the right way leaves messages behind.
  if (last?.type === 'response.failed')
    await rig.server.call(talkOf(last.response).path, undefined, { method: 'DELETE' });
});

it('a message that is deleted under it ends it, and nothing of it is left', async () => {
  const { conversation } = await must(rig.server.call('/api/chat/conversations', {}));
  const answer = ask({ input: '/say one\n/stall', model: 'demo', conversation: conversation.id });
  answer.catch(() => undefined);
  const { messages, path } = talk(rig.server, conversation.id);
  await expect.poll(async () => (await messages()).length).toBe(1);
  const [{ id }] = await messages();
  await must(rig.server.call(`${path}/messages/${id}`, undefined, { method: 'DELETE' }));
  await expect(answer).rejects.toThrow('deleted while it was being answered');
  const noted = rig.db.selectFrom('responses').select('id').where('request', 'like', `%${conversation.id}%`);
  expect(await noted.execute()).toEqual([]);
});

it('a key whose request is still being answered does not take it back', async () => {
  const model = rig.vendor.model(held);
  const options = keyed(newKey(), { model: model.name, input: 'Hi', stream: true });
  const leaving = new AbortController();
  const headers = { ...(options.headers as Record<string, string>), authorization: `Bearer ${client.apiKey}` };
  const stream = fetch(`${rig.server.url}/v1/responses`, { ...options, headers, signal: leaving.signal });
  const call = await model.call(1);
  call.piece('Once ');
  await stream;
  leaving.abort();
  const again = fetch(`${rig.server.url}/v1/responses`, { ...options, headers });
  call.end();
  const text = await (await again).text();
  expect(text).toContain('event: response.completed');
  expect(text).toContain('Once ');
  expect(model.calls).toHaveLength(1);
});

/** Holds the turn of a conversation, as another process would. @returns how to count its responses, and to let go. */
async function occupy({ conversation }: Response): Promise<{ noted(): Promise<Json[]>; leave(): Promise<unknown> }> {
  const found = rig.db
    .selectFrom('conversations')
    .select('number')
    .where('id', '=', conversation?.id ?? '');
  const { number } = await found.executeTakeFirstOrThrow();
  const turn = {
    conversation: number,
    owner: 'local',
    id: 'turn_other',
    node: 'other',
    first_seq: 3,
    expires_at: 1e15,
  };
  await rig.db.insertInto('turns').values(turn).execute();
  return {
    noted: () => rig.db.selectFrom('responses').selectAll().where('conversation', '=', number).execute(),
    leave: () => rig.db.deleteFrom('turns').where('id', '=', 'turn_other').execute(),
  };
}

it('a key whose request has failed is free, and makes it then', async () => {
  let calls = 0;
  const model = rig.vendor.model((call) => (++calls === 1 ? call.fail(400, 'no') : call.answer('Yes')));
  const options = keyed(newKey(), { model: model.name, input: 'Hi' });
  expect((await rig.server.call('/v1/responses', undefined, options)).status).toBe(400);
  const made = await must(rig.server.call('/v1/responses', undefined, options));
  expect((await talkOf(made).messages()).map(({ content }) => content)).toEqual(['Hi', 'Yes']);
});

it('a key whose request has failed under its caller’s eyes does not take it back when it fails again', async () => {
  const model = rig.vendor.model((call) => {
    if (model.calls.length > 1) call.fail(400, 'no');
  });
  const options = keyed(newKey(), { model: model.name, input: 'Hi', stream: true });
  const stream = fetch(`${rig.server.url}/v1/responses`, options);
  const call = await model.call(1);
  call.piece('Once ');
  const response = await stream;
  call.cut();
  const text = await response.text();
  expect(text).toContain('event: response.failed');
  expect((await rig.server.call('/v1/responses', undefined, options)).status).toBe(400);
  const id = /"id":"(resp_\w+)"/.exec(text)?.[1] ?? '';
  expect(await client.responses.retrieve(id)).toMatchObject({
    status: 'failed',
    error: { message: expect.stringMatching(/ no$/) },
  });
});

it('a request that died when its answer was stored notes the calls when it is repeated', async () => {
  const calling = rig.vendor.model((call) => call.answer({ content: null, tool_calls: [toolCall('c9', 'look', {})] }));
  const tools = [{ type: 'function', name: 'look', parameters: {} }];
  const { id: previous_response_id } = await ask({});
  const options = keyed(newKey(), { model: calling.name, input: 'Hi', tools, previous_response_id });
  const { id, conversation } = await must(rig.server.call('/v1/responses', undefined, options));
  await rig.db.updateTable('responses').set({ last_call: null }).where('id', '=', id).execute();
  await rig.db
    .updateTable('idempotency_keys')
    .set({ status: null, answer: null, expires_at: Date.now() - 1000 })
    .execute();
  expect(await must(rig.server.call('/v1/responses', undefined, options))).toMatchObject({ id, conversation });
  const row = rig.db.selectFrom('responses').select('last_call').where('id', '=', id);
  expect([calling.calls.length, await row.executeTakeFirst()]).toEqual([1, { last_call: 'c9' }]);
});

it('a request that died before its turn began does not go on behind others', async () => {
  const first = await ask({ input: 'One' });
  const { noted, leave } = await occupy(first);
  const options = keyed(newKey(), { model: echoing.name, input: 'Two', previous_response_id: first.id });
  const dying = new AbortController();
  const waiting = rig.server.call('/v1/responses', undefined, { ...options, signal: dying.signal });
  waiting.catch(() => undefined);
  await expect.poll(async () => (await noted()).length).toBe(2);
  const row = (await noted()).find(({ id }) => id !== first.id);
  dying.abort();
  await expect.poll(async () => (await noted()).length).toBe(1);
  await rig.db.insertInto('responses').values(row).execute();
  await leave();
  const other = await ask({ input: 'Three', previous_response_id: first.id });
  const again = await must(rig.server.call('/v1/responses', undefined, options));
  expect([other.conversation, again.id]).toEqual([first.conversation, row.id]);
  expect((await noted()).map(({ id }) => id)).toEqual([first.id, other.id]);
  expect((await talkOf(again).messages()).map(({ content }) => content)).toEqual(['One', 're One', 'Two', 're Two']);
});

it('two that find the place free at once do not both take it', async () => {
  const first = await ask({ input: 'One' });
  const { noted, leave } = await occupy(first);
  const both = ['Two', 'Three'].map((input) => ask({ input, previous_response_id: first.id }));
  await expect.poll(async () => (await noted()).length).toBe(3);
  await leave();
  const answers = await Promise.all(both);
  expect(answers.map(({ output_text }) => output_text)).toEqual(['re Two', 're Three']);
  expect(new Set(answers.map((one) => one.conversation?.id)).size).toBe(2);
});

it('what is kept is read with conversations:read alone', async () => {
  const first = await ask({});
  const other = await clientWith(['chat']);
  await expect(other.responses.retrieve(first.id)).rejects.toBeInstanceOf(PermissionDeniedError);
  await expect(other.responses.inputItems.list(first.id)).rejects.toBeInstanceOf(PermissionDeniedError);
  const reader = await clientWith(['conversations:read']);
  await expect(reader.responses.delete(first.id)).rejects.toBeInstanceOf(PermissionDeniedError);
  const watched = client.responses.retrieve(first.id, { stream: true });
  await expect(watched).rejects.toThrow('not in the background');
});

it('a page of items begins behind one of the list alone', async () => {
  const first = await ask({ input: 'One' });
  const second = await ask({ input: 'Two', previous_response_id: first.id });
  const other = await ask({ input: 'Three' });
  const own = (response: Response): string => response.output[0]?.id ?? '';
  for (const after of [own(second), own(other)])
    await expect(client.responses.inputItems.list(second.id, { after })).rejects.toBeInstanceOf(BadRequestError);
  const page = await client.responses.inputItems.list(second.id, { after: own(first), order: 'asc' });
  expect(page.data.map((item: Json) => item.content[0].text)).toEqual(['Two']);
});
