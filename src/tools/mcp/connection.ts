import type { Client, Transport } from '@modelcontextprotocol/client';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { abortable } from './abortable.ts';
import type { McpClocks } from './clocks.ts';
import { failureText } from './failure.ts';
import { FloodGuard } from './flood-guard.ts';
import { httpTransport, type McpFetch } from './http-transport.ts';
import { isStdio, type McpServerConfig } from './server-config.ts';
import { StderrLog } from './stderr-log.ts';
import { StdioTransport } from './stdio-transport.ts';

/** What a connection is made with. */
export interface Connecting {
  name: string;
  config: McpServerConfig;
  fetch: McpFetch;
  /** The variables that every program gets. */
  environment: Readonly<Record<string, string>>;
  clocks: McpClocks;
  version: string;
  log: Logger;
  signal: AbortSignal;
  onToolsChanged(): void;
  /** It is over, whoever has ended it. */
  onClosed(reason: Error): void;
}

/** A tool as its server lists it, before anybody has looked at it more closely. */
export type ListedTool = z.output<typeof ListedTool>;

const ListedTool = z.object({
  name: z.string(),
  title: z.unknown().optional(),
  description: z.unknown().optional(),
  inputSchema: z.unknown().optional(),
  annotations: z.unknown().optional(),
});
const ToolsPage = z.object({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() });
const CallResult = z.looseObject({});

/** Of the list of tools. */
const MAX_PAGES = 50;
const MAX_LISTED = 5000;
/** Messages that may come at once, and per second later. */
const FLOOD = { burst: 5000, perSecond: 200 };

/** How a call is made. */
export interface McpCall {
  signal: AbortSignal;
  timeoutMs: number;
  onProgress(message: string): void;
}

/** A handshake that was made: one session with one server. */
export class McpConnection {
  readonly #client: Client;
  readonly #clocks: McpClocks;
  readonly #sayGoodbye: () => Promise<void>;

  private constructor(client: Client, clocks: McpClocks, sayGoodbye: () => Promise<void>) {
    this.#client = client;
    this.#clocks = clocks;
    this.#sayGoodbye = sayGoodbye;
  }

  /**
   * Starts the program, or calls the server, and shakes hands. No capability is offered: what a server asks of us is
   * refused. @throws Error
   */
  static async open(how: Connecting): Promise<McpConnection> {
    const { Client } = await import('@modelcontextprotocol/client');
    const { config, clocks, signal, log, name } = how;
    const stderr = new StderrLog(log, name);
    const { transport, sayGoodbye } = isStdio(config)
      ? { transport: stdioTransport(config, how.environment, stderr), sayGoodbye: () => Promise.resolve() }
      : await httpTransport(config, how.fetch);
    const client = new Client({ name: 'profclaw', version: how.version }, { capabilities: {} });
    let isOpen = false;
    let reason: Error | undefined;
    guardFloods(transport, (error) => {
      reason = error;
      client.close().catch(() => undefined);
    });
    client.onerror = (error) => {
      if (isStdio(config)) reason ??= error;
      log.debug({ mcp: name, reason: failureText(error) }, 'a server of tools makes trouble');
    };
    client.onclose = () => {
      if (isOpen) how.onClosed(withTail(reason ?? new Error('the connection was closed'), stderr));
    };
    client.setNotificationHandler('notifications/tools/list_changed', how.onToolsChanged);
    const timeout = AbortSignal.timeout(clocks.connect);
    const stop = AbortSignal.any([signal, timeout]);
    try {
      await abortable(client.connect(transport, { timeout: clocks.connect, signal: stop }), stop);
    } catch (error) {
      await transport.close();
      signal.throwIfAborted();
      const why = timeout.aborted ? new Error(`it did not answer within ${clocks.connect / 1000} s`) : reason;
      throw withTail(why ?? error, stderr);
    }
    isOpen = true;
    return new McpConnection(client, clocks, sayGoodbye);
  }

  /** What the server says it is, and the version of the protocol that both speak. */
  get server(): { name: string; version: string; protocol: string } {
    const { name = '', version = '' } = this.#client.getServerVersion() ?? {};
    return { name, version, protocol: this.#client.getNegotiatedProtocolVersion() ?? '' };
  }

  /** All tools that the server lists, up to some thousands. @throws Error */
  async listTools(): Promise<ListedTool[]> {
    if (!this.#client.getServerCapabilities()?.tools) return [];
    const tools: ListedTool[] = [];
    const seen = new Set<string>();
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES && tools.length < MAX_LISTED; page++) {
      const params = cursor === undefined ? {} : { cursor };
      const options = { timeout: this.#clocks.connect };
      const answer = await this.#client.request({ method: 'tools/list', params }, ToolsPage, options);
      for (const one of answer.tools) {
        const parsed = ListedTool.safeParse(one);
        if (parsed.success && tools.length < MAX_LISTED) tools.push(parsed.data);
      }
      cursor = answer.nextCursor ?? undefined;
      // One that goes round in circles.
      if (cursor === undefined || seen.has(cursor)) break;
      seen.add(cursor);
    }
    return tools;
  }

  /** Has a tool called, once. @throws Error; why the signal was aborted. */
  async call(name: string, given: JsonObject, { signal, timeoutMs, onProgress }: McpCall): Promise<JsonObject> {
    const answer = this.#client.request({ method: 'tools/call', params: { name, arguments: given } }, CallResult, {
      signal,
      timeout: timeoutMs,
      resetTimeoutOnProgress: true,
      maxTotalTimeout: this.#clocks.progressTimes * timeoutMs,
      onprogress: ({ message, progress, total }) =>
        onProgress(message ?? (total === undefined ? `${progress}` : `${progress} of ${total}`)),
    });
    return await abortable(answer, signal);
  }

  /** Is it still there? @returns milliseconds. @throws Error if it does not answer. */
  async ping(): Promise<number> {
    const startedAt = performance.now();
    try {
      await this.#client.ping({ timeout: this.#clocks.ping });
    } catch (error) {
      // One that does not know what a ping is has answered, too.
      if (!isRpcError(error)) throw error;
    }
    return Math.round(performance.now() - startedAt);
  }

  /** Ends the session, and the program with all that it has started. */
  async close(): Promise<void> {
    await this.#sayGoodbye();
    await this.#client.close();
  }
}

function stdioTransport(
  config: Extract<McpServerConfig, { command: string }>,
  environment: Readonly<Record<string, string>>,
  stderr: StderrLog,
): Transport {
  const { command, args, env, cwd = '/' } = config;
  return new StdioTransport({ command, args, env: { ...environment, ...env }, cwd }, (piece) => stderr.add(piece));
}

function guardFloods(transport: Transport, onFlood: (error: Error) => void): void {
  const guard = new FloodGuard(FLOOD.burst, FLOOD.perSecond);
  const { onmessage } = transport;
  let isFlooded = false;
  const count = (): void => {
    if (isFlooded || !guard.count()) return;
    isFlooded = true;
    onFlood(new Error('it sends more messages than anybody needs'));
  };
  transport.onmessage = (message, extra) => {
    onmessage?.(message, extra);
    count();
  };
  transport.onerror = count;
}

/** What a program has said last is mostly why it has ended. */
function withTail(error: unknown, stderr: StderrLog): Error {
  const why = error instanceof Error ? error : new Error(String(error));
  const tail = stderr.tail();
  if (tail === '') return why;
  return new Error(`${why.message}; the last that it has said is ${JSON.stringify(tail)}`, { cause: why });
}

/** An error that the server has answered with. */
function isRpcError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}
