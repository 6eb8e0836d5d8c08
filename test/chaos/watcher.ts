import { get, type IncomingMessage } from 'node:http';
import type { Client } from './client.ts';
import type { Random } from './random.ts';

/** An event as a watcher has got it. */
export interface Seen {
  id: number;
  /** The line of data, as it came. */
  data: string;
}

/** How a connection ended: by the server, by a cut, or by waiting in vain. */
type Ending = 'over' | 'broken' | 'silent';

/** A watcher who hears nothing for so long looks elsewhere. Milliseconds. */
const PATIENCE_MS = 2500;
const LEAST_BYTES = 30;
const LAST = /^\{"type":"(?:complete|error)"/;

/** Somebody who watches a run, is cut off again and again, and comes back at any node. */
export class Watcher {
  /** In the order in which they came. */
  readonly seen: Seen[] = [];
  /** Answers that were none of a stream. */
  readonly refusals: string[] = [];
  reconnects = 0;
  /** Times that it was cut off in the middle. */
  cuts = 0;
  /** Was it let go at once when it came back after the end? Undefined: it did not get to it. */
  isLetGo: boolean | undefined;
  readonly #client: Client;
  readonly #random: Random;
  readonly #mostBytes: number;
  readonly #mostCuts: number;
  #waiting: { holds: (seen: Seen) => boolean; resolve: () => void }[] = [];

  /** @param mostBytes are read at most before it is cut off, for the first `mostCuts` times. */
  constructor(client: Client, random: Random, mostBytes: number, mostCuts = Number.POSITIVE_INFINITY) {
    this.#client = client;
    this.#random = random;
    this.#mostBytes = mostBytes;
    this.#mostCuts = mostCuts;
  }

  get isAtEnd(): boolean {
    return LAST.test(this.seen.at(-1)?.data ?? '');
  }

  /** What the message says that a run has begun with; undefined if that could not be read. */
  async first(run: string): Promise<string | undefined> {
    await this.#listen(run, Number.POSITIVE_INFINITY, 1);
    const [seen] = this.seen;
    return seen && JSON.parse(seen.data).data.content;
  }

  /** Waits until it has seen such an event, or the end. */
  async reached(holds: (seen: Seen) => boolean): Promise<void> {
    if (this.seen.some(holds) || this.isAtEnd) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ holds, resolve });
      this.#client.signal.addEventListener('abort', () => reject(this.#client.signal.reason), { once: true });
    });
  }

  /** Watches a run to its end, and comes back once more then. */
  async watch(run: string): Promise<void> {
    while (!this.isAtEnd) {
      await this.#listen(run, this.#bytes());
      if (this.isAtEnd) break;
      this.reconnects++;
      await this.#client.rest(30);
    }
    for (let silences = 0; this.isLetGo === undefined; await this.#client.rest(30)) {
      const end = await this.#listen(run, Number.POSITIVE_INFINITY);
      if (end === 'over') this.isLetGo = true;
      // It may have been frozen in the middle of its answer, once.
      else if (end === 'silent' && ++silences === 3) this.isLetGo = false;
    }
  }

  /** Mostly few, sometimes many. */
  #bytes(): number {
    if (this.cuts >= this.#mostCuts) return Number.POSITIVE_INFINITY;
    return Math.round(LEAST_BYTES * (this.#mostBytes / LEAST_BYTES) ** this.#random());
  }

  async #listen(run: string, bytes: number, events = Number.POSITIVE_INFINITY): Promise<Ending> {
    const last = this.seen.at(-1)?.id;
    const { url } = this.#client.anyNode();
    const byHeader = this.#random() < 0.5;
    const path = `/api/chat/runs/${run}/events${last !== undefined && !byHeader ? `?after=${last}` : ''}`;
    const headers = last !== undefined && byHeader ? { 'last-event-id': String(last) } : {};
    const { signal } = this.#client;
    return await new Promise((resolve) => {
      let end: Ending = 'broken';
      const request = get(url + path, { agent: false, headers, signal, timeout: PATIENCE_MS });
      request.on('timeout', () => {
        request.destroy();
        resolve(end);
      });
      request.on('error', () => resolve('broken'));
      request.on('response', (response) => {
        end = 'silent';
        void this.#read(response, bytes, events).then(resolve, () => resolve('broken'));
      });
    });
  }

  async #read(response: IncomingMessage, bytes: number, events: number): Promise<Ending> {
    let text = '';
    let left = bytes;
    const decoder = new TextDecoder();
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      text += decoder.decode(part, { stream: true });
      if (response.statusCode === 200) text = this.#take(text);
      if (left <= 0 || this.seen.length >= events) {
        response.destroy();
        if (left <= 0) this.cuts++;
        return 'broken';
      }
    }
    // There is nothing after the end, and nothing to come back for.
    if (response.statusCode === 204 && this.isAtEnd) return 'over';
    // 5xx: it is about to stop, or its database is away.
    const { statusCode = 0 } = response;
    if (statusCode !== 200 && statusCode < 500) this.refusals.push(`${statusCode} ${text}`);
    return response.statusCode === 200 && response.complete ? 'over' : 'broken';
  }

  /** Takes whole events out. @returns the rest. */
  #take(text: string): string {
    const blocks = text.split('\n\n');
    const rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? [];
      if (id !== undefined && data !== undefined) this.seen.push({ id: Number(id), data });
      else if (!/^(?:retry: \d+|: .*)$/.test(block)) this.refusals.push(`not an event: ${block}`);
    }
    const isOver = this.isAtEnd;
    const isReached = ({ holds }: { holds: (seen: Seen) => boolean }): boolean => isOver || this.seen.some(holds);
    for (const waiting of this.#waiting) if (isReached(waiting)) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => !isReached(waiting));
    return rest;
  }
}
