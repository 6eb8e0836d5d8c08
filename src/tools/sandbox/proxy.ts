import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { AppError } from '../../errors.ts';
import { dialAllowed } from '../../network/dial.ts';
import { portOf } from '../../network/http-url.ts';
import type { Grant } from '../tool.ts';

/** A proxy that is running. */
export interface Proxy {
  /** What was refused so far, a sentence each, up to ten. */
  refusals(): string[];
  /** Ends it, with all connections. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 64;
const IDLE_MS = 60_000;
/** In both directions, all connections together. */
const MAX_BYTES = 1024 ** 3;
const MAX_REFUSALS = 10;
/** Of one connection, not of what it leads to. */
const HOP_BY_HOP = new Set([
  ...['connection', 'host', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'proxy-authenticate'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/**
 * Starts an HTTP proxy on a socket file: it tunnels (CONNECT) and passes on requests for http URLs, to hosts that rules
 * allow, at addresses that the network guard lets pass. Bounded: 64 connections, a minute without a byte, 1 GiB in all.
 * @param signal ends what is being dialled.
 */
export async function startProxy(path: string, hostRule: Grant['hostRule'], signal: AbortSignal): Promise<Proxy> {
  const sockets = new Set<Duplex>();
  const refusals = new Set<string>();
  let bytes = 0;
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const count = (from: Readable): void => {
    from.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= MAX_BYTES) return;
      refuse('More than 1 GiB went through the network of this command');
      endAll();
    });
  };
  const refuse = (why: string): string => {
    if (refusals.size < MAX_REFUSALS) refusals.add(why);
    return why;
  };
  const dial = async (url: URL, port: number): Promise<Socket> => {
    try {
      const rule = hostRule(url.hostname, port);
      if (rule === undefined || rule === 'deny') throw new AppError('forbidden', whyNot(rule, url.hostname, port));
      if (bytes > MAX_BYTES) throw new AppError('forbidden', 'This command has used up what it may send and receive');
      const socket = await dialAllowed(url.hostname, port, { isExact: rule === 'exact', signal });
      keep(socket);
      return socket;
    } catch (error) {
      refuse(messageOf(error));
      throw error;
    }
  };
  const server = createServer((incoming, response) => void passOn(incoming, response, dial, count));
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    keep(socket);
    count(socket);
  });
  server.on('connect', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    void tunnel(incoming, socket, head, dial, count);
  });
  await listenOn(server, path);
  return {
    refusals: () => [...refusals],
    close: async () => {
      endAll();
      await new Promise((resolve) => server.close(resolve));
      // Dialled meanwhile.
      endAll();
    },
  };
}

type Dial = (url: URL, port: number) => Promise<Socket>;

/** Counts what is read against the bound on bytes. */
type Count = (from: Readable) => void;

async function tunnel(
  { url = '' }: IncomingMessage,
  inner: Socket,
  head: Buffer,
  dial: Dial,
  count: Count,
): Promise<void> {
  const [, port] = /:(\d{1,5})$/.exec(url) ?? [];
  const target = URL.parse(`http://${url}`);
  if (port === undefined || target === null || target.pathname !== '/' || target.username !== '')
    return end(inner, '400 Bad Request', `${JSON.stringify(url)} is not a host and a port`);
  try {
    const outer = await dial(target, Number(port));
    if (inner.destroyed) return void outer.destroy();
    inner.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    outer.write(head);
    count(outer);
    inner.on('close', () => outer.destroy());
    outer.on('close', () => inner.destroy());
    inner.pipe(outer).pipe(inner);
  } catch (error) {
    const isRefused = error instanceof AppError && error.code === 'forbidden';
    end(inner, isRefused ? '403 Forbidden' : '502 Bad Gateway', messageOf(error));
  }
}

async function passOn(incoming: IncomingMessage, response: ServerResponse, dial: Dial, count: Count): Promise<void> {
  const url = URL.parse(incoming.url ?? '');
  if (url === null || url.protocol !== 'http:')
    return answer(response, 400, 'This is a proxy for http URLs, and for CONNECT to others');
  try {
    const socket = await dial(url, portOf(url));
    if (response.destroyed) return void socket.destroy();
    const outgoing = request({
      ...{ method: incoming.method, path: url.pathname + url.search },
      headers: { ...endToEnd(incoming.headers), host: url.host },
      // Without an agent, which would dial by itself.
      createConnection: () => socket,
    });
    outgoing.on('response', (reply) => {
      response.writeHead(reply.statusCode ?? 502, endToEnd(reply.headers));
      count(reply);
      reply.pipe(response);
    });
    outgoing.on('error', (error) => answer(response, 502, error.message));
    response.on('close', () => socket.destroy());
    incoming.pipe(outgoing);
  } catch (error) {
    answer(response, error instanceof AppError && error.code === 'forbidden' ? 403 : 502, messageOf(error));
  }
}

function endToEnd<Headers extends object>(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name))) as Headers;
}

function whyNot(rule: 'deny' | undefined, host: string, port: number): string {
  const place = JSON.stringify(`${host}:${port}`);
  return rule === 'deny' ? `A rule denies commands the host ${place}` : `No rule allows commands to reach ${place}`;
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function end(socket: Duplex, status: string, text: string): void {
  const body = `${text}\n`;
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}

async function listenOn(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
