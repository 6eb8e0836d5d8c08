import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Json } from '../server.ts';

/** One request as it came over the wire, and the raw socket to answer on. */
export interface Seen {
  head: string;
  body: Json;
  socket: Socket;
  /** When it came, by `performance.now()`. Only for lower bounds: a slow machine must not break a test. */
  at: number;
  /** Resolves once the connection is gone. */
  gone: Promise<void>;
}

/** What to do with a request; `n` counts the requests of this script from 1. */
export type Script = (seen: Seen, n: number) => unknown;

/** An upstream on raw TCP: whoever writes the script writes every byte of the answer. */
export interface BadUpstream {
  /** To be used as a base URL. */
  url: string;
  /** Registers a script; the model name that gets it, and what was seen of it. */
  script(script: Script): Scripted;
  openSockets(): number;
  /** Closes every connection, as a provider's idle time-out does. */
  dropConnections(): void;
  close(): Promise<void>;
}

export interface Scripted {
  model: string;
  seen: Seen[];
}

export async function startBadUpstream(): Promise<BadUpstream> {
  const scripts = new Map<string, { script: Script; seen: Seen[] }>();
  const sockets = new Set<Socket>();
  const onRequest = (head: string, text: string, socket: Socket, gone: Promise<void>): void => {
    const body = text === '' ? {} : JSON.parse(text);
    const scripted = scripts.get(body.model);
    if (!scripted) {
      socket.destroy();
      return;
    }
    const seen = { head, body, socket, at: performance.now(), gone };
    scripted.seen.push(seen);
    void scripted.script(seen, scripted.seen.length);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    const gone = new Promise<void>((resolve) => {
      socket.on('close', () => {
        sockets.delete(socket);
        resolve();
      });
    });
    socket.on('error', () => {});
    let held = '';
    socket.on('data', (chunk) => {
      held += chunk.toString('latin1');
      const end = held.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(held)?.[1] ?? 0);
      if (end === -1 || held.length < end + 4 + length) return;
      const body = Buffer.from(held.slice(end + 4, end + 4 + length), 'latin1').toString('utf8');
      const head = held.slice(0, end);
      held = held.slice(end + 4 + length);
      onRequest(head, body, socket, gone);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let count = 0;
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    script: (script) => {
      count++;
      const model = `bad-${count}`;
      const seen: Seen[] = [];
      scripts.set(model, { script, seen });
      return { model, seen };
    },
    openSockets: () => sockets.size,
    dropConnections,
    close: async () => {
      dropConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A head; header lines are written as given. */
export function head(status: number | string, ...lines: string[]): string {
  return `HTTP/1.1 ${status}${String(status).includes(' ') ? '' : ' X'}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A whole answer with a content length; a body that is not text goes out as JSON. */
export function reply(status: number, body: unknown, ...lines: string[]): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const type = lines.some((line) => line.startsWith('content-type:')) ? [] : ['content-type: application/json'];
  return Buffer.concat([Buffer.from(head(status, `content-length: ${bytes.length}`, ...type, ...lines)), bytes]);
}

/** The head of a stream that the end of the connection ends. */
export const STREAM_HEAD = head(200, 'content-type: text/event-stream', 'connection: close');

/** The head of a stream in chunks, as real providers send it. */
export const CHUNKED_HEAD = head(200, 'content-type: text/event-stream', 'transfer-encoding: chunked');

export function chunk(data: string | Buffer): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

export function sse(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** A piece of streamed text. */
export function delta(text: string): string {
  return sse({ choices: [{ index: 0, delta: { content: text } }] });
}

export const FINISH = sse({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
export const DONE = 'data: [DONE]\n\n';

/** A proper whole answer. */
export function answer(text: string): unknown {
  return {
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
}

/** Answers properly, whole or streamed as asked. */
export function good({ body, socket }: Seen, text = 'good'): void {
  if (body.stream)
    socket.write(Buffer.concat([Buffer.from(CHUNKED_HEAD), chunk(delta(text) + FINISH + DONE), chunk('')]));
  else socket.write(reply(200, answer(text)));
}

/** Writes as fast as the reader takes it; false once the connection is gone. */
export async function write(socket: Socket, data: string | Buffer): Promise<boolean> {
  if (socket.destroyed) return false;
  if (socket.write(data)) return true;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
  return !socket.destroyed;
}
