import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, parseRaw, raw, says } from './helpers.ts';

const TASK = '{"title":"T","prompt":"P"}';
const LIMIT = 10 * 1024 * 1024;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => expect((await server.call('/health')).status).toBe(200));
afterAll(() => server.stop());

/** Posts text with exactly these headers; fetch would add a content type of its own. */
function post(body: string | Buffer, headers: Record<string, string>, path = '/api/tasks') {
  return server.call(path, undefined, { method: 'POST', body: Buffer.from(body), headers });
}

describe('the content type', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/vnd.api+json',
    'application/problem+json;x=1',
  ])('%s is JSON', async (type) => {
    expect((await post(TASK, { 'content-type': type, cookie: 'a=b' })).status).toBe(201);
  });

  it.each(['text/plain', 'text/json', 'multipart/form-data; boundary=x', 'application/jsonx', 'application/xml', 'x'])(
    '%s is 415',
    async (type) => expectError(await post(TASK, { 'content-type': type }), 415, 'unsupported_media_type', type),
  );

  it('does not save a compressed body', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expectError(await post(gzipSync(TASK), headers), 415, 'unsupported_media_type', 'gzip');
    expect((await post(TASK, { ...headers, 'content-encoding': 'identity' })).status).toBe(201);
  });

  // What curl sends without a header, and what sends none at all.
  describe.each([
    ['a form type', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no type', {}],
  ] as const)('%s', (_, headers) => {
    it('is read as JSON if it is JSON and no cookie comes along', async () => {
      expect((await post(TASK, headers)).status).toBe(201);
      expect((await post(` \n${TASK}`, headers)).status).toBe(201);
      expect((await post('{"prompt": "What is 2+2?"}', headers, '/api/chat/quick')).status).toBe(200);
      const smart = JSON.stringify(says('Hi', { presetId: 'profclaw-assistant' }));
      expect((await post(smart, headers, '/api/chat/smart')).status).toBe(200);
    });

    it('is 415 with a cookie', async () => {
      for (const cookie of ['profclaw_session=x', 'other=1', '']) {
        expectError(await post(TASK, { ...headers, cookie }), 415, 'unsupported_media_type');
      }
    });

    it('is 415 if it is a form, 400 if it only begins like JSON', async () => {
      expectError(await post('title=T&prompt=P', headers), 415, 'unsupported_media_type');
      expectError(await post('{"title":', headers), 400, 'invalid_json');
    });
  });
});

describe('what is not JSON', () => {
  it.each(['{', '{"a":1,}', "{'a':1}", 'nonsense', '{"a":1}{"b":2}', '\u0000', 'NaN', '"\u0001"'])(
    '%j is 400 invalid_json',
    async (text) => expectError(await post(text, { 'content-type': 'application/json' }), 400, 'invalid_json'),
  );

  it.each(['', ' ', '\n'])('an empty body (%j) lacks every field', async (text) => {
    expect(issuePaths(await post(text, { 'content-type': 'application/json' }))).toEqual(['title', 'prompt']);
  });

  it.each(['null', '[]', '1', '"x"', 'true', '[{"title":"T"}]'])('%s is JSON, but no object', async (text) => {
    expect(issuePaths(await post(text, { 'content-type': 'application/json' }))).toEqual(['body']);
  });

  it('broken UTF-8 is refused, not mended', async () => {
    const bytes = Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xff, 0xc0]), Buffer.from('","prompt":"P"}')]);
    expectError(await post(bytes, { 'content-type': 'application/json' }), 400, 'invalid_json', 'UTF-8');
  });

  it('a body of nothing but mistakes has a bounded answer', async () => {
    const wrong = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, 1]));
    const { status, body } = await post(JSON.stringify(wrong), { 'content-type': 'application/json' });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.details.issues).toHaveLength(101);
    expect(body.details.issues.at(-1).message).toMatch(/^and \d+ more problems$/);
  });

  it('a name that every object has is just a name', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const answer = await post(`{"title":"T","prompt":"P",${JSON.stringify(name)}:1}`, {
        'content-type': 'application/json',
      });
      expect(issuePaths(answer)).toEqual([name]);
    }
    expect(Object.hasOwn(Object.prototype, '1')).toBe(false);
  });
});

describe('deep nesting', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const json = { 'content-type': 'application/json' };

  it('where text belongs', async () => {
    expect(issuePaths(await post(`{"title":${deep},"prompt":"P"}`, json))).toEqual(['title']);
    expect(
      issuePaths(await post(`{"messages":[{"role":"user","content":${deep}}]}`, json, '/api/chat/completions')),
    ).toEqual(['messages.0.content.0']);
  });

  it('in a tool, a call, and an order to the demo', async () => {
    const body = `{"model":"demo","messages":[{"role":"user","content":"x"},{"role":"assistant","toolCalls":[{"id":"a","name":"b","arguments":{"a":${deep}}}]}],"tools":[{"name":"x","parameters":{"a":${deep}}}]}`;
    expect(issuePaths(await post(body, json, '/api/chat/completions'))).toEqual([
      'messages.1.toolCalls.0.arguments',
      'tools.0.parameters',
    ]);
    const order = JSON.stringify(says(`/tool x {"a":${deep}}`, { model: 'demo' }));
    const answer = await post(order, json, '/api/chat/completions');
    expect(issuePaths(answer)).toEqual(['messages']);
    expect(answer.body.error.length).toBeLessThan(1000);
  });
});

describe('a body that is too large', () => {
  const task = (bytes: number) => Buffer.from(`{"title":"T","prompt":"P","x":"${'x'.repeat(bytes - 33)}"}`);

  it('is refused beyond the limit, read up to it', async () => {
    const json = { 'content-type': 'application/json' };
    expect(task(LIMIT).length).toBe(LIMIT);
    expect(issuePaths(await post(task(LIMIT), json))).toEqual(['x']);
    const answer = await post(task(LIMIT + 1), json);
    expectError(answer, 413, 'too_large', String(LIMIT));
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('with a length: 413 at once, connection closed', async () => {
    const head = `POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${LIMIT + 1}\r\n\r\n`;
    // The body never comes: who waited for it would never answer.
    const { status, headers, body } = parseRaw(await raw(server, head));
    expectError({ status, headers, body: JSON.parse(body) }, 413, 'too_large');
  });

  it('in chunks without a length: 413 too', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        if (sent >= 11 * 1024 * 1024) return controller.close();
        sent += piece.length;
        controller.enqueue(piece);
      },
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' };
    expectError(await server.call('/api/tasks', undefined, init as RequestInit), 413, 'too_large');
  });

  it('nobody takes what follows on the same connection for a request', async () => {
    const big = task(LIMIT + 1);
    const text = Buffer.concat([
      Buffer.from(
        `POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${big.length}\r\n\r\n`,
      ),
      big,
      Buffer.from('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    ]);
    const answers = (await raw(server, text)).match(/HTTP\/1\.1 \d+/g);
    expect(answers).toEqual(['HTTP/1.1 413']);
  });

  it('the limit can be set', async () => {
    const small = await startTestServer({ PROFCLAW_BODY_LIMIT: '1024' });
    expectError(await small.call('/api/tasks', { title: 'T', prompt: 'x'.repeat(1024) }), 413, 'too_large', /1024/);
    expect((await small.call('/api/tasks', { title: 'T', prompt: 'x'.repeat(900) })).status).toBe(201);
    await small.stop();
  });
});

it('a client that leaves in the middle of its body does no harm', async () => {
  const head =
    'POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"t';
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname, () => socket.write(head));
  const heard = vi.fn();
  socket.on('data', heard);
  await once(socket, 'connect');
  // The server has read it when it has answered what was sent after it.
  await server.call('/health');
  socket.destroy();
  expect((await server.call('/health')).status).toBe(200);
  expect(heard).not.toHaveBeenCalled();
});
