import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  CHUNKED_HEAD,
  chunk,
  DONE,
  delta,
  FINISH,
  good,
  head,
  reply,
  type Script,
  STREAM_HEAD,
} from './bad-upstream.ts';
import { call, type Rig, startRig } from './rig.ts';

// Most of the time of these tests is waiting.
vi.setConfig({ maxConcurrency: 12 });

let rig: Rig;
/** With short time-outs. */
let hasty: Rig;

beforeAll(async () => {
  rig = await startRig();
  hasty = await startRig({ PROFCLAW_FIRST_BYTE_TIMEOUT: '1.5', PROFCLAW_IDLE_TIMEOUT: '1' });
});

afterAll(async () => {
  await rig.stop();
  await hasty.stop();
});

const reset: Script = ({ socket }) => socket.resetAndDestroy();

/** Acts when what was written has been read. Both ends are in this process: a few turns of its event loop see to it. */
function afterwards(act: () => void): void {
  setTimeout(async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    act();
  }, 50);
}

describe.each([false, true])('an upstream that never answers (stream: %s)', (stream) => {
  it.concurrent('refuses the connection: tried again, then 502 provider_unavailable', async () => {
    // Nobody gets a port as low as this by chance, as one that has just been free.
    const lost = await startRig({ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' });
    const got = await call(lost.server, 'openai/any', stream);
    await lost.stop();
    expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
    expect(got.body.error).toContain('ECONNREFUSED');
    // Two pauses of 0.2 to 0.4 s and 0.4 to 0.8 s.
    expect(got.ms).toBeGreaterThan(550);
  });

  it.concurrent('accepts and hangs: 504 provider_timeout, not tried again', async () => {
    const got = await hasty.ask(() => {}, { stream });
    expect([got.status, got.code]).toEqual([504, 'provider_timeout']);
    expect(got.body.error).toContain('within 1.5 s');
    expect(got.ms).toBeGreaterThan(1450);
    expect(got.seen).toHaveLength(1);
    await got.seen[0]!.gone;
  });

  it.concurrent('sends a head and then nothing: 504 provider_timeout', async () => {
    const got = await hasty.ask(({ socket }) => socket.write(stream ? CHUNKED_HEAD : head(200, 'content-length: 9')), {
      stream,
    });
    expect([got.status, got.code]).toEqual([504, 'provider_timeout']);
    expect(got.seen).toHaveLength(1);
    await got.seen[0]!.gone;
  });

  it.concurrent('sends a status for an error and stalls: the status counts, tried three times', async () => {
    const got = await hasty.ask(({ socket }) => socket.write(head(500, 'content-length: 9')), { stream });
    expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
    expect(got.body.error).toContain('status 500 with nothing');
    expect(got.seen).toHaveLength(3);
    await Promise.all(got.seen.map((seen) => seen.gone));
  });

  it.concurrent('stalls in an error: its Retry-After counts all the same', async () => {
    const stalled = `${head(429, 'content-length: 99', 'retry-after: 60')}{"error":`;
    const got = await hasty.ask(({ socket }) => socket.write(stalled), { stream });
    expect([got.status, got.code, got.headers.get('retry-after')]).toEqual([429, 'provider_rate_limited', '60']);
    expect(got.seen).toHaveLength(1);
  });

  it.concurrent('drips an error without an end: waited for 3 s only, and good the second time', async () => {
    const got = await rig.ask(
      (seen, n) => {
        if (n > 1) return good(seen);
        seen.socket.write(head(503, 'content-length: 999', 'retry-after-ms: 10'));
        const timer = setInterval(() => seen.socket.write('.'), 100);
        return seen.gone.then(() => clearInterval(timer));
      },
      { stream },
    );
    expect([got.status, got.content]).toEqual([200, 'good']);
    expect(got.ms).toBeGreaterThan(2900);
    await got.seen[0]?.gone;
  });

  it.concurrent('never finishes the TLS handshake: tried three times, then 504 provider_timeout', async () => {
    let connections = 0;
    const deaf = createServer((socket) => {
      connections++;
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const { port } = deaf.address() as { port: number };
    const lost = await startRig({
      OPENAI_BASE_URL: `https://127.0.0.1:${port}/v1`,
      PROFCLAW_CONNECT_TIMEOUT: '0.2',
    });
    const got = await call(lost.server, 'openai/any', stream);
    await lost.stop();
    deaf.close();
    expect([got.status, got.code]).toEqual([504, 'provider_timeout']);
    expect(got.body.error).toContain('could not be reached within 0.2 s');
    expect(connections).toBe(3);
  });

  it.concurrent('resets before the head: tried three times, then 502 provider_unavailable', async () => {
    const got = await rig.ask(reset, { stream });
    expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
    expect(got.seen).toHaveLength(3);
  });

  it.concurrent('closes in the middle of the head: the same', async () => {
    const got = await rig.ask(({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-ty'), { stream });
    expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
    expect(got.seen).toHaveLength(3);
  });

  it.concurrent('resets once and then answers: our caller sees only the answer', async () => {
    const got = await rig.ask((seen, n) => (n === 1 ? seen.socket.resetAndDestroy() : good(seen)), { stream });
    expect([got.status, got.code, got.content]).toEqual([200, undefined, 'good']);
    expect(got.seen).toHaveLength(2);
  });

  it.concurrent.each([
    ['always: tried three times, then 502', 9, 3, undefined],
    ['once: our caller sees only the answer', 1, 2, 'good'],
  ])('resets right after the head, %s', async (_how, times, requests, content) => {
    const got = await rig.ask(
      (seen, n) => {
        if (n > times) return good(seen);
        seen.socket.write(stream ? CHUNKED_HEAD : head(200, 'content-length: 9'));
        return afterwards(() => seen.socket.resetAndDestroy());
      },
      { stream },
    );
    expect(got.seen).toHaveLength(requests);
    if (content === undefined) expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
    else expect([got.status, got.code, got.content]).toEqual([200, undefined, content]);
  });
});

describe('an upstream that stops in the middle', () => {
  it.concurrent('of a whole answer, by silence: 504', async () => {
    const got = await hasty.ask(({ socket }) => socket.write(`${head(200, 'content-length: 99')}{"choices":`));
    expect([got.status, got.code]).toEqual([504, 'provider_timeout']);
    expect(got.body.error).toContain('in the middle');
    expect(got.seen).toHaveLength(1);
    await got.seen[0]!.gone;
  });

  it.concurrent.each([
    ['reset', (seen: Parameters<Script>[0]) => seen.socket.resetAndDestroy()],
    ['end', (seen: Parameters<Script>[0]) => seen.socket.end()],
  ])('of a whole answer, by a %s: 502 and one request', async (_how, cut) => {
    const got = await rig.ask((seen) => {
      seen.socket.write(reply(200, 'x'.repeat(1000)).subarray(0, 500));
      afterwards(() => cut(seen));
    });
    expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
    expect(got.body.error).toContain('broke off');
    expect(got.seen).toHaveLength(1);
  });

  it.concurrent('of a stream, by silence: the text is kept, the last event is the time-out', async () => {
    const got = await hasty.ask(
      ({ socket }) => socket.write(CHUNKED_HEAD + chunk(delta('half ')) + chunk(delta('of it'))),
      {
        stream: true,
      },
    );
    expect([got.status, got.content]).toEqual([200, 'half of it']);
    expect(got.events.at(-1)).toMatchObject({ code: 'provider_timeout', done: true, partial: true });
    expect(got.seen).toHaveLength(1);
    await got.seen[0]!.gone;
  });

  it.concurrent('of a stream, by silence in the middle of a line', async () => {
    const got = await hasty.ask(
      ({ socket }) => socket.write(STREAM_HEAD + delta('whole') + delta('lost').slice(0, 20)),
      {
        stream: true,
      },
    );
    expect(got.content).toBe('whole');
    expect(got.events.at(-1)).toMatchObject({ code: 'provider_timeout', done: true, partial: true });
  });

  it.concurrent('does not take slow but steady pieces for silence', async () => {
    // Five times as long as from piece to piece, and less than the whole answer takes.
    const patient = await startRig({ PROFCLAW_IDLE_TIMEOUT: '2' });
    const got = await patient.ask(
      ({ socket }) => {
        socket.write(STREAM_HEAD);
        let n = 0;
        const timer = setInterval(() => {
          n++;
          if (n < 7) return socket.write(delta(`${n} `));
          clearInterval(timer);
          return socket.end(FINISH);
        }, 400);
      },
      { stream: true },
    );
    await patient.stop();
    expect([got.content, got.code, got.events.at(-1).finishReason]).toEqual(['1 2 3 4 5 6 ', undefined, 'stop']);
  });

  it.concurrent.each([
    ['a reset', true],
    ['an end without the last chunk', false],
  ])('of a stream, by %s: the text, then provider_unavailable; one request', async (_how, isReset) => {
    const got = await rig.ask(
      ({ socket }) => {
        socket.write(CHUNKED_HEAD + chunk(delta('half')));
        afterwards(() => (isReset ? socket.resetAndDestroy() : socket.end()));
      },
      { stream: true },
    );
    expect([got.status, got.content]).toEqual([200, 'half']);
    expect(got.events.at(-1)).toMatchObject({ code: 'provider_unavailable', done: true, partial: true });
    expect(got.seen).toHaveLength(1);
  });

  it.concurrent.each([
    ['an orderly end', false],
    // undici takes the reset of a body without a length for its end.
    ['a reset where only the end of the connection ends the body', true],
  ])('of a stream, by %s, without [DONE] and finish reason: provider_protocol', async (_how, isReset) => {
    const got = await rig.ask(
      ({ socket }) => {
        socket.write(STREAM_HEAD + delta('half'));
        afterwards(() => (isReset ? socket.resetAndDestroy() : socket.end()));
      },
      { stream: true },
    );
    expect([got.status, got.content]).toEqual([200, 'half']);
    expect(got.events.at(-1)).toMatchObject({ code: 'provider_protocol', done: true, partial: true });
    expect(got.seen).toHaveLength(1);
  });

  it.concurrent('but a finish reason without [DONE] is an end', async () => {
    const got = await rig.ask(({ socket }) => socket.end(STREAM_HEAD + delta('all') + FINISH), { stream: true });
    expect([got.content, got.code, got.events.at(-1).finishReason]).toEqual(['all', undefined, 'stop']);
  });

  it.concurrent('and [DONE] is one although the connection stays open, which is then given up', async () => {
    const got = await rig.ask(({ socket }) => socket.write(STREAM_HEAD + delta('all') + FINISH + DONE), {
      stream: true,
    });
    expect([got.content, got.code, got.events.at(-1).finishReason]).toEqual(['all', undefined, 'stop']);
    await got.seen[0]?.gone;
  });

  it.concurrent.each([
    ['stays open', false],
    ['breaks', true],
  ])('and so is a finish reason whose connection %s', async (_how, breaks) => {
    const got = await hasty.ask(
      ({ socket }) => {
        socket.write(Buffer.concat([Buffer.from(CHUNKED_HEAD), chunk(delta('all') + FINISH)]));
        if (breaks) afterwards(() => socket.resetAndDestroy());
      },
      { stream: true },
    );
    expect([got.content, got.code, got.events.at(-1).finishReason]).toEqual(['all', undefined, 'stop']);
  });

  it.concurrent('and a connection whose end comes a little after [DONE] serves the next call', async () => {
    const own = await startRig();
    const { model, seen } = own.upstream.script(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(CHUNKED_HEAD), chunk(delta('all') + FINISH + DONE)])),
    );
    expect((await call(own.server, `openai/${model}`, true)).content).toBe('all');
    seen[0]!.socket.write(chunk(''));
    // Longer than the unwanted rest of an answer is waited for.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const again = await own.ask((next) => good(next));
    await own.stop();
    expect([again.content, again.seen[0]!.socket === seen[0]!.socket]).toEqual(['good', true]);
  });
});
