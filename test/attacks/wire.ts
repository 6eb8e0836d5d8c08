import { connect } from 'node:net';
import type { Json } from '../server.ts';

/** A header line; the bytes of the value as latin1. */
export type Line = readonly [name: string, value: string];

/** An answer as it came. `body` is the text read as JSON, undefined if it is none. */
export interface WireAnswer {
  status: number;
  headers: Headers;
  text: string;
  body: Json;
}

/**
 * Sends a request with exactly these header lines, in this order, as often as they stand there, on a connection of its
 * own. What is missing of `Host`, `Connection` and the body's length is put before them.
 * @param start such as `GET /api/tasks`.
 */
export async function send(url: string, start: string, lines: readonly Line[] = [], body = ''): Promise<WireAnswer> {
  const names = new Set(lines.map(([name]) => name.toLowerCase()));
  const own: Line[] = [
    ['host', new URL(url).host],
    ['connection', 'close'],
    ['content-length', String(Buffer.byteLength(body, 'latin1'))],
  ];
  const isFramed = names.has('transfer-encoding') || (body === '' && start.startsWith('GET'));
  const added = own.filter(([name]) => !names.has(name) && !(name === 'content-length' && isFramed));
  const head = [...added, ...lines].map(([name, value]) => `${name}: ${value}\r\n`);
  return parse(await exchange(url, `${start} HTTP/1.1\r\n${head.join('')}\r\n${body}`));
}

/** Header lines out of a text that has ` | ` between them. */
export function linesOf(text: string): Line[] {
  return text.split(' | ').flatMap((line): Line[] => {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
}

/** Sends JSON as `send` does. */
export function sendJson(url: string, start: string, lines: readonly Line[], body: unknown): Promise<WireAnswer> {
  return send(url, start, [['content-type', 'application/json'], ...lines], JSON.stringify(body));
}

/** Writes bytes, given as latin1, and gives everything that is said until the server closes. */
export function exchange(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let out = '';
    const socket = connect(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'), () => socket.write(text, 'latin1'));
    socket.setEncoding('latin1').on('data', (chunk) => {
      out += chunk;
    });
    // A server that has said no may close before it has read everything.
    socket.on('error', (error) => (out === '' ? reject(error) : resolve(out)));
    socket.on('close', () => resolve(out));
  });
}

/** The first answer in what `exchange` gave. */
export function parse(text: string): WireAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...fields] = text.slice(0, end).split('\r\n');
  const headers = new Headers();
  for (const field of fields) {
    const colon = field.indexOf(':');
    headers.append(field.slice(0, colon), field.slice(colon + 1).trim());
  }
  const length = Number(headers.get('content-length') ?? Infinity);
  const body = Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1').toString();
  return { status: Number(line.split(' ')[1]), headers, text: body, body: readJson(body) };
}

function readJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
