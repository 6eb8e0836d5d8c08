import { createHash, randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { type IdPrefix, idFrom } from '../core/ids.ts';
import { pause } from '../core/pause.ts';
import { AppError, abortError } from '../errors.ts';
import {
  claimKey,
  finishKey,
  type KeyedTry,
  type KeyName,
  releaseKey,
  renewKeys,
  type StoredAnswer,
} from '../storage/idempotency.ts';
import type { Schema } from '../storage/schema.ts';
import { EventStream, STREAM_HEADERS, type TextStream } from './event-stream.ts';
import { Page } from './page.ts';
import { StreamRecord } from './stream-record.ts';

const PATIENCE_MS = 60_000;
const RENEWAL_MS = 5000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
const RETRY_AFTER_S = 5;

/** Bytes: what is longer is not kept. */
const MAX_ANSWER = 16 * 1024 * 1024;

/** PostgreSQL's index takes entries of 2,700 bytes, and a path has no such bound. */
const MAX_ROUTE = 1000;

/** A request with a key; `route` is its method and concrete path. */
export type KeyedRequest = KeyName & { fingerprint: string };

/** Does what is asked, making everything under ids of `newId`. */
export type Work = (newId: (prefix: IdPrefix) => string) => Promise<Page | TextStream>;

interface Running {
  attempt: KeyedTry;
  ended: AbortController;
}

/** Answers requests with an `Idempotency-Key`: does each once, and gives the first answer to all who ask again. */
export class Idempotency {
  readonly #db: Kysely<Schema>;
  readonly #log: Logger;
  readonly #patienceMs: number;
  /** What runs in this process. */
  readonly #running = new Map<string, Running>();
  #renewal: NodeJS.Timeout | undefined;

  /** @param patienceMs how long a request waits for the first one with its key. */
  constructor(db: Kysely<Schema>, log: Logger, patienceMs: number = PATIENCE_MS) {
    this.#db = db;
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  /**
   * The first answer if there is one, also one that is under way; else that of `work`. If that fails, whoever waits for
   * it tries next.
   * @param signal ends the waiting.
   * @param isDurable what is made is found again by its id: nobody waits for the first one, and no answer is kept, since
   *   a new one says how that stands by then.
   * @throws AppError `idempotency_mismatch`, `conflict` if the first answer does not come, and whatever `work` throws.
   */
  async answer(request: KeyedRequest, signal: AbortSignal, work: Work, isDurable = false): Promise<Page | TextStream> {
    const deadline = performance.now() + this.#patienceMs;
    const attempt = { ...request, route: shortened(request.route), node: randomUUID() };
    for (let poll = FIRST_PAUSE_MS; ; poll = Math.min(poll * 2, LONGEST_PAUSE_MS)) {
      const claim = await claimKey(this.#db, attempt);
      if (claim.state === 'won') return await this.#run(attempt, claim.token, work, isDurable);
      if (claim.state === 'finished') return replay(claim.answer);
      if (claim.state === 'mismatch') throw mismatch(request.key);
      if (isDurable && claim.token !== undefined) return await work(idsOf(claim.token));
      const left = deadline - performance.now();
      if (left <= 0) throw stillRunning(request.key);
      await this.#wait(attempt, left, poll, signal);
    }
  }

  /** Until the first request ends, if it is one of this process; else for a moment. */
  async #wait(attempt: KeyName, left: number, poll: number, signal: AbortSignal): Promise<void> {
    const first = this.#running.get(nameOf(attempt));
    if (first) await pause(left, AbortSignal.any([signal, first.ended.signal]));
    else await pause(Math.min(left, poll), signal);
    if (signal.aborted) throw abortError(signal);
  }

  async #run(attempt: KeyedTry, token: string, work: Work, isDurable: boolean): Promise<Page | TextStream> {
    const running = this.#begin(attempt);
    try {
      const answer = await work(idsOf(token));
      if (isDurable) {
        await this.#end(running, undefined);
        return answer;
      }
      if (answer instanceof EventStream) return new EventStream(this.#recorded(running, answer.chunks), answer);
      if (!(answer instanceof Page)) throw new Error('a download makes nothing, so it has no idempotency key');
      const { status, headers, text } = answer;
      await this.#end(running, { status, contentType: headers['content-type'], text });
      return answer;
    } catch (error) {
      await this.#end(running, undefined);
      throw error;
    }
  }

  async *#recorded(running: Running, chunks: AsyncIterable<string>): AsyncGenerator<string> {
    const record = new StreamRecord(MAX_ANSWER);
    try {
      for await (const chunk of chunks) {
        record.add(chunk);
        yield chunk;
      }
    } finally {
      const text = record.whole();
      const contentType = STREAM_HEADERS['content-type'];
      await this.#end(running, text === undefined ? undefined : { status: 200, contentType, text });
    }
  }

  #begin(attempt: KeyedTry): Running {
    const running = { attempt, ended: new AbortController() };
    this.#running.set(nameOf(attempt), running);
    this.#renewal ??= setInterval(() => this.#renew(), RENEWAL_MS).unref();
    return running;
  }

  /** Never throws: the caller has an answer, and a key that could not be written is free when its lease runs out. */
  async #end(running: Running, answer: StoredAnswer | undefined): Promise<void> {
    const { attempt, ended } = running;
    try {
      if (answer && Buffer.byteLength(answer.text) <= MAX_ANSWER) await finishKey(this.#db, attempt, answer);
      else await releaseKey(this.#db, attempt);
    } catch (error) {
      this.#log.error({ err: error }, 'the end of a request with an idempotency key could not be stored');
    }
    const name = nameOf(attempt);
    // A try that lost its lease may have been followed by another one.
    if (this.#running.get(name) === running) this.#running.delete(name);
    ended.abort();
    if (this.#running.size > 0) return;
    clearInterval(this.#renewal);
    this.#renewal = undefined;
  }

  #renew(): void {
    const nodes = Array.from(this.#running.values(), ({ attempt }) => attempt.node);
    renewKeys(this.#db, nodes).catch((error: unknown) => {
      this.#log.error({ err: error }, 'idempotency keys could not be renewed');
    });
  }
}

/** The ids that every try makes, in the same order. */
function idsOf(token: string): (prefix: IdPrefix) => string {
  let made = 0;
  return (prefix) => idFrom(prefix, token, made++);
}

function nameOf({ owner, route, key }: KeyName): string {
  return JSON.stringify([owner, route, key]);
}

function shortened(route: string): string {
  return route.length <= MAX_ROUTE ? route : createHash('sha256').update(route).digest('hex');
}

function replay({ status, contentType, text }: StoredAnswer): Page {
  const headers = contentType === STREAM_HEADERS['content-type'] ? STREAM_HEADERS : { 'content-type': contentType };
  return new Page(text, { ...headers, 'idempotency-replayed': 'true' }, status);
}

function mismatch(key: string): AppError {
  return new AppError(
    'idempotency_mismatch',
    `The idempotency key ${key} was used for another request to this path; send the same body and query, or a new key`,
  );
}

function stillRunning(key: string): AppError {
  return new AppError(
    'conflict',
    `The first request with the idempotency key ${key} is still running; send it again later to get its answer`,
    { retryAfter: RETRY_AFTER_S },
  );
}
