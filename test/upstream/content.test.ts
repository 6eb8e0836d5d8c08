import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  answer,
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
  sse,
  write,
} from './bad-upstream.ts';
import { type Rig, startRig } from './rig.ts';

// Most of the time of these tests is waiting.
vi.setConfig({ maxConcurrency: 12 });

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});

afterAll(() => rig.stop());

const HTML = '<!DOCTYPE html><html><body>Welcome to nginx</body></html>';
const HTML_TYPE = 'content-type: text/html';

const whole = (status: number, body: unknown, ...lines: string[]): Script => {
  return ({ socket }) => socket.write(reply(status, body, ...lines));
};

const cut = (bytes: Buffer): Script => {
  return ({ socket }) => socket.end(bytes.subarray(0, -5));
};

const streamed = (...pieces: (string | Buffer)[]): Script => {
  return async ({ socket }) => {
    socket.setNoDelay(true);
    socket.write(CHUNKED_HEAD);
    for (const piece of pieces) {
      socket.write(chunk(piece));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.write(chunk(''));
  };
};

describe.each([false, true])('nonsense instead of an answer (stream: %s)', (stream) => {
  it.concurrent.each<[string, Script, number, string, RegExp]>([
    ['HTML with 200', whole(200, HTML, HTML_TYPE), 502, 'provider_protocol', /HTML page, not JSON/],
    [
      'HTML with 200 as a stream',
      whole(200, HTML, 'content-type: text/event-stream'),
      502,
      'provider_protocol',
      /HTML/,
    ],
    ['HTML with 404', whole(404, HTML, HTML_TYPE), 404, 'model_not_found', /HTML page.*base URL http:\/\/127/],
    ['HTML with 403', whole(403, HTML, HTML_TYPE), 502, 'provider_auth', /status 403 with an HTML page/],
    ['plain words with 200', whole(200, 'It works!', 'content-type: text/plain'), 502, 'provider_protocol', /OpenAI: /],
    ['an empty body', whole(200, ''), 502, 'provider_protocol', /OpenAI: /],
    ['a head and an end', ({ socket }) => socket.end(head(200, 'connection: close')), 502, 'provider_protocol', /./],
    ['204', ({ socket }) => socket.write(head(204)), 502, 'provider_protocol', /OpenAI: /],
    ['a redirect', whole(302, HTML, 'location: http://192.0.2.1/'), 502, 'provider_protocol', /status 302.*base URL/],
    ['304', ({ socket }) => socket.write(head(304)), 502, 'provider_protocol', /status 304/],
    ['the JSON of something else', whole(200, { hello: 'world' }), 502, 'provider_protocol', /choices|before/],
    ['JSON that is no object', whole(200, '"hello"'), 502, 'provider_protocol', /OpenAI: /],
    ['cut JSON', whole(200, '{"choices": [{"mess'), 502, 'provider_protocol', /not JSON/],
    ['an error inside 200', whole(200, { error: { message: 'Odd' } }), 502, 'provider_unavailable', /OpenAI: Odd/],
    ['its status', whole(200, { error: { message: 'Slow', code: 429 } }), 429, 'provider_rate_limited', /OpenAI: Slow/],
    ['an error that is text', whole(400, 'no such thing', HTML_TYPE), 400, 'provider_rejected', /no such thing/],
    [
      'an error cut off',
      cut(reply(400, { error: { message: 'M' } })),
      400,
      'provider_rejected',
      /status 400 with nothing/,
    ],
    ['an error without a body', whole(400, ''), 400, 'provider_rejected', /status 400 with nothing/],
    ['a status beyond all', whole(799, '{}'), 502, 'provider_unavailable', /799/],
    ['binary under 400', whole(400, Buffer.from([0xff, 0xfe, 0, 1])), 400, 'provider_rejected', /\uFFFD/],
    [
      'gzip that was not asked for',
      whole(200, gzipSync('{}'), 'content-encoding: gzip'),
      502,
      'provider_protocol',
      /./,
    ],
  ])('%s', async (_what, script, status, code, message) => {
    const got = await rig.ask(script, { stream });
    expect([got.status, got.code]).toEqual([status, code]);
    expect(got.body.error).toMatch(message);
    expect(got.headers.get('content-type')).toContain('application/json');
  });

  it.concurrent.each<[string, string | Buffer, string, number]>([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n', 'provider_protocol', 1],
    ['an impossible chunk', `${CHUNKED_HEAD}zz\r\nhello\r\n`, 'provider_protocol', 1],
    ['two different lengths', head(200, 'content-length: 5', 'content-length: 6'), 'provider_unavailable', 3],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'x: '.padEnd(1000, 'y')}\r\n`.repeat(200), 'provider_protocol', 1],
    ['an upgrade', head('101 Switching', 'upgrade: websocket', 'connection: upgrade'), 'provider_unavailable', 3],
  ])('%s: 502', async (_what, bytes, code, requests) => {
    const got = await rig.ask(({ socket }) => socket.write(bytes), { stream });
    expect([got.status, got.code]).toEqual([502, code]);
    expect(got.seen).toHaveLength(requests);
    await Promise.all(got.seen.map((seen) => seen.gone));
  });

  it.concurrent('a gzip header over plain text does no harm', async () => {
    const script: Script = ({ socket }) =>
      stream
        ? socket.end(head(200, 'content-encoding: gzip', 'connection: close') + delta('plain') + FINISH + DONE)
        : socket.write(reply(200, answer('plain'), 'content-encoding: gzip'));
    const got = await rig.ask(script, { stream });
    expect([got.status, got.content]).toEqual([200, 'plain']);
    expect(got.seen[0]!.head).not.toMatch(/accept-encoding/i);
  });

  it.concurrent('informational heads are passed over', async () => {
    const got = await rig.ask(
      (seen) => {
        // Not 100, which undici refuses unless it was asked for.
        seen.socket.write(head('102 Processing') + head('103 Early Hints', 'link: </x>'));
        good(seen);
      },
      { stream },
    );
    expect([got.status, got.content]).toEqual([200, 'good']);
  });

  it.concurrent('an answer without any header but its status', async () => {
    const body = stream ? delta('bare') + FINISH : JSON.stringify(answer('bare'));
    const got = await rig.ask(({ socket }) => socket.end(`HTTP/1.0 200\r\n\r\n${body}`), { stream });
    expect([got.status, got.content]).toEqual([200, 'bare']);
  });
});

describe('an error inside a stream', () => {
  it.concurrent.each<[unknown, number, string]>([
    [{ message: 'Busy', code: 429 }, 429, 'provider_rate_limited'],
    [{ message: 'Overloaded', type: 'overloaded_error' }, 502, 'provider_unavailable'],
    [{ message: 'Too long', code: 'context_length_exceeded' }, 400, 'context_length_exceeded'],
    [{ message: 'No', code: 401 }, 502, 'provider_auth'],
    ['only words', 502, 'provider_unavailable'],
  ])('as the first event is an HTTP error: %j', async (error, status, code) => {
    const got = await rig.ask(streamed(sse({ error }), DONE), { stream: true });
    expect([got.status, got.code]).toEqual([status, code]);
    expect(got.headers.get('content-type')).toContain('application/json');
    expect(got.seen).toHaveLength(1);
    // The connection is broken off, not kept for the next call with the rest of this answer in it.
    await got.seen[0]!.gone;
  });

  it.concurrent('behind comments and empty deltas is an HTTP error all the same', async () => {
    const script = streamed(
      ': OPENROUTER PROCESSING\n\n',
      delta(''),
      sse({ choices: [] }),
      sse({ error: { message: 'M' } }),
    );
    const got = await rig.ask(script, { stream: true });
    expect([got.status, got.code]).toEqual([502, 'provider_unavailable']);
  });

  it.concurrent('after text is the last event', async () => {
    const got = await rig.ask(
      streamed(delta('some'), sse({ error: { message: 'Out of memory', code: 429 } }), delta('x')),
      {
        stream: true,
      },
    );
    expect([got.status, got.content]).toEqual([200, 'some']);
    expect(got.events.at(-1)).toMatchObject({
      error: 'OpenAI: Out of memory',
      code: 'provider_rate_limited',
      done: true,
      partial: true,
    });
    expect(got.seen).toHaveLength(1);
  });

  it.concurrent('after text in the same read is the last event', async () => {
    const got = await rig.ask(streamed(delta('some') + sse({ error: { message: 'M' } })), { stream: true });
    expect([got.status, got.content, got.code]).toEqual([200, 'some', 'provider_unavailable']);
  });

  it.concurrent.each([
    ['not JSON', 'data: {"choices": [\n\n'],
    ['not an object', 'data: 42\n\n'],
    ['HTML', `data: ${HTML}\n\n`],
  ])('an event that is %s: the text, then provider_protocol', async (_what, event) => {
    const got = await rig.ask(streamed(delta('some'), event, delta('never')), { stream: true });
    expect([got.status, got.content]).toEqual([200, 'some']);
    expect(got.events.at(-1)).toMatchObject({ code: 'provider_protocol', done: true, partial: true });
  });
});

describe('bytes', () => {
  it.concurrent('characters cut between reads are put together', async () => {
    const bytes = Buffer.from(delta('ä漢😀 and 👩‍👩‍👧') + FINISH + DONE);
    const got = await rig.ask(
      streamed(...Array.from({ length: 75 }, (_, i) => bytes.subarray(i, i + 1)), bytes.subarray(75)),
      {
        stream: true,
      },
    );
    expect([got.content, got.code]).toEqual(['ä漢😀 and 👩‍👩‍👧', undefined]);
  });

  it.concurrent.each([false, true])('invalid UTF-8 comes through as U+FFFD (stream: %s)', async (stream) => {
    const spoil = (text: string): Buffer =>
      Buffer.from(Buffer.from(text).toString('latin1').replace('@', '\xc3\x28'), 'latin1');
    const script = stream
      ? streamed(spoil(delta('a@b')), FINISH + DONE)
      : whole(200, spoil(JSON.stringify(answer('a@b'))));
    const got = await rig.ask(script, { stream });
    expect([got.status, got.content]).toEqual([200, 'a\uFFFD(b']);
  });

  it.concurrent('a stream that ends inside a character', async () => {
    const got = await rig.ask(streamed(delta('all') + FINISH, Buffer.from([0xe6, 0xbc])), { stream: true });
    expect([got.status, got.content, got.code]).toEqual([200, 'all', undefined]);
  });

  it.concurrent('half of a frame behind the end of the answer', async () => {
    const text = sse({ type: 'content-delta', delta: { message: { content: { text: 'all' } } } });
    const end = sse({ type: 'message-end', delta: { finish_reason: 'COMPLETE' } });
    const got = await rig.ask(streamed(`${text}${end}data: [DO`), { stream: true, type: 'cohere' });
    expect([got.status, got.content, got.code]).toEqual([200, 'all', undefined]);
  });

  it.concurrent('a byte order mark before the JSON', async () => {
    const got = await rig.ask(whole(200, `\uFEFF${JSON.stringify(answer('marked'))}`));
    expect([got.status, got.content]).toEqual([200, 'marked']);
  });

  it.concurrent('lines of 1 MB', async () => {
    const long = 'ä'.repeat(512 * 1024);
    const got = await rig.ask(streamed(delta(long), delta(long), FINISH + DONE), { stream: true });
    expect([got.content.length, got.content === long + long, got.code]).toEqual([1024 * 1024, true, undefined]);
  });

  it.concurrent('a whole JSON answer to a request for a stream', async () => {
    const got = await rig.ask(whole(200, answer('at once')), { stream: true });
    expect([got.status, got.content, got.events.at(-1).finishReason]).toEqual([200, 'at once', 'stop']);
  });
});

describe('answers without end', () => {
  const MEGABYTE = Buffer.alloc(1024 * 1024, 'x');

  /** Writes megabytes until the other side has had enough; says how many it took. */
  const flood = (begin: string, taken: { megabytes: number }): Script => {
    return async ({ socket }) => {
      if (!(await write(socket, begin))) return;
      while (taken.megabytes < 200 && (await write(socket, MEGABYTE))) taken.megabytes++;
    };
  };

  it('a line without end, after some text', async () => {
    const taken = { megabytes: 0 };
    const got = await rig.ask(flood(`${STREAM_HEAD}${delta('some')}data: {"`, taken), { stream: true });
    expect([got.status, got.content]).toEqual([200, 'some']);
    expect(got.events.at(-1)).toMatchObject({ code: 'provider_protocol', done: true, partial: true });
    await got.seen[0]!.gone;
    expect(taken.megabytes).toBeLessThan(64);
  });

  it.each([false, true])('a body without end (stream: %s)', async (stream) => {
    const taken = { megabytes: 0 };
    const got = await rig.ask(flood(`${head(200, 'content-type: application/json')}{"`, taken), { stream });
    expect([got.status, got.code]).toEqual([502, 'provider_protocol']);
    await got.seen[0]!.gone;
    expect(taken.megabytes).toBeLessThan(100);
  });

  it('an error body without end', async () => {
    const taken = { megabytes: 0 };
    const got = await rig.ask(flood(head(400, 'content-type: text/html'), taken));
    expect([got.status, got.code]).toEqual([400, 'provider_rejected']);
    await got.seen[0]!.gone;
    expect(taken.megabytes).toBeLessThan(20);
  });
});
