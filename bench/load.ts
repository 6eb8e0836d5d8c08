import { type Dispatcher, Pool } from 'undici';
import { streamDeltas, wholeText } from './answer-text.ts';
import { CHUNKS, REQUEST, STREAM_TEXT, WHOLE_TEXT } from './answers.ts';
import { cpuMs } from './processes.ts';

/** A side of the comparison: where it listens and how its answers are told to be complete. */
export interface Side {
  name: 'pipe' | 'profclaw';
  /** Has an answer of its own the form of Chat Completions? What passes the pipe has it anyhow. */
  isChatForm?: boolean;
  url: string;
  path: string;
  pid: number;
  /** What the side is asked for. */
  model: string;
  /** What a complete stream has at its end. */
  endMark: string;
  /** Sent beside the content type. */
  headers?: Record<string, string>;
}

/** One round: what was finished, and how long each answer took (milliseconds, ascending). */
export interface Round {
  perSecond: number;
  latencies: number[];
  /** Processor time of the side for one answer, milliseconds. */
  cpuMs: number;
}

/** Each worker reads one answer in this many as a whole; of the others only the last pieces, for the end mark. */
const SAMPLE_EVERY = 16;
const TAIL_PIECES = 3;

/**
 * `workers` callers, each sending its next request when the last one is answered, for `seconds`; then what is under
 * way is waited for, and the time runs until the last of them. Streams count as 500 chunks each when finished.
 */
export async function round(side: Side, stream: boolean, workers: number, seconds: number): Promise<Round> {
  const pool = new Pool(side.url, { connections: workers, pipelining: 1 });
  const body = JSON.stringify({
    ...REQUEST,
    model: side.model,
    stream,
    ...(stream && isChatForm(side) ? STREAM_OPTIONS : {}),
  });
  const latencies: number[] = [];
  const cpuBefore = cpuMs(side.pid);
  const began = performance.now();
  const until = began + seconds * 1000;
  const worker = async (): Promise<void> => {
    for (let n = 0; performance.now() < until; n++) {
      const sent = performance.now();
      await send(pool, side, body, stream, n % SAMPLE_EVERY === 0);
      latencies.push(performance.now() - sent);
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, worker));
  } finally {
    await pool.destroy();
  }
  const took = (performance.now() - began) / 1000;
  const perSecond = (latencies.length * (stream ? CHUNKS : 1)) / took;
  const cpu = (cpuMs(side.pid) - cpuBefore) / latencies.length;
  return { perSecond, latencies: latencies.sort((a, b) => a - b), cpuMs: cpu };
}

function isChatForm({ name, isChatForm: isSo = false }: Side): boolean {
  return name === 'pipe' || isSo;
}

/** Our own API tells the usage by itself; in this form a caller has to ask for it. */
const STREAM_OPTIONS = { stream_options: { include_usage: true } };

function send(pool: Pool, side: Side, body: string, stream: boolean, sample: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = [];
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_controller, code) => {
        status = code;
      },
      onResponseData: (_controller, chunk) => {
        if (stream && !sample && kept.length === TAIL_PIECES) kept.shift();
        kept.push(chunk);
      },
      onResponseEnd: () => {
        const wrong = status === 200 ? problem(side, stream, sample, kept) : `status ${status}: ${text(kept)}`;
        if (wrong === undefined) resolve();
        else reject(new Error(`${side.name}: ${wrong}`));
      },
      onResponseError: (_controller, error) => reject(error),
    };
    const headers = { 'content-type': 'application/json', ...side.headers };
    pool.dispatch({ path: side.path, method: 'POST', headers, body, headersTimeout: 20_000 }, handler);
  });
}

function text(kept: Buffer[]): string {
  return Buffer.concat(kept).toString('utf8');
}

/** What is wrong with an answer, if anything. */
function problem(side: Side, stream: boolean, sample: boolean, kept: Buffer[]): string | undefined {
  if (!stream) {
    if (kept.length === 0) return 'an empty answer';
    return sample && wholeText(text(kept), isChatForm(side)) !== WHOLE_TEXT
      ? 'not the text of the provider'
      : undefined;
  }
  const answer = text(kept);
  if (!answer.slice(-1000).includes(side.endMark)) return `a stream without its end: ${answer.slice(-200)}`;
  // What the provider sends is the bench's own; that it passes a pipe unchanged is told by its end.
  if (!sample || side.name === 'pipe') return undefined;
  const deltas = streamDeltas(answer, isChatForm(side));
  if (deltas.length !== CHUNKS) return `${deltas.length} deltas instead of ${CHUNKS}`;
  return deltas.join('') === STREAM_TEXT ? undefined : 'not the text of the provider';
}
