import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { type Guard, guardedFetch } from '../../src/network/guarded-fetch.ts';
import type { Lookup } from '../../src/network/resolve.ts';

/** A server of this test, and what came to it. */
export interface Site {
  port: number;
  /** By its address: `http://127.0.0.1:1234`. */
  origin: string;
  requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Connections that were ever made, and those that are there now. */
  connections: number;
  open: Set<Socket>;
}

/** Answers over HTTP, by default with `secret`. */
export async function site(
  answer: RequestListener = (_, response) => response.end('secret'),
  host = '127.0.0.1',
): Promise<Site> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      made.requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  const made = await listen(server, host);
  return made;
}

/** Answers with bytes of the test's own, once something was asked. */
export async function rawSite(answer: (socket: Socket) => void): Promise<Site> {
  return await listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
    }),
    '127.0.0.1',
  );
}

/** Has a server listen, until the test is over. */
export async function listen(server: Server, host: string): Promise<Site> {
  const open = new Set<Socket>();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  const made: Site = { port, origin: `http://${shown}:${port}`, requests: [], connections: 0, open };
  server.on('connection', (socket: Socket) => {
    made.connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return made;
}

/** A resolver that knows these names, and counts who asks for them. */
export function names(known: Record<string, string | readonly string[]>): Lookup & { asked: string[] } {
  const asked: string[] = [];
  const lookup = (host: string) => {
    asked.push(host);
    const found = known[host];
    if (found === undefined) return Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    return Promise.resolve(addresses([found].flat()));
  };
  return Object.assign(lookup, { asked });
}

/** With their family. */
export function addresses(all: readonly string[]): { address: string; family: 4 | 6 }[] {
  return all.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

/** What a fetch comes to: the status and body, or what is said of its failure. */
export async function tryFetch(guard: Guard, url: string | URL, init?: RequestInit): Promise<string> {
  try {
    const response = await guardedFetch(guard)(url, init);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return error instanceof AppError ? `${error.code}: ${error.message}` : String(error);
  }
}

/** A guard for which every host is named by a rule. */
export const ANY: Guard = { hostRule: () => 'exact', mayFollow: () => true };

/** How many connections this process has, on either side. */
export function sockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}
