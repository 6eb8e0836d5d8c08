import type { JsonObject } from '../../core/json.ts';
import type { Tool, ToolContext, ToolOutcome } from '../tool.ts';
import { abortable } from './abortable.ts';
import { type Connecting, McpConnection } from './connection.ts';
import { failureText, statusOf } from './failure.ts';
import { resultText } from './result-text.ts';
import { type ServerTools, serverTools } from './server-tool.ts';

/** What a server is made with, apart from what it does itself. */
export interface ServerDeps extends Omit<Connecting, 'signal' | 'onToolsChanged' | 'onClosed'> {
  /** Its tools are others now. */
  changed(): void;
}

/** How a server is, for people. Times in milliseconds since 1970. */
export interface ServerState {
  state: 'connecting' | 'connected' | 'failed' | 'stopped';
  /** Why it failed. */
  message: string;
  /** What it says it is. */
  server: { name: string; version: string; protocol: string } | undefined;
  checkedAt: number | undefined;
  latencyMs: number | undefined;
}

const DEFAULT_TIMEOUT_S = 60;
/** After a failure calls do not try again for so long. Milliseconds. */
const CALM_MS = 1000;
/** A connection that has lasted so long was a good one. Milliseconds. */
const STEADY_MS = 30_000;
/** Of what a call tells of its progress. */
const MAX_PROGRESS_CHARS = 20_000;

/**
 * One server of tools, as long as it is configured: connected in the background, again and again if need be. It keeps
 * the tools that it had while it is not there, and their calls then say so.
 */
export class RemoteServer {
  readonly #deps: ServerDeps;
  readonly #stopping = new AbortController();
  #connection: McpConnection | undefined;
  #opening: Promise<McpConnection> | undefined;
  #offer: ServerTools = { tools: [], skipped: [] };
  #state: ServerState = {
    ...{ state: 'connecting', message: '' },
    ...{ server: undefined, checkedAt: undefined, latencyMs: undefined },
  };
  #failures = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #connectedAt = performance.now();
  #retry: NodeJS.Timeout | undefined;
  #listing: NodeJS.Timeout | undefined;
  #listedAt = Number.NEGATIVE_INFINITY;
  #calls = 0;
  readonly #pings: NodeJS.Timeout;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
    this.#pings = setInterval(() => void this.#look(), deps.clocks.pingEvery).unref();
  }

  get state(): ServerState {
    return this.#state;
  }

  get tools(): readonly Tool[] {
    return this.#offer.tools;
  }

  get skipped(): ServerTools['skipped'] {
    return this.#offer.skipped;
  }

  /** Connects, if it is not connected. Resolves when that has succeeded or failed; never rejects. */
  async connect(): Promise<void> {
    await this.#connected().catch(() => undefined);
  }

  /** Asks it now, after connecting if need be. Never rejects: the state says how it went. */
  async check(): Promise<void> {
    try {
      await this.#ping(await this.#connected());
    } catch {
      // The state says so.
    }
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the server of tools was stopped'));
    clearInterval(this.#pings);
    clearTimeout(this.#retry);
    clearTimeout(this.#listing);
    await this.#opening?.catch(() => undefined);
    await this.#connection?.close();
    this.#connection = undefined;
    this.#state = { ...this.#state, state: 'stopped' };
  }

  async #call(name: string, given: JsonObject, context: ToolContext): Promise<ToolOutcome> {
    this.#calls++;
    try {
      const result = await this.#callOnce(name, given, context);
      return { text: resultText(result), isError: result.isError === true };
    } catch (error) {
      context.signal.throwIfAborted();
      setImmediate(() => void this.#look());
      return { text: `The MCP server ${this.#deps.name} failed: ${failureText(error)}`, isError: true };
    } finally {
      this.#calls--;
    }
  }

  async #callOnce(name: string, given: JsonObject, { signal, progress }: ToolContext): Promise<JsonObject> {
    const { timeout = DEFAULT_TIMEOUT_S } = this.#deps.config;
    const call = { signal, timeoutMs: timeout * 1000, onProgress: boundedLines(progress) };
    const connection = await abortable(this.#forCall(), signal);
    try {
      return await connection.call(name, given, call);
    } catch (error) {
      signal.throwIfAborted();
      // Whoever does not know the session has not done anything in it.
      if (statusOf(error) !== 404) throw error;
      this.#drop(connection);
      return await (await abortable(this.#connected(), signal)).call(name, given, call);
    }
  }

  /** As `#connected`, but a server that has just failed is not tried for every call. */
  #forCall(): Promise<McpConnection> {
    const isCalm = this.#opening !== undefined || performance.now() - this.#failedAt >= CALM_MS;
    return this.#connection || isCalm ? this.#connected() : Promise.reject(new Error(this.#state.message));
  }

  #connected(): Promise<McpConnection> {
    if (this.#connection) return Promise.resolve(this.#connection);
    if (this.#opening) return this.#opening;
    if (this.#stopping.signal.aborted) return Promise.reject(new Error('it was stopped'));
    clearTimeout(this.#retry);
    this.#opening = this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<McpConnection> {
    const { signal } = this.#stopping;
    this.#state = { ...this.#state, state: this.#failures === 0 ? 'connecting' : this.#state.state };
    let opened: McpConnection | undefined;
    let lost: Error | undefined;
    const onClosed = (reason: Error): void => {
      lost = reason;
      // Otherwise we have ended it, or whoever waits for it will find out.
      if (opened === undefined || this.#connection !== opened) return;
      this.#connection = undefined;
      this.#fail(reason);
    };
    try {
      opened = await McpConnection.open({ ...this.#deps, signal, onToolsChanged: () => this.#listSoon(), onClosed });
      await abortable(this.#list(opened), signal);
      if (lost) throw lost;
      this.#connection = opened;
      this.#connectedAt = performance.now();
      this.#state = {
        state: 'connected',
        message: '',
        server: opened.server,
        checkedAt: Date.now(),
        latencyMs: undefined,
      };
      return opened;
    } catch (error) {
      await opened?.close();
      this.#fail(lost ?? error);
      throw lost ?? error;
    }
  }

  #fail(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const { clocks, log, name } = this.#deps;
    const message = failureText(error);
    this.#state = { ...this.#state, state: 'failed', message, checkedAt: Date.now(), latencyMs: undefined };
    this.#failedAt = performance.now();
    if (this.#failedAt - this.#connectedAt > STEADY_MS) this.#failures = 0;
    this.#connectedAt = this.#failedAt;
    const wait = Math.min(clocks.retryAfter * 2 ** this.#failures, clocks.retryAtMost);
    this.#failures = Math.min(this.#failures + 1, 30);
    log.warn({ mcp: name, retryInMs: wait }, `a server of tools is not there: ${message}`);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.connect(), wait).unref();
  }

  /** Lets go of a connection that is good for nothing any more. */
  #drop(connection: McpConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
    void connection.close().catch(() => undefined);
  }

  async #list(connection: McpConnection): Promise<void> {
    this.#listedAt = performance.now();
    const { name, config, changed } = this.#deps;
    const listed = await connection.listTools();
    this.#offer = serverTools(name, config, listed, (tool, given, context) => this.#call(tool, given, context));
    changed();
  }

  /** However often the list changes, it is not asked for more often than now and then. */
  #listSoon(): void {
    if (this.#listing !== undefined || this.#stopping.signal.aborted) return;
    const wait = Math.max(0, this.#listedAt + this.#deps.clocks.listEvery - performance.now());
    this.#listing = setTimeout(() => {
      this.#listing = undefined;
      const connection = this.#connection;
      if (connection) this.#list(connection).catch((error: unknown) => this.#broken(connection, error));
    }, wait).unref();
  }

  /** Looks whether it is still there, unless a call will show. */
  async #look(): Promise<void> {
    if (this.#connection && this.#calls === 0) await this.#ping(this.#connection).catch(() => undefined);
  }

  async #ping(connection: McpConnection): Promise<void> {
    try {
      const latencyMs = await connection.ping();
      if (this.#connection === connection) this.#state = { ...this.#state, checkedAt: Date.now(), latencyMs };
    } catch (error) {
      if (this.#calls === 0) this.#broken(connection, error);
      throw error;
    }
  }

  #broken(connection: McpConnection, error: unknown): void {
    if (this.#connection !== connection) return;
    this.#drop(connection);
    this.#fail(error);
  }
}

/** Passes lines on until there were too many characters. */
function boundedLines(progress: (text: string) => void): (line: string) => void {
  let left = MAX_PROGRESS_CHARS;
  return (line) => {
    if (left <= 0) return;
    progress(`${line.slice(0, left)}\n`);
    left -= line.length + 1;
  };
}
