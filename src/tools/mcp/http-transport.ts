import type { JSONRPCMessage, StreamableHTTPClientTransport, Transport } from '@modelcontextprotocol/client';
import { isObject } from '../../core/json.ts';
import { boundBytes, boundEvents } from './bounded-stream.ts';
import type { HttpServerConfig } from './server-config.ts';

/** What `fetch` is, for one server: with all that the guard of the network has to say. */
export type McpFetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** Of an answer, or of one event of a stream. */
const MAX_BYTES = 10 * 1024 ** 2;
/** A server that ends a stream early is asked to go on, so often and after so many milliseconds. */
const RECONNECTION = {
  initialReconnectionDelay: 1000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 5,
};
/** How long a server may take to hear that a session is over. Milliseconds. */
const GOODBYE_MS = 1000;

/** What is said in the server's place when a stream has ended without its answer: none comes any more. */
const BROKEN_OFF = { jsonrpc: '2.0', error: { code: -32_000, message: 'the answer was broken off' } } as const;

/** A connection over streamable HTTP. */
export interface HttpConnection {
  transport: Transport;
  /** Tells the server that the session is over. */
  sayGoodbye(): Promise<void>;
}

/**
 * Makes the transport to a server over HTTP. Redirects are followed within its origin only, so that headers go nowhere
 * else; a request that was cancelled leaves no open stream behind.
 */
export async function httpTransport(config: HttpServerConfig, fetch: McpFetch): Promise<HttpConnection> {
  const library = await import('@modelcontextprotocol/client');
  const transport = new library.StreamableHTTPClientTransport(new URL(config.url), {
    fetch: bounded(fetch),
    requestInit: { headers: config.headers },
    reconnectionOptions: RECONNECTION,
  });
  endStreams(transport);
  return {
    transport,
    sayGoodbye: async () => {
      const tooLate = new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref());
      await Promise.race([transport.terminateSession().catch(() => undefined), tooLate]);
    },
  };
}

function bounded(fetch: McpFetch): McpFetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    const { status, statusText, headers } = response;
    const isStream = /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
    const bound = isStream ? boundEvents(MAX_BYTES) : boundBytes(MAX_BYTES);
    return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
  };
}

/**
 * The client tells the server of a cancelled request, or takes its answer, and waits for nothing more: its stream has to
 * go as well.
 */
function endStreams(transport: StreamableHTTPClientTransport): void {
  const send = transport.send.bind(transport);
  const open = new Map<unknown, AbortController>();
  const end = (id: unknown): void => {
    open.get(id)?.abort();
    open.delete(id);
  };
  transport.onmessage = (message) => {
    if (!('method' in message)) end(message.id);
  };
  transport.send = async (message: JSONRPCMessage | JSONRPCMessage[], options = {}) => {
    if (Array.isArray(message) || !('method' in message)) return await send(message, options);
    if (message.method === 'notifications/cancelled' && isObject(message.params)) end(message.params.requestId);
    if (!('id' in message)) return await send(message, options);
    const { id } = message;
    const controller = new AbortController();
    open.set(id, controller);
    const onRequestStreamEnd = (): void => {
      if (open.delete(id)) transport.onmessage?.({ ...BROKEN_OFF, id });
    };
    try {
      await send(message, { ...options, requestSignal: controller.signal, onRequestStreamEnd });
    } catch (error) {
      open.delete(id);
      throw error;
    }
  };
}
