import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/google-chrome'];

/** The browser of this machine; undefined if it has none. */
export const BROWSER = PROGRAMS.find((program) => existsSync(program));

/** A name whose address is this machine's, to the browser. */
export const EVIL_HOST = 'evil.example';

const ARGUMENTS = [
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--host-resolver-rules=MAP ${EVIL_HOST} 127.0.0.1`,
];

/** Starts it, without a window. */
export async function startBrowser(): Promise<Browser> {
  // As root there is no sandbox.
  return await chromium.launch({ executablePath: BROWSER ?? '', chromiumSandbox: false, args: ARGUMENTS });
}

/** A web server of somebody else, which gives the same page whatever it is asked. */
export interface Site {
  port: number;
  stop(): void;
}

/** What the attacker's page is. */
export const EVIL_PAGE = readFileSync(join(import.meta.dirname, 'evil-page.html'), 'utf8');

/** Starts a web server on a port of its own. */
export async function startSite(page: string): Promise<Site> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', connection: 'close' }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * A name that is rebound: whoever asks for `/?…` by it comes to the one port, and with everything else to the other, to
 * which the name leads by then.
 */
export async function startRebound(before: number, after: number): Promise<Site> {
  const server = createSocketServer((socket) => {
    socket.once('data', (first) => {
      const port = first.toString('latin1').startsWith('GET /?') ? before : after;
      const onward = connect(port, '127.0.0.1');
      onward.write(first);
      socket.pipe(onward).pipe(socket);
      for (const end of [socket, onward]) {
        end.on('error', () => {});
        end.on('close', () => {
          socket.destroy();
          onward.destroy();
        });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, stop: () => void server.close() };
}

/** A request that came to a server of this process, and what it was answered. */
export interface Arrived {
  method: string;
  path: string;
  cookie: string | undefined;
  origin: string | undefined;
  status: number;
}

const STARTED = 'http.server.request.start';

/** Notes what comes to a port of this process. */
export function watchPort(port: number): { arrived: Arrived[]; stop(): void } {
  const arrived: Arrived[] = [];
  const note = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort !== port) return;
    const { method = '', url = '', headers } = request;
    const { cookie, origin } = headers;
    response.on('finish', () => arrived.push({ method, path: url, cookie, origin, status: response.statusCode }));
  };
  subscribe(STARTED, note);
  return { arrived, stop: () => void unsubscribe(STARTED, note) };
}
