import { isIPv6, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { AppError } from '../errors.ts';
import { dialAllowed } from './dial.ts';
import { portOf } from './http-url.ts';
import type { Lookup } from './resolve.ts';

/** What is reached over a connection, and how. */
export interface Reach {
  /**
   * May this host be reached? `deny`: no; `exact`: also where it is private; else where its addresses are public.
   * Asked at every connection. The host is as `URL.hostname` gives it.
   */
  hostRule(host: string, port: number): 'deny' | 'allow' | 'exact' | undefined;
  /** The system's resolver if it is not given. */
  lookup?: Lookup | undefined;
  /** Certificate authorities, PEM, in place of the system's. */
  ca?: string | undefined;
}

/**
 * How undici gets its connections: each is looked at when it is dialled, and goes to an address that was allowed. TLS
 * is spoken with the name, not the address.
 * @param sockets where each one is put, so that whoever asked can end it.
 */
export function guardedConnector(
  reach: Reach,
  connectMs: number,
  signal: AbortSignal,
  sockets: Set<Socket>,
): buildConnector.connector {
  const secure = buildConnector({ allowH2: false, timeout: connectMs, ca: reach.ca });
  const dial = async ({ hostname, port: given, protocol }: buildConnector.Options): Promise<Socket> => {
    // undici's fetch cannot be aborted before it has returned, and what is asked below may have that done.
    await Promise.resolve();
    const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
    const port = portOf({ protocol, port: given });
    const rule = reach.hostRule(host, port);
    if (rule === 'deny')
      throw new AppError('forbidden', `The rules do not let this call reach ${JSON.stringify(`${host}:${port}`)}`);
    const isExact = rule === 'exact';
    const socket = await dialAllowed(host, port, { isExact, lookup: reach.lookup, signal, timeoutMs: connectMs });
    sockets.add(socket);
    return socket;
  };
  return (options, callback) => {
    dial(options).then(
      (socket) =>
        options.protocol === 'https:' ? secure({ ...options, httpSocket: socket }, callback) : callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}
