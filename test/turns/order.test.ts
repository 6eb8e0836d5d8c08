import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Lines } from '../../src/conversations/lines.ts';
import { expectError, method } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { begin, echo, held, rawPost, startRig, type Talk, turnsOf } from './rig.ts';

// A conversation has one turn at a time, and whoever comes first is first.

let rig: Awaited<ReturnType<typeof startRig>>;
/** Its turns wait a second only. */
let hasty: Awaited<ReturnType<typeof startRig>>;

beforeAll(async () => {
  [rig, hasty] = await Promise.all([startRig(), startRig({ PROFCLAW_TURN_WAIT: '1' })]);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await rig.stop();
  await hasty.stop();
});

/** Notes who gets in line; `toBe` waits until so many have. */
function watchLine() {
  const enter = vi.spyOn(Lines.prototype, 'enter');
  return {
    enter,
    toBe: (length: number) => expect.poll(() => enter.mock.calls.length).toBe(length),
  };
}

/** Writes requests to one socket, all at once, and gives the statuses in the order of the requests. */
async function pipeline(url: string, path: string, bodies: object[]): Promise<number[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    bodies.map((body, index) => rawPost(url, path, body, index + 1 < bodies.length ? 'keep-alive' : 'close')).join(''),
  );
  let text = '';
  for await (const chunk of socket) text += chunk;
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d+) /g), ([, status]) => Number(status));
}

/** Stores turns of long messages, so that there is something to summarise. */
async function longTalk(): Promise<{ talk: Talk; model: ReturnType<typeof rig.vendor.model> }> {
  let script = echo;
  const model = rig.vendor.model((call) => script(call));
  const talk = await begin(rig.server, model);
  for (let i = 0; i < 4; i++) await talk.send(`${i} ${'word '.repeat(400)}`);
  script = held;
  model.calls.length = 0;
  return { talk, model };
}

describe('twenty messages at once', () => {
  it('are answered in the order in which they came, each with exactly the turns before it', async () => {
    const model = rig.vendor.model();
    const talk = await begin(rig.server, model);
    const words = Array.from({ length: 20 }, (_, i) => `m${i}`);
    const statuses = await pipeline(
      rig.server.url,
      `${talk.path}/messages`,
      words.map((content) => ({ content })),
    );
    expect(statuses).toEqual(words.map(() => 200));
    expect(await talk.lines()).toEqual(turnsOf(words, 'complete '));
    expect(model.calls.map(({ said }) => said)).toEqual(
      words.map((word, i) => [...turnsOf(words.slice(0, i)), `user: ${word}`]),
    );
    const messages = await talk.messages();
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect((await rig.server.call(talk.path)).body.conversation.messageCount).toBe(40);
  });

  it('over as many connections, streamed and not, are all answered once', async () => {
    const model = rig.vendor.model();
    const talk = await begin(rig.server, model);
    const words = Array.from({ length: 20 }, (_, i) => `m${i}`);
    const answers = await Promise.all(
      words.map(async (word, i) => {
        if (i % 2 === 0) return (await talk.send(word)).body;
        return (await talk.stream(word)).last;
      }),
    );
    expect(answers.map(({ userMessage, assistantMessage }) => [userMessage.content, assistantMessage.content])).toEqual(
      words.map((word) => [word, `re ${word}`]),
    );
    const stored = await talk.messages();
    const order = stored.filter(({ role }) => role === 'user').map(({ content }) => content);
    expect(order.toSorted()).toEqual(words.toSorted());
    expect(await talk.lines()).toEqual(turnsOf(order, 'complete '));
    expect(model.calls.map(({ said }) => said)).toEqual(
      order.map((word, i) => [...turnsOf(order.slice(0, i)), `user: ${word}`]),
    );
  });
});

it('fifty messages in fifty conversations are answered side by side', async () => {
  const model = rig.vendor.model(held);
  const talks = await Promise.all(Array.from({ length: 50 }, () => begin(rig.server, model)));
  const answers = Promise.all(talks.map((talk, i) => talk.send(`m${i}`)));
  // Not one of them is answered before all have been asked.
  await model.call(50);
  for (const call of model.calls) echo(call);
  expect((await answers).map(({ body }) => body.assistantMessage.content)).toEqual(talks.map((_, i) => `re m${i}`));
});

describe('waiting for the turn', () => {
  it('ends after PROFCLAW_TURN_WAIT with a 409, and nothing of the message is stored', async () => {
    const model = hasty.vendor.model(held);
    const talk = await begin(hasty.server, model);
    const first = talk.send('first');
    await model.call(1);
    const [late, streamed, completion, retry] = await Promise.all([
      talk.send('late'),
      talk.send('late', { stream: true }),
      talk.complete([{ role: 'user', content: 'late' }]),
      talk.retry(),
    ]);
    for (const answer of [late, streamed, completion, retry]) {
      expectError(answer, 409, 'conflict', /still being answered/);
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect(await talk.lines()).toEqual(['running user: first']);
    model.calls[0]!.answer('done');
    expect((await first).status).toBe(200);
    expect(await talk.lines()).toEqual(['complete user: first', 'complete assistant: done']);
    // Nobody who gave up is still in the line.
    const next = talk.send('next');
    echo(await model.call(2));
    expect((await next).body.assistantMessage.content).toBe('re next');
  });

  it('is no waiting for those who come when it is free again', async () => {
    const model = hasty.vendor.model(held);
    const talk = await begin(hasty.server, model);
    for (const number of [1, 2, 3]) {
      const sent = talk.send(`m${number}`);
      echo(await model.call(number));
      expect((await sent).status).toBe(200);
    }
  });

  it('by a caller who leaves stores nothing and holds nobody up', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const line = watchLine();
    const first = talk.send('first');
    await model.call(1);
    const leaving = [new AbortController(), new AbortController()];
    const left = leaving.map(({ signal }, i) => talk.send(`left ${i}`, { stream: i === 1 }, { signal }));
    const gone = Promise.allSettled(left);
    await line.toBe(3);
    const last = talk.send('last');
    await line.toBe(4);
    for (const caller of leaving) caller.abort();
    await gone;
    await expect(line.enter.mock.results[1]!.value).rejects.toThrow('The caller has gone');
    await expect(line.enter.mock.results[2]!.value).rejects.toThrow('The caller has gone');
    echo(model.calls[0]!);
    echo(await model.call(2));
    expect((await first).status).toBe(200);
    expect((await last).status).toBe(200);
    expect(await talk.lines()).toEqual(turnsOf(['first', 'last'], 'complete '));
    expect(model.calls).toHaveLength(2);
  });

  it('a message that fails lets the next one in', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const line = watchLine();
    const first = talk.send('first');
    await model.call(1);
    const second = talk.send('second');
    await line.toBe(2);
    model.calls[0]!.fail(401, 'no');
    expect((await first).status).toBe(502);
    const call = await model.call(2);
    expect(call.said).toEqual(['user: second']);
    echo(call);
    expect((await second).status).toBe(200);
  });
});

describe('what else changes a conversation waits in the same line', () => {
  it('deleting a message', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const before = talk.send('before');
    echo(await model.call(1));
    await before;
    const line = watchLine();
    const first = talk.send('first');
    await model.call(2);
    const [message] = await talk.messages();
    const deleting = rig.server.call(`${talk.path}/messages/${message.id}`, undefined, method('DELETE'));
    await line.toBe(2);
    const second = talk.send('second');
    await line.toBe(3);
    expect(await talk.lines()).toEqual([...turnsOf(['before'], 'complete '), 'running user: first']);
    echo(model.calls[1]!);
    expect((await first).body.assistantMessage.content).toBe('re first');
    expect((await deleting).body).toEqual({ message: 'Message deleted', deleted: 4 });
    const call = await model.call(3);
    expect(call.said).toEqual(['user: second']);
    echo(call);
    await second;
    expect(await talk.lines()).toEqual(turnsOf(['second'], 'complete '));
  });

  it('but deleting the message that is being answered stops it', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const first = talk.send('first');
    await model.call(1);
    const [message] = await talk.messages();
    const deleted = await rig.server.call(`${talk.path}/messages/${message.id}`, undefined, method('DELETE'));
    expect(deleted.body).toEqual({ message: 'Message deleted', deleted: 1 });
    expectError(await first, 409, 'conflict', /deleted while it was being answered/);
    expect(await talk.lines()).toEqual([]);
  });

  it('a compaction, and a message waits for it', async () => {
    const { talk, model } = await longTalk();
    const line = watchLine();
    const sent = talk.send('fifth');
    const asked = await model.call(1);
    const compacting = rig.server.call(`${talk.path}/compact`, {});
    await line.toBe(2);
    const after = talk.send('sixth');
    await line.toBe(3);
    expect(model.calls).toHaveLength(1);
    echo(asked);
    expect((await sent).status).toBe(200);
    const summary = await model.call(2);
    expect(JSON.stringify(summary.body)).not.toContain('sixth');
    summary.answer('IN SHORT');
    expect((await compacting).body.compaction).toMatchObject({ summary: 'IN SHORT' });
    const last = await model.call(3);
    expect(last.said[0]).toContain('IN SHORT');
    expect(last.said.at(-1)).toBe('user: sixth');
    echo(last);
    expect((await after).status).toBe(200);
  });

  it('undoing a compaction', async () => {
    const { talk, model } = await longTalk();
    const compacting = rig.server.call(`${talk.path}/compact`, {});
    (await model.call(1)).answer('IN SHORT');
    expect((await compacting).body.compaction).not.toBeNull();
    const line = watchLine();
    const sent = talk.send('fifth');
    const asked = await model.call(2);
    const undoing = rig.server.call(`${talk.path}/compact`, undefined, method('DELETE'));
    await line.toBe(2);
    expect(await compactions(talk)).toHaveLength(1);
    expect(asked.said[0]).toContain('IN SHORT');
    echo(asked);
    expect((await sent).status).toBe(200);
    expect((await undoing).body.compactions).toEqual([]);
    expect(await compactions(talk)).toEqual([]);
  });

  async function compactions(talk: Talk): Promise<Json[]> {
    return (await rig.server.call(`${talk.path}/memory`)).body.compactions;
  }
});
