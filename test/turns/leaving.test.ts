import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RunningRequests } from '../../src/http/running.ts';
import { startTestServer } from '../server.ts';
import { begin, type Call, echo, held, type Model, postUnread, startRig, type Talk } from './rig.ts';

// From the first storing on, a turn does not need its caller: the answer is paid for, and it is kept.

let rig: Awaited<ReturnType<typeof startRig>>;

beforeAll(async () => {
  rig = await startRig();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rig.stop());

/** A message whose caller can leave; `left` waits until the server knows that it has. */
async function sendAndLeave(talk: Talk, model: Model, stream: boolean, begun?: (call: Call) => void) {
  const requests = vi.spyOn(RunningRequests.prototype, 'begin');
  const caller = new AbortController();
  const response = fetch(`${talk.server.url}${talk.path}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content: 'Hi', stream }),
    signal: caller.signal,
  });
  const answer = response.then((head) => head.text());
  answer.catch(() => {});
  const call = await model.call(1);
  if (begun) {
    begun(call);
    if (stream) await response;
  }
  const { signal } = requests.mock.results[0]!.value;
  requests.mockRestore();
  caller.abort();
  await expect(answer).rejects.toThrow();
  await expect.poll(() => signal.aborted).toBe(true);
  return call;
}

/** The stored messages when the answer is among them; then what the next message is sent with. */
async function expectStoredOnce(talk: Talk, model: Model, answer: string): Promise<void> {
  await expect.poll(() => talk.lines()).toEqual(['complete user: Hi', `complete assistant: ${answer}`]);
  const next = talk.send('And?');
  const call = await model.call(2);
  expect(call.said).toEqual(['user: Hi', `assistant: ${answer}`, 'user: And?']);
  echo(call);
  expect((await next).body.assistantMessage.seq).toBe(4);
  expect(await talk.messages()).toHaveLength(4);
  expect(model.calls).toHaveLength(2);
}

describe('a caller who leaves', () => {
  it.each([false, true])('before the first token (stream: %s)', async (stream) => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const call = await sendAndLeave(talk, model, stream);
    expect(await talk.lines()).toEqual(['running user: Hi']);
    expect(call.isGone()).toBe(false);
    call.answer('Hello there');
    await expectStoredOnce(talk, model, 'Hello there');
  });

  it('after the first tokens of a stream', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const call = await sendAndLeave(talk, model, true, ({ piece }) => piece('Hello '));
    call.piece('there');
    expect(await talk.lines()).toEqual(['running user: Hi']);
    expect(call.isGone()).toBe(false);
    call.end();
    await expectStoredOnce(talk, model, 'Hello there');
  });

  it('before a failure: it can be tried again', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const call = await sendAndLeave(talk, model, true, ({ piece }) => piece('Hello '));
    call.cut();
    await expect.poll(() => talk.lines()).toEqual(['failed user: Hi']);
    const retry = talk.retry();
    (await model.call(2)).answer('Hello there');
    expect((await retry).body.assistantMessage.content).toBe('Hello there');
    expect(await talk.lines()).toEqual(['complete user: Hi', 'complete assistant: Hello there']);
  });

  it('a completion in a conversation, streamed, after its first token', async () => {
    const model = rig.vendor.model(held);
    const talk = await begin(rig.server, model);
    const socket = await postUnread(rig.server.url, '/api/chat/completions', {
      conversationId: talk.id,
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
    const call = await model.call(1);
    call.piece('Hello ');
    await firstPiece(socket);
    socket.destroy();
    call.piece('there');
    call.end();
    await expectStoredOnce(talk, model, 'Hello there');
  });

  it('before a title is made gets one all the same', async () => {
    const titles = rig.vendor.model(held);
    const server = await startTestServer({ ...rig.vendor.environment, PROFCLAW_TITLE_MODEL: titles.name });
    const model = rig.vendor.model(held);
    const talk = await begin(server, model);
    (await sendAndLeave(talk, model, true)).answer('Hello there');
    (await titles.call(1)).answer('A short greeting');
    const title = async () => (await server.call(talk.path)).body.conversation.title;
    await expect.poll(title).toBe('A short greeting');
    await server.stop();
  });
});

describe('a caller who does not read', () => {
  const PIECE = '0123456789abcdef'.repeat(1024);
  const PIECES = 1000;

  /** A stream of more than the buffers on the way can hold, told to its end while nobody reads. */
  async function unread(): Promise<{ talk: Talk; socket: Socket }> {
    // What comes after is far too long for its model, and is summarised first.
    const model = rig.vendor.model((later) => {
      if (model.calls.length > 1) later.answer('No more');
    });
    const talk = await begin(rig.server, model);
    const socket = await postUnread(rig.server.url, `${talk.path}/messages`, { content: 'Hi', stream: true });
    const call = await model.call(1);
    for (let i = 0; i < PIECES; i++) call.piece(PIECE);
    call.end();
    await expect
      .poll(async () => (await talk.messages()).map(({ status, role }) => `${status} ${role}`))
      .toEqual(['complete user', 'complete assistant']);
    return { talk, socket };
  }

  it('holds up neither the turn nor the next one, and gets everything in the end', async () => {
    const { talk, socket } = await unread();
    expect((await talk.send('And?')).body.assistantMessage.content).toBe('No more');
    let text = '';
    for await (const chunk of socket) text += chunk;
    // Once in the pieces, and once in the message of the last event.
    expect(text.split('0123456789abcdef').length - 1).toBe(2 * PIECES * 1024);
    expect(text).toContain('"done":true');
    expect(text.endsWith('\r\n0\r\n\r\n')).toBe(true);
    const [, answer] = await talk.messages();
    expect(answer.content).toBe(PIECE.repeat(PIECES));
  });

  it('and leaves: the answer is there', async () => {
    const { talk, socket } = await unread();
    socket.destroy();
    const [, answer] = await talk.messages();
    expect(answer.content).toBe(PIECE.repeat(PIECES));
    expect(await talk.messages()).toHaveLength(2);
  });
});

/** Waits until the answer has begun to come. */
function firstPiece(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.includes('"content"')) resolve();
    });
    socket.resume();
  });
}
