import { connect, type Socket } from 'node:net';
import { AppError } from '../errors.ts';
import { type Address, type Resolving, resolveAllowed } from './resolve.ts';

const DEFAULT_LIMIT_MS = 10_000;
/** How long one of several addresses may take before the next is tried as well. */
const NEXT_ADDRESS_MS = 1000;

/** What may be dialled, and for how long. */
export interface Dialling extends Resolving {
  /** Ends the dialling; what was dialled is the caller's to end. */
  signal: AbortSignal;
  /** For name and connection together; 10 s if it is not given. */
  timeoutMs?: number | undefined;
}

/**
 * Connects to a host by exactly the addresses that were found to be allowed. The socket has no listener: its errors are
 * the caller's from here on.
 * @throws AppError `forbidden`: it may not be reached; `provider_unavailable`, `provider_timeout`: it cannot be.
 * @throws why the signal was aborted.
 */
export async function dialAllowed(
  host: string,
  port: number,
  { signal, timeoutMs = DEFAULT_LIMIT_MS, ...resolving }: Dialling,
): Promise<Socket> {
  signal.throwIfAborted();
  const limit = AbortSignal.timeout(timeoutMs);
  const both = AbortSignal.any([signal, limit]);
  try {
    const addresses = await orAborted(resolveAllowed(host, port, resolving), both);
    return await connectTo(host, port, addresses, both);
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new AppError(
      'provider_timeout',
      `${JSON.stringify(`${host}:${port}`)} could not be reached within ${timeoutMs / 1000} s`,
    );
  }
}

function connectTo(host: string, port: number, addresses: readonly Address[], signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port,
      // Whoever is asked instead of DNS: what was checked is what is dialled. Not asked where the host is an address.
      lookup: (_host, _options, done) => done(null, [...addresses]),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      noDelay: true,
    });
    const leave = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const settle = (): void => signal.removeEventListener('abort', leave);
    const fail = (error: Error): void => {
      settle();
      const code = 'code' in error ? String(error.code) : error.name;
      reject(
        new AppError('provider_unavailable', `${JSON.stringify(`${host}:${port}`)} could not be reached (${code})`),
      );
    };
    signal.addEventListener('abort', leave, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => {
      settle();
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/** The promise's value, or why the signal was aborted, if that is sooner. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
