import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { newId } from '../core/ids.ts';
import { pause } from '../core/pause.ts';
import { AppError, abortError, NotFoundError } from '../errors.ts';
import type { ConversationRow } from '../storage/conversations.ts';
import { waitingRun } from '../storage/runs.ts';
import type { Schema } from '../storage/schema.ts';
import {
  endExpiredTurns,
  type FirstWork,
  type HeldTurn,
  renewTurns,
  type Taking,
  takeTurn,
  withTurn,
} from '../storage/turns.ts';
import { insistently } from './insistently.ts';
import { Lines } from './lines.ts';

/** Times in milliseconds. */
export interface TurnsOptions {
  /** How long a turn waits for the one before it. */
  waitMs: number;
  /** How long others wait for a process that has died; a living one renews its turns three times as often. */
  leaseMs?: number;
}

const LEASE_MS = 10_000;
const FIRST_POLL_MS = 20;
const LONGEST_POLL_MS = 250;
/** Three thousand years: a run's place does not run out. */
const FOR_EVER_MS = 1e14;

/** Why a turn failed whose process has died. */
const INTERRUPTED = JSON.stringify({
  code: 'interrupted',
  message: 'The server stopped in the middle of this turn; it can be tried again',
});

/**
 * The turns of this process. A conversation has one turn at a time, whichever process it is in: within the process
 * they wait in line, between processes a row with a lease decides. A turn does not end with its caller.
 */
export class Turns {
  readonly #db: Kysely<Schema>;
  readonly #log: Logger;
  readonly #waitMs: number;
  readonly #leaseMs: number;
  readonly #node = newId('node');
  readonly #lines = new Lines();
  readonly #running = new Map<string, Turn>();
  readonly #work = new Set<Promise<unknown>>();
  readonly #stopping = new AbortController();
  #renewal: NodeJS.Timeout | undefined;

  constructor(db: Kysely<Schema>, log: Logger, { waitMs, leaseMs = LEASE_MS }: TurnsOptions) {
    this.#db = db;
    this.#log = log;
    this.#waitMs = waitMs;
    this.#leaseMs = leaseMs;
  }

  /**
   * Waits for the conversation's turn and takes it. The caller must end it, well or not.
   * @param first done in the same transaction.
   * @throws NotFoundError, AppError `conflict` after the longest wait, `shutting_down`, or why the signal was aborted
   *   while waiting.
   */
  async take<T>(
    owner: string,
    conversationId: string,
    signal: AbortSignal,
    first: FirstWork<T>,
  ): Promise<{ turn: Turn; row: ConversationRow; value: T }> {
    // From the waiting to the turn's end: a stop waits for both.
    const over = Promise.withResolvers<void>();
    void this.track(over.promise);
    try {
      const { taken, id, leave } = await this.#wait(owner, conversationId, signal, (id) =>
        takeTurn(this.#db, owner, conversationId, { id, node: this.#node, leaseMs: this.#leaseMs }, first),
      );
      const { conversation: row, value } = taken;
      const turn = new Turn(this.#db, { owner, conversation: row.number, id }, () => {
        this.#running.delete(id);
        leave();
        over.resolve();
      });
      this.#running.set(id, turn);
      if (this.stopping.aborted) turn.abort(abortError(this.stopping));
      this.#renewal ??= setInterval(() => this.#renew(), this.#leaseMs / 3).unref();
      return { turn, row, value };
    } catch (error) {
      over.resolve();
      throw error;
    }
  }

  /**
   * Waits for the conversation's turn and gives it to a run, which keeps it until its end, whatever becomes of this
   * process. @param onBusy is called whenever it is somebody else's; may throw. @throws as `take`.
   */
  async place<T>(
    owner: string,
    conversationId: string,
    signal: AbortSignal,
    run: string,
    first: FirstWork<T>,
    onBusy: () => Promise<void>,
  ): Promise<T> {
    const lease = { id: run, node: '', leaseMs: FOR_EVER_MS };
    const attempt = async () => {
      const taken = await takeTurn(this.#db, owner, conversationId, lease, first);
      if (taken === 'busy') await onBusy();
      return taken;
    };
    const { taken, leave } = await this.#wait(owner, conversationId, signal, attempt);
    leave();
    return taken.value;
  }

  /** Tries again and again, until it is this caller's turn. `leave` lets the next one in this process try. */
  async #wait<T>(
    owner: string,
    conversationId: string,
    signal: AbortSignal,
    attempt: (id: string) => Promise<Taking<T>>,
  ): Promise<{ taken: Exclude<Taking<T>, string>; id: string; leave: () => void }> {
    const deadline = performance.now() + this.#waitMs;
    const leave = await this.#lines.enter(`${owner}/${conversationId}`, this.#waitMs, signal, busy);
    try {
      for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_POLL_MS)) {
        if (this.stopping.aborted) throw abortError(this.stopping);
        const id = newId('turn');
        const taken = await attempt(id);
        if (taken === 'missing') throw new NotFoundError('Conversation', conversationId);
        if (taken !== 'busy') return { taken, id, leave };
        await this.endExpired();
        await this.#refuseIfWaiting(owner, conversationId);
        if (performance.now() > deadline) throw busy();
        if (!(await pause(pauseMs, signal))) throw abortError(signal);
      }
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** A run that waits for a person may do so for days. */
  async #refuseIfWaiting(owner: string, conversationId: string): Promise<void> {
    const run = await waitingRun(this.#db, owner, conversationId);
    if (run === undefined) return;
    throw new AppError(
      'conflict',
      `The run ${run} of this conversation waits for an approval: answer it (GET /api/chat/approvals?status=pending), or cancel the run`,
      { details: { runId: run } },
    );
  }

  /** Aborted when work that is not a turn of its own must stop too. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Notes work that goes on without its caller, so that a stop waits for it. */
  track<T>(work: Promise<T>): Promise<T> {
    const noted = work.catch(() => {}).finally(() => this.#work.delete(noted));
    this.#work.add(noted);
    return work;
  }

  /** Aborts the turn that this process has of a conversation. */
  abort(conversation: number, reason: AppError): void {
    for (const turn of this.#running.values()) if (turn.held.conversation === conversation) turn.abort(reason);
  }

  /** Marks the turns of processes that have died as failed. */
  async endExpired(): Promise<void> {
    // A process that slept, or was busy, may be late with its own.
    const held = [...this.#running.keys()];
    if (held.length > 0) await renewTurns(this.#db, this.#node, held, this.#leaseMs);
    const ended = await endExpiredTurns(this.#db, INTERRUPTED);
    if (ended > 0) this.#log.warn({ turns: ended }, 'turns of a process that is gone have been marked failed');
  }

  /** Waits up to `ms` for what is running, then aborts it and waits for its end to be stored. */
  async stop(ms: number): Promise<void> {
    await this.#idle(ms);
    const reason = new AppError('shutting_down', 'The server had to stop before the turn was over; try again');
    this.#stopping.abort(reason);
    for (const turn of this.#running.values()) turn.abort(reason);
    await this.#idle(2000);
    clearInterval(this.#renewal);
  }

  async #idle(ms: number): Promise<void> {
    const timeout = new AbortController();
    const isLate = pause(ms, timeout.signal);
    let isLeft = true;
    // Whoever waited in line begins when another one ends.
    while (isLeft && this.#work.size > 0) {
      isLeft = await Promise.race([Promise.all(this.#work).then(() => true), isLate.then(() => false)]);
    }
    timeout.abort();
  }

  #renew(): void {
    const held = [...this.#running.values()];
    if (held.length === 0) {
      clearInterval(this.#renewal);
      this.#renewal = undefined;
      return;
    }
    const ids = held.map((turn) => turn.held.id);
    renewTurns(this.#db, this.#node, ids, this.#leaseMs).then(
      (still) => {
        const kept = new Set(still);
        // One that has ended meanwhile does not mind.
        for (const turn of held) if (!kept.has(turn.held.id)) turn.abort(lost());
      },
      (error: unknown) => this.#log.error({ err: error }, 'turns could not be renewed'),
    );
  }
}

/** What work in the middle of a turn needs of it. */
export interface OpenTurn {
  held: HeldTurn;
  /** Aborted when the turn must stop: the server stops, or the conversation was deleted. Not when its caller leaves. */
  signal: AbortSignal;
  /** Writes in the middle of the turn. @throws AppError if it is not held any more. */
  write<T>(work: (tx: Kysely<Schema>, row: ConversationRow) => Promise<T>): Promise<T>;
}

/** A turn that is held until it ends. */
export class Turn implements OpenTurn {
  readonly held: HeldTurn;
  readonly #db: Kysely<Schema>;
  readonly #controller = new AbortController();
  readonly #release: () => void;
  #isReleased = false;

  constructor(db: Kysely<Schema>, held: HeldTurn, release: () => void) {
    this.held = held;
    this.#db = db;
    this.#release = release;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: AppError): void {
    this.#controller.abort(reason);
  }

  async write<T>(work: (tx: Kysely<Schema>, row: ConversationRow) => Promise<T>): Promise<T> {
    const done = await withTurn(this.#db, this.held, false, work);
    if (!done) throw lost();
    return done.value;
  }

  /**
   * Ends the turn with what `work` writes, all or nothing; again for a while if the database refuses, since an answer
   * that was paid for may hang on it. @throws AppError if it is not held any more.
   */
  async end<T>(work: (tx: Kysely<Schema>, row: ConversationRow) => Promise<T>): Promise<T> {
    try {
      const done = await insistently(() => withTurn(this.#db, this.held, true, work));
      if (!done) throw this.signal.aborted ? abortError(this.signal) : lost();
      return done.value;
    } finally {
      // An end that could not be stored may be tried again.
      if (!this.#isReleased) this.#release();
      this.#isReleased = true;
    }
  }
}

function busy(): AppError {
  return new AppError('conflict', 'Another message of this conversation is still being answered; try again later', {
    retryAfter: 5,
  });
}

function lost(): AppError {
  return new AppError('conflict', 'The turn was taken back: the conversation was deleted, or this server was too slow');
}
