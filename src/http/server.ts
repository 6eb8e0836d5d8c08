import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClientAddresses } from './client-address.ts';
import { Exchange } from './exchange.ts';
import { Idempotency } from './idempotency.ts';
import type { Route } from './route.ts';
import { Router } from './router.ts';
import { RunningRequests } from './running.ts';
import type { Services } from './services.ts';
import { refuseUnreadable } from './unreadable.ts';
import type { WireOf } from './wire.ts';

/** A listening server. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:3000`. */
  url: string;
  /** Lets running requests end within the time that the configuration gives, then aborts them. */
  stop(): Promise<void>;
}

/** What a server answers. */
export interface Interface {
  routes: readonly Route[];
  wireOf: WireOf;
}

/**
 * Listens on the configured address; port 0 picks a free one.
 * @throws Error saying that the port is taken, or whatever else the system has against it.
 */
export async function startServer(services: Services, { routes, wireOf }: Interface): Promise<RunningServer> {
  const { host, port, stopTimeout } = services.config;
  const running = new RunningRequests();
  const serving = {
    services,
    running,
    router: new Router(routes),
    wireOf,
    idempotency: new Idempotency(services.database.db, services.log),
    addresses: new ClientAddresses(services.config.access.trustedProxies),
  };
  // Node keeps the first of two `Host` or `Authorization` headers, others the last; joined, they are neither's.
  const server = createServer({ joinDuplicateHeaders: true }, (request, response) => {
    new Exchange(serving, request, response).run().catch((error: unknown) => {
      services.log.error({ err: error }, 'a request could not be answered');
      response.destroy();
    });
  });
  server.on('clientError', refuseUnreadable);
  await listen(server, host, port);
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // A turn may go on after its caller has gone.
      await Promise.all([running.stop(stopTimeout), services.turns.stop(stopTimeout), services.stopRuns(stopTimeout)]);
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? `port ${port} is taken on ${host}; stop what uses it, or set PORT to another one (0 picks a free one)`
          : cause.message;
      reject(new Error(`Cannot listen: ${why}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}
