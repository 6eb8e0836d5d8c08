import { expect } from 'vitest';
import type { Json } from '../server.ts';

/** An event of a run, as a watcher gets it. */
export interface RunEvent {
  id: number;
  type: string;
  data: Json;
  /** Milliseconds. */
  timestamp: number;
}

const ENDS = ['complete', 'error'];

/** Somebody who watches a run, live. */
export class Watch {
  readonly headers: Headers;
  readonly events: RunEvent[] = [];
  /** Lines that are neither events nor empty: comments, and how long to wait before coming back. */
  readonly others: string[] = [];
  /** When the stream has ended. */
  readonly over: Promise<void>;
  readonly #leaving: AbortController;
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  private constructor(response: Response, leaving: AbortController) {
    this.headers = response.headers;
    this.#leaving = leaving;
    this.over = this.#read(response).finally(() => {
      this.#isOver = true;
      this.#wake();
    });
    // Whoever waits for something sees that the stream has ended.
    this.over.catch(() => undefined);
  }

  /** Asks for a stream of events, which must begin. @param body is posted; without one it is read. */
  static async open(url: string, body?: object, headers: Record<string, string> = {}): Promise<Watch> {
    const leaving = new AbortController();
    const sent =
      body === undefined
        ? { headers }
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify(body),
          };
    const response = await fetch(url, { ...sent, signal: leaving.signal });
    if (response.status !== 200) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    return new Watch(response, leaving);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The run's id, from its first events. */
  async runId(): Promise<string> {
    return (await this.seen('session:start')).data.sessionId;
  }

  /** The first event of this type for which it holds, when it comes. */
  seen(type: string, holds: (data: Json) => boolean = () => true): Promise<RunEvent> {
    return this.until(`${type} that ${holds}`, () => this.events.find((one) => one.type === type && holds(one.data)));
  }

  /** What `find` finds, as soon as it does. */
  async until<T>(what: string, find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`the stream ended without ${what}: ${this.lines().join('\n')}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** All events, at the end of a run that was watched from its start. Whether they are whole is looked at. */
  async all(): Promise<RunEvent[]> {
    await this.over;
    expectWhole(this.events);
    return this.events;
  }

  /** The events, a line each. */
  lines(): string[] {
    return this.events.map(({ id, type, data }) => `${id} ${type} ${JSON.stringify(data)}`);
  }

  /** Goes away. */
  leave(): void {
    this.#leaving.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    try {
      for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + piece).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
        this.#wake();
      }
    } catch (error) {
      if (!this.#leaving.signal.aborted) throw error;
    }
    if (text !== '') throw new Error(`the stream ended in the middle: ${text}`);
  }

  #take(block: string): void {
    const [, id, json] = /^id: (\d+)\ndata: (\{[^\r\n]*\})$/.exec(block) ?? [];
    if (json === undefined) this.others.push(block);
    else this.events.push({ id: Number(id), ...JSON.parse(json) });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Has a run's whole log no gap, one end with nothing after it, and a result for each call? */
export function expectWhole(events: readonly RunEvent[]): void {
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  for (const event of events) {
    expect(Object.keys(event).sort()).toEqual(['data', 'id', 'timestamp', 'type']);
    expect(event.timestamp).toBeTypeOf('number');
  }
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['user_message', 'session:start']);
  expect(events.flatMap(({ type }, index) => (ENDS.includes(type) ? [index] : []))).toEqual([events.length - 1]);
  const calls = idsOf(events, 'tool:call');
  expect(idsOf(events, 'tool:result').sort()).toEqual([...new Set(calls)].sort());
  const asked = events.filter(({ type }) => type === 'approval:required').map(({ data }) => data.id);
  const answered = events.filter(({ type }) => type === 'approval:resolved').map(({ data }) => data.id);
  expect(answered.sort()).toEqual(asked.sort());
}

function idsOf(events: readonly RunEvent[], type: string): string[] {
  return events.filter((event) => event.type === type).map(({ data }) => data.toolCallId);
}

/** The types of events, deltas that follow each other once. */
export function typesOf(events: readonly RunEvent[]): string[] {
  const types = events.map(({ type }) => type);
  return types.filter((type, index) => types[index - 1] !== type || !['content', 'thinking:update'].includes(type));
}

/** What a step says in the end: text or reasoning of its last attempt. */
export function saidIn(events: readonly RunEvent[], step: number, type = 'content'): string {
  const own = events.filter(({ data }) => data.step === step);
  const from = own.findLastIndex((event) => event.type === 'attempt:reset');
  return own
    .slice(from + 1)
    .filter((event) => event.type === type)
    .map(({ data }) => data.text)
    .join('');
}
