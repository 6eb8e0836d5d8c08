import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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

// Most of the time of these tests is waiting.
vi.setConfig({ maxConcurrency: 12 });

let rig: Rig;
/** With a short idle time-out. */
let hasty: Rig;

beforeAll(async () => {
  rig = await startRig();
  hasty = await startRig({ PROFCLAW_IDLE_TIMEOUT: '0.5' });
});

afterAll(async () => {
  await rig.stop();
  await hasty.stop();
});

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls, leaves when `when` has come, and says how long the upstream's connection outlived that. */
async function leave(
  script: Script,
  stream: boolean,
  when: () => Promise<void>,
): Promise<{ ms: number; requests: number }> {
  const { model, seen } = rig.upstream.script(script);
  const controller = new AbortController();
  const answer = post(rig.server, `openai/${model}`, stream, controller.signal).then(
    (response) => response.text(),
    () => 'left',
  );
  await until('the request', () => seen.length > 0);
  await when();
  const left = performance.now();
  controller.abort();
  await answer.catch(() => {});
  const ms = (await seen.at(-1)!.gone) - left;
  // Long enough for a retry that should not be.
  await wait(1000);
  return { ms, requests: seen.length };
}

describe('a caller who leaves', () => {
  it.concurrent.each([false, true])('before the head (stream: %s)', async (stream) => {
    const { ms, requests } = await leave(
      () => {},
      stream,
      () => wait(100),
    );
    expect(ms).toBeLessThan(2000);
    expect(requests).toBe(1);
  });

  it.concurrent.each([false, true])('between head and body (stream: %s)', async (stream) => {
    const script: Script = ({ socket }) => socket.write(stream ? CHUNKED_HEAD : head(200, 'content-length: 100'));
    const { ms, requests } = await leave(script, stream, () => wait(100));
    expect(ms).toBeLessThan(2000);
    expect(requests).toBe(1);
  });

  it.concurrent('in a stream that goes on', async () => {
    const script: Script = async ({ socket }) => {
      socket.write(CHUNKED_HEAD);
      while (await write(socket, chunk(delta('more ')))) await wait(10);
    };
    const { ms, requests } = await leave(script, true, () => wait(300));
    expect(ms).toBeLessThan(2000);
    expect(requests).toBe(1);
  });

  it.concurrent('in a stream that is silent', async () => {
    const script: Script = ({ socket }) => socket.write(CHUNKED_HEAD + chunk(delta('some')).toString());
    const { ms, requests } = await leave(script, true, () => wait(100));
    expect(ms).toBeLessThan(2000);
    expect(requests).toBe(1);
  });

  it.concurrent('in a stream that comes faster than it is read', async () => {
    const script: Script = async ({ socket }) => {
      socket.write(STREAM_HEAD);
      while (await write(socket, delta('x'.repeat(10_000))));
    };
    const { ms, requests } = await leave(script, true, () => wait(200));
    expect(ms).toBeLessThan(2000);
    expect(requests).toBe(1);
  });

  it.concurrent.each([false, true])('while a retry is waiting (stream: %s)', async (stream) => {
    const { model, seen } = rig.upstream.script(({ socket }) => socket.write(reply(503, {}, 'retry-after: 1')));
    const controller = new AbortController();
    const answer = post(rig.server, `openai/${model}`, stream, controller.signal).catch(() => 'left');
    await until('the first try', () => seen.length === 1);
    await wait(100);
    controller.abort();
    await answer;
    await wait(1500);
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
    let settled = -1;
    // Three times the idle time-out, and the buffers of the system on the way are full.
    await wait(1500);
    settled = sent;
    await wait(300);
    expect(sent).toBe(settled);
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
    const left = performance.now();
    caller.destroy();
    expect((await seen[0]!.gone) - left).toBeLessThan(2000);
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
