import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { isObject, tryParseJson } from '../../core/json.ts';
import { LineReader } from './line-reader.ts';
import { type Program, ServerProcess } from './server-process.ts';

/** Of a message, which is a line. */
const MAX_LINE_BYTES = 10 * 1024 ** 2;
/** What a program has not read yet of what was said to it. */
const MAX_UNREAD_BYTES = 16 * 1024 ** 2;

/** A program that speaks the protocol over its standard input and output. What it says besides goes to `onStderr`. */
export class StdioTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  readonly #program: Program;
  readonly #onStderr: (piece: string) => void;
  #process: ServerProcess | undefined;
  #isClosed = false;

  constructor(program: Program, onStderr: (piece: string) => void) {
    this.#program = program;
    this.#onStderr = onStderr;
  }

  /** Starts the program. @throws Error */
  async start(): Promise<void> {
    const started = await ServerProcess.start(this.#program);
    this.#process = started;
    if (this.#isClosed) return await started.stop();
    started.stderr.setEncoding('utf8').on('data', this.#onStderr);
    const lines = new LineReader(MAX_LINE_BYTES);
    started.stdout.on('data', (piece: Buffer) => {
      try {
        for (const line of lines.add(piece)) this.#read(line);
      } catch (error) {
        this.#fail(error);
      }
    });
    void started.ended.then(() => {
      if (!this.#isClosed) this.onerror?.(new Error(started.end));
      return this.close();
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const input = this.#process?.stdin;
    if (this.#isClosed || !input?.writable) return Promise.reject(new Error('the program has ended'));
    if (input.writableLength > MAX_UNREAD_BYTES) {
      const error = new Error('the program does not read what is said to it');
      this.#fail(error);
      return Promise.reject(error);
    }
    input.write(`${JSON.stringify(message)}\n`);
    return Promise.resolve();
  }

  /** Ends the program and all that it has started. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#process?.stop();
    } finally {
      this.onclose?.();
    }
  }

  #read(line: string): void {
    if (this.#isClosed || line.trim() === '') return;
    const message = tryParseJson(line);
    if (isMessage(message)) this.onmessage?.(message);
    else this.onerror?.(new Error('a line that is not a message of the protocol'));
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    void this.close();
  }
}

/** What the client looks at before it reads more closely. */
function isMessage(value: unknown): value is JSONRPCMessage {
  if (!isObject(value) || value.jsonrpc !== '2.0') return false;
  const hasId = typeof value.id === 'string' || Number.isInteger(value.id);
  if (typeof value.method === 'string')
    return (value.id === undefined || hasId) && (value.params === undefined || isObject(value.params));
  return hasId && (isObject(value.result) || (isObject(value.error) && isRpcError(value.error)));
}

function isRpcError({ code, message }: Record<string, unknown>): boolean {
  return Number.isInteger(code) && typeof message === 'string';
}
