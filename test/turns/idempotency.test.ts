import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { idFrom } from '../../src/core/ids.ts';
import { RunningRequests } from '../../src/http/running.ts';
import { expectError, method } from '../contract/helpers.ts';
import { keyed, newKey, REPLAYED } from '../contract/keyed.ts';
import type { Json } from '../server.ts';
import { type Graveyard, openGraveyard } from './dead.ts';
import { begin, echo, eventsOf, held, type Model, startRig, type Talk } from './rig.ts';

// A message with an Idempotency-Key is one message with one answer, however often it is sent and whatever dies.

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
const post = (path: string, key: string, body: object) => rig.server.call(path, undefined, keyed(key, body));
const user = (content: string) => ({ role: 'user', content });

/** The text of a streamed answer, and whether it was given before. */
async function stream(path: string, key: string, body: object): Promise<{ text: string; replayed: string | null }> {
  const response = await fetch(rig.server.url + path, keyed(key, { ...body, stream: true }));
  return { text: await response.text(), replayed: response.headers.get(REPLAYED) };
}

/** The token of a key, which the ids of all that it makes are made of. */
async function tokenOf(key: string): Promise<string> {
  const row = await dead.db.selectFrom('idempotency_keys').select('token').where('key', '=', key).executeTakeFirst();
  return row!.token;
}

describe.each([
  ['a message', (talk: Talk) => [`${talk.path}/messages`, { content: 'Hi' }]],
  ['a completion', ({ id }: Talk) => [COMPLETIONS, { conversationId: id, messages: [user('Hi')] }]],
] as [string, (talk: Talk) => [string, object]][])('%s with a key', (_, request) => {
  const LINES = ['complete user: Hi', 'complete assistant: re Hi'];

  async function fresh(script = echo): Promise<{ talk: Talk; model: Model; path: string; body: object; key: string }> {
    const model = rig.vendor.model(script);
    const talk = await begin(rig.server, model);
    const [path, body] = request(talk);
    return { talk, model, path, body, key: newKey() };
  }

  it('twice is one message and one answer', async () => {
    const { talk, model, path, body, key } = await fresh();
    const first = await post(path, key, body);
    const second = await post(path, key, body);
    expect([first, second].map(({ status, headers }) => [status, headers.get(REPLAYED)])).toEqual([
      [200, null],
      [200, 'true'],
    ]);
    expect(second.body).toEqual(first.body);
    expect(await talk.lines()).toEqual(LINES);
    expect((await talk.messages())[0].id).toBe(idFrom('msg', await tokenOf(key), 0));
    expect(model.calls).toHaveLength(1);
  });

  it('twice, streamed, is the same stream', async () => {
    const { talk, model, path, body, key } = await fresh();
    const first = await stream(path, key, body);
    const second = await stream(path, key, body);
    expect([first.replayed, second.replayed]).toEqual([null, 'true']);
    expect(first.text).toContain('"done":true');
    expect(second.text).toBe(first.text);
    expect(await talk.lines()).toEqual(LINES);
    expect(model.calls).toHaveLength(1);
  });

  it('is asked for again while it is answered: all get the one answer', async () => {
    const { talk, model, path, body, key } = await fresh(held);
    const answers = Array.from({ length: 5 }, () => post(path, key, body));
    echo(await model.call(1));
    const bodies = (await Promise.all(answers)).map((answer) => answer.body);
    expect(new Set(bodies.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(model.calls).toHaveLength(1);
    expect(await talk.lines()).toEqual(LINES);
  });

  it('is asked for again after its caller left in the middle of the stream: the whole of it is there', async () => {
    const { talk, model, path, body, key } = await fresh(held);
    const requests = vi.spyOn(RunningRequests.prototype, 'begin');
    const caller = new AbortController();
    const headers = { 'idempotency-key': key };
    const events = eventsOf(rig.server, path, { ...body, stream: true }, { headers, signal: caller.signal });
    const first = events.next();
    const call = await model.call(1);
    call.piece('re ');
    expect((await first).value).toEqual({ content: 're ' });
    const { signal } = requests.mock.results[0]!.value;
    requests.mockRestore();
    caller.abort();
    await expect.poll(() => signal.aborted).toBe(true);
    const again = stream(path, key, body);
    call.piece('Hi');
    call.end();
    const { text, replayed } = await again;
    expect(replayed).toBe('true');
    expect(text).toMatch(/"re ".*"Hi".*"done":true/s);
    expect(model.calls).toHaveLength(1);
    expect(await talk.lines()).toEqual(LINES);
  });

  it('that failed is tried again under the same id', async () => {
    const { talk, model, path, body, key } = await fresh(held);
    for (const attempt of [1, 2]) {
      const sent = post(path, key, body);
      (await model.call(attempt)).fail(401, 'no');
      expectError(await sent, 502, 'provider_auth');
      expect(await talk.lines()).toEqual(['failed user: Hi']);
    }
    const [{ id }] = await talk.messages();
    const sent = post(path, key, body);
    echo(await model.call(3));
    expect((await sent).status).toBe(200);
    expect(await talk.lines()).toEqual(LINES);
    expect((await talk.messages())[0].id).toBe(id);
    expect((await post(path, key, body)).headers.get(REPLAYED)).toBe('true');
    expect(model.calls).toHaveLength(3);
  });

  it('whose stream broke off is tried again under the same id', async () => {
    const { talk, model, path, body, key } = await fresh(held);
    const events = eventsOf(rig.server, path, { ...body, stream: true }, { headers: { 'idempotency-key': key } });
    const first = events.next();
    const call = await model.call(1);
    call.piece('re ');
    expect((await first).value).toEqual({ content: 're ' });
    call.cut();
    expect((await events.next()).value).toMatchObject({ code: 'provider_unavailable', done: true });
    expect(await talk.lines()).toEqual(['failed user: Hi']);
    const again = stream(path, key, body);
    echo(await model.call(2));
    expect((await again).text).toContain('"done":true');
    expect(await talk.lines()).toEqual(LINES);
  });

  it('whose process died in the middle is taken up again', async () => {
    const { talk, model, path, body, key } = await fresh(held);
    const sent = post(path, key, body);
    (await model.call(1)).fail(401, 'no');
    await sent;
    const [{ id }] = await talk.messages();
    await dead.dieAtKey(key);
    await dead.dieInTurn(talk);
    const again = post(path, key, body);
    echo(await model.call(2));
    expect((await again).status).toBe(200);
    expect(await talk.lines()).toEqual(LINES);
    expect((await talk.messages())[0].id).toBe(id);
  });

  it('whose process died after the answer was stored gets that answer', async () => {
    const { talk, model, path, body, key } = await fresh();
    const first = await post(path, key, body);
    await dead.dieAtKey(key);
    const again = await post(path, key, body);
    expect([again.status, again.headers.get(REPLAYED)]).toEqual([200, null]);
    const { id: _, ...same } = first.body;
    expect(again.body).toMatchObject(same);
    await dead.dieAtKey(key);
    const { text } = await stream(path, key, body);
    expect(text).toContain('"code":"idempotency_mismatch"');
    expect(model.calls).toHaveLength(1);
    expect(await talk.lines()).toEqual(LINES);
  });

  it('whose process died after the answer was streamed and stored gets it as a stream', async () => {
    const { talk, model, path, body, key } = await fresh();
    const first = await stream(path, key, body);
    await dead.dieAtKey(key);
    const again = await stream(path, key, body);
    expect(again.replayed).toBeNull();
    expect(plain(again.text)).toEqual(plain(first.text));
    expect(model.calls).toHaveLength(1);
    expect(await talk.lines()).toEqual(LINES);
  });

  it('that failed is refused when the conversation has gone on since', async () => {
    const { talk, model, path, body, key } = await fresh(held);
    const sent = post(path, key, body);
    (await model.call(1)).fail(401, 'no');
    await sent;
    const next = talk.send('Next');
    echo(await model.call(2));
    await next;
    expectError(await post(path, key, body), 409, 'conflict', /has gone on/);
    expect(model.calls).toHaveLength(2);
    expect(await talk.lines()).toEqual(['failed user: Hi', 'complete user: Next', 'complete assistant: re Next']);
  });

  it('whose process died after the answer was stored gets it also when the conversation has gone on since', async () => {
    const { talk, model, path, body, key } = await fresh();
    const first = await post(path, key, body);
    await talk.send('Next');
    await dead.dieAtKey(key);
    const { id: _, ...same } = first.body;
    expect((await post(path, key, body)).body).toMatchObject(same);
    expect(model.calls).toHaveLength(2);
    expect(await talk.messages()).toHaveLength(4);
  });

  it('whose answer was deleted since is a new one', async () => {
    const { talk, model, path, body, key } = await fresh();
    await post(path, key, body);
    const [, answer] = await talk.messages();
    await rig.server.call(`${talk.path}/messages/${answer.id}`, undefined, method('DELETE'));
    const again = await post(path, key, body);
    expect([again.status, again.headers.get(REPLAYED)]).toEqual([200, null]);
    expect(JSON.stringify(again.body)).not.toContain(answer.id);
    expect(model.calls).toHaveLength(2);
    expect(await talk.lines()).toEqual(['complete user: Hi', ...LINES]);
  });
});

/** The events of a stream without what is of one call only. */
function plain(text: string): Json[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => ({ ...JSON.parse(block.slice('data: '.length)), id: undefined }));
}
