import { connect, type Socket } from 'node:net';
import { streamDeltas, wholeText } from './answer-text.ts';
import { CHUNKS, REQUEST, STREAM_TEXT, WHOLE_TEXT } from './answers.ts';
import type { Round, Side } from './load.ts';
import { cpuMs } from './processes.ts';

/** Each caller reads one answer in this many as a whole; of the others only where they end. */
const SAMPLE_EVERY = 16;
const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');
const CARRIAGE_RETURN = 13;
const LENGTH = /\r\ncontent-length: *(\d+)/i;
/** What follows the mark of a stream's end in its last pieces is less than that, bytes. */
const TAIL = 1000;
const SILENCE_MS = 20_000;

/**
 * As `round` of load.ts, over bare sockets with HTTP written by hand, so that of the processors more is left to the
 * sides: a caller's request is made once, and of an answer only its end is looked for. Chat Completions and our own form.
 */
export async function socketRound(side: Side, stream: boolean, workers: number, seconds: number): Promise<Round> {
  const request = requestOf(side, stream);
  const latencies: number[] = [];
  const cpuBefore = cpuMs(side.pid);
  const began = performance.now();
  const until = began + seconds * 1000;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const caller = new Caller(side, stream, request);
      try {
        for (let n = 0; performance.now() < until; n++) {
          const sent = performance.now();
          await caller.ask(n % SAMPLE_EVERY === 0);
          latencies.push(performance.now() - sent);
        }
      } finally {
        caller.close();
      }
    }),
  );
  const took = (performance.now() - began) / 1000;
  const perSecond = (latencies.length * (stream ? CHUNKS : 1)) / took;
  const cpu = (cpuMs(side.pid) - cpuBefore) / latencies.length;
  return { perSecond, latencies: latencies.sort((a, b) => a - b), cpuMs: cpu };
}

function requestOf(side: Side, stream: boolean): Buffer {
  const options = stream && side.isChatForm === true ? { stream_options: { include_usage: true } } : {};
  const body = JSON.stringify({ ...REQUEST, model: side.model, stream, ...options });
  const headers = {
    host: new URL(side.url).host,
    'content-type': 'application/json',
    'content-length': `${Buffer.byteLength(body)}`,
    ...side.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`POST ${side.path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** One connection that is kept; one answer at a time. */
class Caller {
  readonly #side: Side;
  readonly #stream: boolean;
  readonly #request: Buffer;
  readonly #socket: Socket;
  #kept: Buffer[] = [];
  #bytes = 0;
  /** Of the answer, with its head; undefined as long as it is not known; Infinity: its last chunk is its end. */
  #length: number | undefined;
  #isSample = false;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(side: Side, stream: boolean, request: Buffer) {
    this.#side = side;
    this.#stream = stream;
    this.#request = request;
    const { hostname, port } = new URL(side.url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, timeout: SILENCE_MS });
    this.#socket.on('data', (data) => this.#onData(data));
    this.#socket.on('error', (error) => this.#reject(error));
    this.#socket.on('timeout', () => this.#reject(new Error(`${this.#side.url}: silent for ${SILENCE_MS} ms`)));
    this.#socket.on('close', () => this.#reject(new Error(`${this.#side.url}: the connection was closed`)));
  }

  /** @param isSample whether the answer is looked at as a whole. */
  ask(isSample: boolean): Promise<void> {
    this.#kept = [];
    this.#bytes = 0;
    this.#length = undefined;
    this.#isSample = isSample;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(data: Buffer): void {
    this.#bytes += data.length;
    this.#kept.push(data);
    this.#length ??= this.#readHead();
    if (this.#length === undefined) return;
    if (this.#stream && !this.#isSample) this.#forget();
    if (this.#length === Number.POSITIVE_INFINITY ? !this.#endsHere() : this.#bytes < this.#length) return;
    const wrong = this.#problem();
    if (wrong === undefined) this.#resolve();
    else this.#reject(new Error(`${this.#side.url}${this.#side.path}: ${wrong}`));
  }

  /** Only the last pieces are needed, be they small or not. */
  #forget(): void {
    while (this.#kept.length > 1 && this.#bytes - (this.#kept[0]?.length ?? 0) > TAIL) {
      this.#bytes -= this.#kept.shift()?.length ?? 0;
    }
  }

  #readHead(): number | undefined {
    const all = this.#all();
    const end = all.indexOf(HEAD_END);
    if (end === -1) return undefined;
    const head = all.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`${this.#side.url}: ${all.toString('utf8')}`);
    const length = LENGTH.exec(head)?.[1];
    return length === undefined ? Number.POSITIVE_INFINITY : end + HEAD_END.length + Number(length);
  }

  #endsHere(): boolean {
    const last = this.#kept.at(-1);
    // Nearly every piece is told by one byte: an event ends with two line feeds.
    if (last !== undefined && last.length >= LAST_CHUNK.length && last.at(-4) !== CARRIAGE_RETURN) return false;
    const end = last !== undefined && last.length >= LAST_CHUNK.length ? last : this.#all();
    return end.length >= LAST_CHUNK.length && end.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
  }

  #all(): Buffer {
    const [first] = this.#kept;
    return this.#kept.length === 1 && first ? first : Buffer.concat(this.#kept);
  }

  /** What is wrong with an answer, if anything. */
  #problem(): string | undefined {
    if (this.#stream) {
      const tail = this.#all().subarray(-TAIL).toString('utf8');
      if (!tail.includes(this.#side.endMark)) return `a stream without its end: ${tail.slice(-200)}`;
    }
    if (!this.#isSample) return undefined;
    const body = bodyOf(this.#all());
    const isChatForm = this.#side.isChatForm === true;
    if (!this.#stream) return wholeText(body, isChatForm) === WHOLE_TEXT ? undefined : 'not the text of the provider';
    const deltas = streamDeltas(body, isChatForm);
    if (deltas.length !== CHUNKS) return `${deltas.length} deltas instead of ${CHUNKS}`;
    return deltas.join('') === STREAM_TEXT ? undefined : 'not the text of the provider';
  }
}

/** An answer without its head and its framing. */
function bodyOf(answer: Buffer): string {
  const head = answer.indexOf(HEAD_END) + HEAD_END.length;
  if (LENGTH.test(answer.toString('latin1', 0, head))) return answer.toString('utf8', head);
  const pieces: Buffer[] = [];
  for (let at = head; ; ) {
    const end = answer.indexOf('\r\n', at);
    const size = Number.parseInt(answer.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(pieces).toString('utf8');
    pieces.push(answer.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
