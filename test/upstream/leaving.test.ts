import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pause } from '../../src/core/pause.ts';
import {
  CHUNKED_HEAD,
  chunk,
  DONE,
  delta,
  FINISH,
  head,
  reply,
  type Script,
  STREAM_HEAD,
  write,
} from './bad-upstream.ts';
import { post, type Rig, startRig, until } from './rig.ts';

vi.mock('../../src/core/pause.ts', { spy: true });
// Most of the time of these tests is waiting.
vi.setConfig({ maxConcurrency: 12 });

let rig: Rig;
/** With a short idle time-out. */
let hasty: Rig;

beforeAll(async () => {
  rig = await startRig();
  hasty = await startRig({ PROFCLAW_IDLE_TIMEOUT: '1' });
});

afterAll(async () => {
  await rig.stop();
  await hasty.stop();
});

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls, leaves when `when` has come, and waits until the upstream's connection is gone, which no script here ends: not
 * let go, it would outlive the test. Says how many requests there were.
 */
async function leave(script: Script, stream: boolean, when: () => Promise<void>): Promise<number> {
  const { model, seen } = rig.upstream.script(script);
  const controller = new AbortController();
  const answer = post(rig.server, `openai/${model}`, stream, controller.signal).then(
    (response) => response.text(),
    () => 'left',
  );
  await until('the request', () => seen.length > 0);
  await when();
  controller.abort();
  await answer.catch(() => {});
  await seen.at(-1)!.gone;
  // Long enough for a retry that should not be.
  await wait(1000);
  return seen.length;
}

describe('a caller who leaves', () => {
  it.concurrent.each([false, true])('before the head (stream: %s)', async (stream) => {
    const requests = await leave(
      () => {},
      stream,
      () => wait(100),
    );
    expect(requests).toBe(1);
  });

  it.concurrent.each([false, true])('between head and body (stream: %s)', async (stream) => {
    const script: Script = ({ socket }) => socket.write(stream ? CHUNKED_HEAD : head(200, 'content-length: 100'));
    expect(await leave(script, stream, () => wait(100))).toBe(1);
  });

  it.concurrent('in a stream that goes on', async () => {
    const script: Script = async ({ socket }) => {
      socket.write(CHUNKED_HEAD);
      while (await write(socket, chunk(delta('more ')))) await wait(10);
    };
    expect(await leave(script, true, () => wait(300))).toBe(1);
  });

  it.concurrent('in a stream that is silent', async () => {
    const script: Script = ({ socket }) => socket.write(CHUNKED_HEAD + chunk(delta('some')).toString());
    expect(await leave(script, true, () => wait(100))).toBe(1);
  });

  it.concurrent('in a stream that comes faster than it is read', async () => {
    const script: Script = async ({ socket }) => {
      socket.write(STREAM_HEAD);
      while (await write(socket, delta('x'.repeat(10_000))));
    };
    expect(await leave(script, true, () => wait(200))).toBe(1);
  });

  it.concurrent.each([false, true])('while a retry is waiting (stream: %s)', async (stream) => {
    // Longer than anybody may take to leave, and a number by which to know the pause among those of the other tests.
    const seconds = stream ? 27 : 28;
    const { model, seen } = rig.upstream.script(({ socket }) =>
      socket.write(reply(503, {}, `retry-after: ${seconds}`)),
    );
    const controller = new AbortController();
    const answer = post(rig.server, `openai/${model}`, stream, controller.signal).catch(() => 'left');
    const waiting = (): number => vi.mocked(pause).mock.calls.findIndex(([ms]) => ms === seconds * 1000);
    await until('the pause before the retry', () => waiting() !== -1);
    controller.abort();
    await answer;
    const isOver: unknown = await vi.mocked(pause).mock.results[waiting()]?.value;
    expect(isOver).toBe(false);
    expect(seen).toHaveLength(1);
  });
});

describe('a caller who does not read', () => {
  const PIECE = Buffer.from(delta('0123456789abcdef'.repeat(1024)));
  const PIECES = 4000;

  it('makes the upstream wait, does not time out, and gets everything in the end', async () => {
    let sent = 0;
    const { model, seen } = hasty.upstream.script(async ({ socket }) => {
      socket.write(STREAM_HEAD);
      while (sent < PIECES && (await write(socket, PIECE))) sent++;
      socket.end(FINISH + DONE);
    });
    const before = process.memoryUsage().rss;
    const caller = await slowCaller(hasty.server.url, model);
    await until('the upstream has to wait', () => seen[0]?.socket.writableNeedDrain === true);
    // At last the buffers of the system on the way are full, and nothing goes on for twice the idle time-out.
    for (let last = -1; last !== sent && sent < PIECES; ) {
      last = sent;
      await wait(2000);
    }
    expect(sent * PIECE.length).toBeLessThan(32 * 1024 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    const text = await readToEnd(caller);
    expect(sent).toBe(PIECES);
    expect(text.split('0123456789abcdef').length - 1).toBe(PIECES * 1024);
    expect(text).toContain('"finishReason":"stop"');
    expect(text).not.toContain('"error"');
  });

  it('and leaves: the upstream is let go', async () => {
    const { model, seen } = hasty.upstream.script(async ({ socket }) => {
      socket.write(STREAM_HEAD);
      while (await write(socket, PIECE));
    });
    const caller = await slowCaller(hasty.server.url, model);
    await until('the upstream has to wait', () => seen[0]?.socket.writableNeedDrain === true);
    await wait(300);
    caller.destroy();
    // There is no end to what it would send.
    await seen[0]!.gone;
  });
});

/** Sends the request on a socket that is not read. */
async function slowCaller(url: string, model: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  await new Promise((resolve) => socket.once('connect', resolve));
  const body = JSON.stringify({
    model: `openai/${model}`,
    messages: [{ role: 'user', content: 'hello' }],
    stream: true,
  });
  socket.write(
    `POST /api/chat/completions HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\n` +
      `connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const piece of socket) chunks.push(piece);
  return Buffer.concat(chunks).toString('utf8');
}
