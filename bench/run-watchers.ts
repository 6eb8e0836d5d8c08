import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import { ConversationClient } from './conversation-client.ts';
import { spreadOf } from './run-latency.ts';
import type { WaveAnswer, WaveOrder } from './run-waves.ts';

/**
 * The load of the waves, as a process of its own: it listens for orders (`POST /`, JSON), starts runs at a server,
 * watches every one of them on a connection of its own, and answers with how late what `run-upstream.ts` wrote was here.
 */
const STARTED_AT_ONCE = 16;
const CONTENT = 'data: {"type":"content"';
const WRITTEN = /@(\d+)/g;
const PROBLEMS_TOLD = 5;
const LONGEST_PROBLEM = 500;

const server = createServer((request, response) => void answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
// The runner holds the other end: when it is gone, so is this process.
process.stdin.on('close', () => process.exit(0)).resume();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end(JSON.stringify(await wave(JSON.parse(body) as WaveOrder)));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

async function wave({ url, model, runs, deltas }: WaveOrder): Promise<WaveAnswer> {
  const conversations = new ConversationClient(url, STARTED_AT_ONCE);
  const pool = new Pool(url, { connections: runs, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
  const watchers: Promise<Watcher>[] = [];
  const began = performance.now();
  const starter = async (): Promise<void> => {
    while (watchers.length < runs) {
      const title = `Wave ${watchers.length}`;
      const watcher = new Watcher();
      watchers.push(watcher.over);
      const body = { title, model };
      const path = '/api/chat/conversations';
      const { conversation } = await conversations.json<{ conversation: { id: string } }>('POST', path, body);
      pool.dispatch(
        {
          path: `${path}/${conversation.id}/messages/agentic`,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ content: 'Go on', tools: [] }),
        },
        watcher,
      );
      await watcher.begun;
    }
  };
  await Promise.all(Array.from({ length: STARTED_AT_ONCE }, starter));
  const startedIn = performance.now() - began;
  const all = await Promise.all(watchers);
  await pool.close();
  await conversations.close();
  const delays = all.flatMap((watcher) => watcher.delays);
  const { p50, p99 } = spreadOf(delays);
  const longest = delays.reduce((most, delay) => Math.max(most, delay), 0);
  return { startedIn, p50, p99, longest, count: delays.length, problems: problemsOf(all, deltas) };
}

function problemsOf(watchers: readonly Watcher[], deltas: number): string[] {
  const problems = watchers.flatMap(({ status, delays, last, isInOrder }) => {
    if (status !== 200) return [`status ${status}: ${last}`];
    if (delays.length !== deltas) return [`${delays.length} of ${deltas} deltas: ${last}`];
    if (!isInOrder) return ['deltas in another order'];
    return last.includes('{"type":"complete"') ? [] : [`no end: ${last}`];
  });
  return problems.slice(0, PROBLEMS_TOLD).map((problem) => problem.slice(0, LONGEST_PROBLEM));
}

/** Somebody who watches one run. */
class Watcher implements Dispatcher.DispatchHandler {
  readonly #over = Promise.withResolvers<Watcher>();
  readonly #begun = Promise.withResolvers<void>();
  /** Milliseconds from the upstream's write to here, one for each delta. */
  readonly delays: number[] = [];
  status = 0;
  /** The last event that came. */
  last = '';
  isInOrder = true;
  #held = '';
  #written = 0;

  /** When all has come. Never rejects: what went wrong is in `last`. */
  get over(): Promise<Watcher> {
    return this.#over.promise;
  }

  /** When the first of it has come. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const now = Number(process.hrtime.bigint() / 1000n);
    const lines = (this.#held + chunk.toString('latin1')).split('\n');
    this.#held = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      this.last = line;
      // The summary at the end holds all of it once more.
      if (!line.startsWith(CONTENT)) continue;
      for (const [, digits] of line.matchAll(WRITTEN)) this.#note(Number(digits), now);
    }
    this.#begun.resolve();
  }

  onResponseEnd(): void {
    this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.last += ` ${String(error)}`;
    this.status = 0;
    this.#end();
  }

  #note(written: number, now: number): void {
    if (written < this.#written) this.isInOrder = false;
    this.#written = written;
    this.delays.push((now - written) / 1000);
  }

  #end(): void {
    this.#begun.resolve();
    this.#over.resolve(this);
  }
}
