import type { Json } from '../server.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import { pick, type Random } from './random.ts';

/** What a caller was told; undefined: nothing, whatever became of what was asked. */
export interface Told {
  status: number;
  body: Json;
}

/** Milliseconds: a frozen node does not answer. */
const PATIENCE_MS = 2500;

/** How something is asked. */
export interface Asking {
  body?: unknown;
  key?: string;
  patienceMs?: number;
}

/** Somebody who calls any of the nodes. */
export class Client {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #signal: AbortSignal;

  /** @param signal ends all that it waits for. */
  constructor(cluster: Cluster, random: Random, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#random = random;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Any of them, be it down or frozen. */
  anyNode(): ClusterNode {
    return pick(this.#random, this.#cluster.nodes);
  }

  /** Asks once. */
  async ask(path: string, asking: Asking = {}, node = this.anyNode()): Promise<Told | undefined> {
    const { body, key, patienceMs = PATIENCE_MS } = asking;
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(patienceMs)]);
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const sent = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    try {
      const response = await fetch(`${node.url}/api/chat${path}`, { ...sent, signal });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json');
      return { status: response.status, body: isJson ? JSON.parse(text) : text };
    } catch {
      this.#signal.throwIfAborted();
      return undefined;
    }
  }

  /** Asks again and again, until the answer is one of those. */
  async insist(path: string, asking: Asking, statuses: readonly number[]): Promise<Told> {
    for (;;) {
      const told = await this.ask(path, asking);
      if (told && statuses.includes(told.status)) return told;
      if (told && told.status >= 400 && told.status < 500 && told.status !== 409)
        throw new Error(`${path}: ${told.status} ${JSON.stringify(told.body)}`);
      await this.rest(100);
    }
  }

  /** A pause of about that length. @throws when everything ends */
  async rest(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms * (0.5 + this.#random())));
    this.#signal.throwIfAborted();
  }
}
