import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idFrom } from '../../src/core/ids.ts';
import { method } from '../contract/helpers.ts';
import { keyed, newKey, REPLAYED } from '../contract/keyed.ts';
import type { Json } from '../server.ts';
import { type Graveyard, openGraveyard } from './dead.ts';
import { begin, echo, held, type Model, startRig, type Talk, toolCall } from './rig.ts';

// Idempotency keys on what is not a plain message: retries, several messages, results and calls of tools, copies.

let rig: Awaited<ReturnType<typeof startRig>>;
let dead: Graveyard;

beforeAll(async () => {
  rig = await startRig();
  dead = await openGraveyard(rig.server);
});
afterAll(async () => {
  await dead.close();
  await rig.stop();
});

const COMPLETIONS = '/api/chat/completions';
const TOOLS = [{ name: 'weather', parameters: { type: 'object' } }];
const CALLS = { content: 'Let me see.', tool_calls: [toolCall('one', 'weather', { city: 'Oslo' })] };
const user = (content: string) => ({ role: 'user', content });
const post = (path: string, key: string, body: object) => rig.server.call(path, undefined, keyed(key, body));

async function fail(model: Model, number: number, sent: Promise<{ status: number }>): Promise<void> {
  (await model.call(number)).fail(401, 'no');
  expect((await sent).status).toBe(502);
}

/** A conversation whose only message has failed. */
async function failedTalk(): Promise<{ talk: Talk; model: Model; path: string; key: string }> {
  const model = rig.vendor.model(held);
  const talk = await begin(rig.server, model);
  await fail(model, 1, talk.send('Hi'));
  model.calls.length = 0;
  return { talk, model, path: `${talk.path}/retry`, key: newKey() };
}

describe('a retry with a key', () => {
  const LINES = ['complete user: Hi', 'complete assistant: re Hi'];

  it('twice is one answer', async () => {
    const { talk, model, path, key } = await failedTalk();
    const first = post(path, key, {});
    echo(await model.call(1));
    const again = await post(path, key, {});
    expect([again.headers.get(REPLAYED), again.body]).toEqual(['true', (await first).body]);
    expect(model.calls).toHaveLength(1);
    expect(await talk.lines()).toEqual(LINES);
  });

  it('that failed is tried again', async () => {
    const { talk, model, path, key } = await failedTalk();
    await fail(model, 1, post(path, key, {}));
    const again = post(path, key, {});
    echo(await model.call(2));
    expect((await again).status).toBe(200);
    expect(await talk.lines()).toEqual(LINES);
  });

  it('whose process died after the answer was stored gets that answer', async () => {
    const { talk, model, path, key } = await failedTalk();
    const first = post(path, key, {});
    echo(await model.call(1));
    const { body } = await first;
    await dead.dieAtKey(key);
    const again = await post(path, key, {});
    expect([again.status, again.headers.get(REPLAYED), again.body]).toEqual([200, null, body]);
    expect(model.calls).toHaveLength(1);
    expect(await talk.lines()).toEqual(LINES);
  });

  it('gets it also when the conversation has gone on since, well or not', async () => {
    const { talk, model, path, key } = await failedTalk();
    const first = post(path, key, {});
    echo(await model.call(1));
    const { body } = await first;
    await fail(model, 2, talk.send('Next'));
    await dead.dieAtKey(key);
    expect((await post(path, key, {})).body).toEqual(body);
    expect(await talk.lines()).toEqual([...LINES, 'failed user: Next']);
    const retry = talk.retry();
    echo(await model.call(3));
    expect((await retry).body.userMessage.content).toBe('Next');
    await dead.dieAtKey(key);
    expect((await post(path, key, {})).body).toEqual(body);
    expect(model.calls).toHaveLength(3);
  });
});

describe('a request with several messages', () => {
  const given = [user('One'), { role: 'assistant', content: 'Two' }, user('Three')];

  async function sent(script = held) {
    const model = rig.vendor.model(script);
    const talk = await begin(rig.server, model);
    return { talk, model, key: newKey(), body: { conversationId: talk.id, messages: given } };
  }

  it('that failed is taken up with all of them', async () => {
    const { talk, model, key, body } = await sent();
    await fail(model, 1, post(COMPLETIONS, key, body));
    const before = (await talk.messages()).map(({ id, seq }) => [id, seq]);
    await dead.dieAtKey(key);
    await dead.dieInTurn(talk, 3);
    const again = post(COMPLETIONS, key, body);
    const call = await model.call(2);
    expect(call.said).toEqual(['user: One', 'assistant: Two', 'user: Three']);
    echo(call);
    expect((await again).body.message.content).toBe('re Three');
    const after = await talk.messages();
    expect(after.map(({ id, seq }) => [id, seq]).slice(0, 3)).toEqual(before);
    expect(after.map(({ status }) => status)).toEqual(Array(4).fill('complete'));
  });

  it.each([0, 1, 2])('of which some were deleted since (from number %i on) is a new one', async (from) => {
    const { talk, model, key, body } = await sent();
    await fail(model, 1, post(COMPLETIONS, key, body));
    const message = (await talk.messages())[from];
    await rig.server.call(`${talk.path}/messages/${message.id}`, undefined, method('DELETE'));
    const before = await talk.messages();
    expect(before).toHaveLength(from);
    const again = post(COMPLETIONS, key, body);
    const call = await model.call(2);
    expect(call.said).toEqual(['user: One', 'assistant: Two', 'user: Three']);
    echo(call);
    expect((await again).status).toBe(200);
    const after = await talk.messages();
    expect(after.slice(0, from)).toEqual(before);
    expect(after.slice(from).map(({ status }) => status)).toEqual(Array(4).fill('complete'));
    const places = after.map(({ seq }) => seq);
    expect(new Set(places).size).toBe(from + 4);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('tried again without the key gets that answer for the key too', async () => {
    const { talk, model, key, body } = await sent();
    await fail(model, 1, post(COMPLETIONS, key, body));
    const retry = talk.retry();
    echo(await model.call(2));
    const { assistantMessage } = (await retry).body;
    const { status, body: found } = await post(COMPLETIONS, key, body);
    expect([status, found.messageId]).toEqual([200, assistantMessage.id]);
    expect(model.calls).toHaveLength(2);
    expect(await talk.messages()).toHaveLength(4);
  });
});

describe('tools', () => {
  /** A conversation whose first answer, asked for with the key, calls a tool. */
  async function called(stream: boolean) {
    const model = rig.vendor.model((call) => call.answer(model.calls.length === 1 ? CALLS : 'Cold'));
    const talk = await begin(rig.server, model);
    const key = newKey();
    const body = { conversationId: talk.id, messages: [user('Weather?')], tools: TOOLS, stream };
    return { talk, model, key, body };
  }

  it('calls whose process died after they were stored come again, streamed too', async () => {
    const { model, key, body } = await called(true);
    const ask = async (): Promise<Json[]> => {
      const text = await (await fetch(rig.server.url + COMPLETIONS, keyed(key, body))).text();
      const events = text.split('\n\n').flatMap((block) => (block === '' ? [] : [JSON.parse(block.slice(6))]));
      return events.map((event) => ({ ...event, id: undefined }));
    };
    const first = await ask();
    expect(first).toMatchObject([{ content: 'Let me see.' }, { toolCall: { id: 'one' } }, { done: true }]);
    await dead.dieAtKey(key);
    expect(await ask()).toEqual(first);
    expect(model.calls).toHaveLength(1);
  });

  it('results whose process died after the answer was stored get that answer', async () => {
    const { talk, model, key: _, body } = await called(false);
    await rig.server.call(COMPLETIONS, body);
    const key = newKey();
    const results = { ...body, messages: [{ role: 'tool', toolCallId: 'one', content: '4 °C' }] };
    const first = await post(COMPLETIONS, key, results);
    expect(first.body.message.content).toBe('Cold');
    await dead.dieAtKey(key);
    const again = await post(COMPLETIONS, key, results);
    expect(again.body).toEqual({ ...first.body, id: again.body.id });
    expect(model.calls).toHaveLength(2);
    expect(await talk.messages()).toHaveLength(3);
    await talk.send('Thanks');
    await dead.dieAtKey(key);
    expect((await post(COMPLETIONS, key, results)).body.messageId).toBe(first.body.messageId);
    expect(model.calls).toHaveLength(3);
  });
});

describe('conversations', () => {
  it.each(['create', 'fork', 'import'])('%s: the same key gives the same one, also after a death', async (verb) => {
    const talk = await begin(rig.server, rig.vendor.model());
    await talk.send('Hi');
    const requests: Record<string, [string, object]> = {
      create: ['/api/chat/conversations', { title: 'T' }],
      fork: [`${talk.path}/fork`, {}],
      import: ['/api/chat/conversations/import', { messages: [user('Hi')] }],
    };
    const [path, body] = requests[verb]!;
    const key = newKey();
    const [first, second] = await Promise.all([post(path, key, body), post(path, key, body)]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    const { token } = await dead.db
      .selectFrom('idempotency_keys')
      .select('token')
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    expect(first.body.conversation.id).toBe(idFrom('conv', token, 0));
    const total = async () => (await rig.server.call('/api/chat/conversations')).body.total;
    const before = await total();
    await dead.dieAtKey(key);
    const again = await Promise.all(Array.from({ length: 3 }, () => post(path, key, body)));
    for (const answer of again) expect([answer.status, answer.body]).toEqual([201, first.body]);
    expect(again.filter(({ headers }) => !headers.has(REPLAYED))).toHaveLength(1);
    expect(await total()).toBe(before);
  });
});
