import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { CALL, type FakeWire, type Saying } from './fake-wire.ts';

/** What the fakes say, which must arrive as it is; it has characters of one to four bytes. */
export const LINES = {
  text: 'Hello from the other side — grüße 👋',
  reasoning: 'First I think, then I speak: α β γ',
  sum: (result: string) => `The sum is ${result}`,
  refusal: 'This key is not known here',
};

/** The tries, by the model that is asked. */
export const TRIES = ['text', 'stream', 'tools', 'reasoning', 'error', 'cut'] as const;

export type Try = (typeof TRIES)[number];

/** Bytes in one piece: fewer than most frames have, and an odd number, so that characters are cut. */
const PIECE_BYTES = 61;

/** A provider that speaks one wire, on a loopback socket. */
export interface FakeServer {
  url: string;
  close(): Promise<void>;
}

/** Starts one. */
export async function startFake(wire: FakeWire): Promise<FakeServer> {
  const server = createServer((request, response) => {
    answer(wire, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(wire: FakeWire, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += String(piece);
  const body = tryParseJson(text);
  const path = request.url ?? '';
  if (!isObject(body)) return refuse(wire, response, 400, 'the request is not a JSON object');
  const model = wire.model(path, body);
  const tried = TRIES.find((name) => model === `sim-${name}`);
  const problem = problemOf(wire, request, body, tried);
  if (problem !== undefined || tried === undefined)
    return refuse(wire, response, 400, `the request is not as it should be: ${problem ?? `model ${model}`}`);
  if (tried === 'error') return refuse(wire, response, 401, LINES.refusal);
  const saying = sayingOf(wire, body, tried);
  if (wire.isStream(path, body)) await stream(wire, response, saying, tried === 'cut');
  else sendJson(response, 200, wire.whole(saying));
}

function problemOf(
  wire: FakeWire,
  { method, url = '', headers }: IncomingMessage,
  body: JsonObject,
  tried: Try | undefined,
): string | undefined {
  const [name, value] = wire.key;
  const path = wire.path(`sim-${tried}`, tried !== 'text' && tried !== 'error');
  if (method !== 'POST' || url !== path) return `${method} ${url}, not POST ${path}`;
  if (headers[name] !== value) return `the header ${name} does not carry the key`;
  if (wire.isStream(url, body) !== (tried !== 'text' && tried !== 'error')) return 'whether it is to be a stream';
  if (tried === 'tools' && !wire.tools(body).includes(CALL.name)) return 'the tool is not on offer';
  return undefined;
}

function sayingOf(wire: FakeWire, body: JsonObject, tried: Try): Saying {
  if (tried === 'reasoning') return { reasoning: LINES.reasoning, text: LINES.text };
  if (tried !== 'tools') return { text: LINES.text };
  const result = wire.result(body);
  return result === undefined ? { calls: true } : { text: LINES.sum(result) };
}

/** @param isCut breaks the connection in the middle. */
async function stream(wire: FakeWire, response: ServerResponse, saying: Saying, isCut: boolean): Promise<void> {
  const frames = wire.frames(saying);
  const bytes = Buffer.from(frames.slice(0, isCut ? -4 : undefined).join(''));
  response.writeHead(200, { 'content-type': wire.contentType });
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    response.write(bytes.subarray(at, at + PIECE_BYTES));
    await nextTurn();
  }
  if (!isCut) response.end();
  // What was written goes out first.
  else response.write('', () => response.socket?.destroySoon());
}

function refuse(wire: FakeWire, response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, wire.refusal(message));
}

function sendJson(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
