import type { Logger } from 'pino';

/**
 * Looks for work when it is woken, and now and then without that. One look at a time; whoever wakes it while it looks
 * has it look once more afterwards, since what it is woken for may have come too late for the look under way.
 */
export class Pump {
  readonly #look: () => Promise<unknown>;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #looking = Promise.resolve();
  #isLooking = false;
  #again = false;
  #isStopped = false;
  #isFailing = false;

  /** Begins with a look at once. @param everyMs between looks that nobody asks for; they keep no process alive. */
  constructor(look: () => Promise<unknown>, everyMs: number, log: Logger) {
    this.#look = look;
    this.#log = log;
    this.#timer = setInterval(() => this.wake(), everyMs).unref();
    this.wake();
  }

  /** Never throws. */
  wake(): void {
    if (this.#isStopped) return;
    this.#again = true;
    if (!this.#isLooking) this.#looking = this.#run();
  }

  /** Waits for the look under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #run(): Promise<void> {
    this.#isLooking = true;
    while (this.#again && !this.#isStopped) {
      this.#again = false;
      try {
        await this.#look();
        if (this.#isFailing) this.#log.info('jobs can be looked for again');
        this.#isFailing = false;
      } catch (error) {
        // Said once: it goes on twice a second as long as the database is away.
        if (!this.#isFailing) this.#log.warn({ err: error }, 'jobs cannot be looked for');
        this.#isFailing = true;
      }
    }
    // Here and no later: the promise of this call is kept only after others have had their turn, who may call wake.
    this.#isLooking = false;
  }
}
