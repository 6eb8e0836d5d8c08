import { afterAll, beforeAll, expect, it } from 'vitest';
import { delta, head, reply, type Script, STREAM_HEAD, sse } from './bad-upstream.ts';
import { KEY, type Rig, startRig } from './rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});

afterAll(() => rig.stop());

const whole = (status: number, body: unknown, ...lines: string[]): Script => {
  return ({ socket }) => socket.write(reply(status, body, ...lines));
};

/** So far that the key is cut where a long text is shortened. */
const pad = (n: number): string => 'x'.repeat(n);

const ECHOES: [string, Script][] = [
  ['a JSON error', whole(401, { error: { message: `Incorrect API key provided: ${KEY}` } })],
  ['a JSON error, twice', whole(400, { error: { message: `${KEY} is not ${KEY}` } })],
  ['a JSON error with a header', whole(403, { error: { message: `authorization: Bearer ${KEY}` } })],
  ['its kind', whole(400, { error: { message: 'M', code: KEY, type: KEY } })],
  ['a detail', whole(422, { detail: [{ loc: [KEY], msg: KEY }] })],
  ['a raw error of a gateway', whole(400, { error: { message: 'M', metadata: { raw: `{"error": "${KEY}"}` } } })],
  ['plain words', whole(400, `no such key: ${KEY}`)],
  ['long words', whole(400, pad(480) + KEY)],
  ['HTML', whole(403, `<html>${KEY}</html>`, 'content-type: text/html')],
  ['HTML with 200', whole(200, `<html>${KEY}</html>`, 'content-type: text/html')],
  ['words with 200', whole(200, `hello ${KEY}`)],
  ['long words with 200', whole(200, pad(180) + KEY)],
  ['a content type', whole(200, 'hello', `content-type: text/${KEY}`)],
  ['an address', whole(302, KEY, `location: http://127.0.0.1:9/?key=${KEY}`)],
  ['a status line', ({ socket }) => socket.end(head(`400 ${KEY}`, 'content-length: 0'))],
  ['an error inside 200', whole(200, { error: { message: `bad ${KEY}` } })],
  ['the request line', ({ socket }) => socket.end(`${KEY}\r\n\r\n`)],
];

const IN_STREAMS: [string, Script][] = [
  ['an error event', ({ socket }) => socket.end(STREAM_HEAD + delta('t') + sse({ error: { message: KEY } }))],
  ['an event that is not JSON', ({ socket }) => socket.end(`${STREAM_HEAD}${delta('t')}data: ${KEY}\n\n`)],
  ['a long event that is not JSON', ({ socket }) => socket.end(`${STREAM_HEAD}data: ${pad(170)}${KEY}\n\n`)],
  ['a broken chunk', ({ socket }) => socket.end(`${head(200, 'transfer-encoding: chunked')}${KEY}\r\n`)],
];

const CASES = [
  ...[false, true].flatMap((stream) => ECHOES.map(([what, script]) => [what, stream, script] as const)),
  ...IN_STREAMS.map(([what, script]) => [what, true, script] as const),
];

it.concurrent.each(CASES)('the key never comes back in %s (stream: %s)', async (_what, stream, script) => {
  const got = await rig.ask(script, { stream });
  // The upstream did get it.
  expect(got.seen[0]!.head).toContain(`authorization: Bearer ${KEY}`);
  expect(got.code).toMatch(/^provider_|^model_not_found$/);
  const all = got.text + JSON.stringify([...got.headers]);
  expect(all).not.toContain(KEY);
  expect(all).not.toContain(KEY.slice(0, 12));
});

it('nor do the values of headers that were set', async () => {
  const own = await startRig();
  const headers = { 'x-gateway': 'gateway-secret-777', Authorization: 'Bearer other-secret-888' };
  const url = `${own.server.url}/api/chat/providers/openai/configure`;
  const type = { 'content-type': 'application/json' };
  await fetch(url, { method: 'POST', headers: type, body: JSON.stringify({ headers }) });
  const echo = whole(400, { error: { message: 'bad gateway-secret-777 and other-secret-888' } });
  const got = await own.ask(echo);
  expect(got.seen[0]!.head).toContain('other-secret-888');
  expect(got.text).not.toMatch(/secret-\d/);
  await own.stop();
});
