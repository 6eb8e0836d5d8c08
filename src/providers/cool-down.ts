import { AppError, type ErrorCode } from '../errors.ts';

/** Why and for how much longer a model is passed over; 0 ms while a single call finds out whether it is well. */
export interface Cooling {
  code: ErrorCode;
  leftMs: number;
}

/** Failures that pass. Those of the request, and a key that is refused, are not mended by waiting. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_rate_limited',
  'provider_timeout',
  'provider_unavailable',
]);

/**
 * So many failed calls in a row begin a cool-down; a failure that names a time begins one at once. It lasts as long as
 * was named and at least 5 s, which doubles up to 2 min as long as no whole answer comes.
 */
const FAILURES = 3;
const FIRST_MS = 5000;
const LONGEST_MS = 120_000;

/** However long a provider asks to be left alone: asking once in a while costs nothing, a key given up for a day does. */
const LONGEST_ASKED_MS = 600_000;

/** Models with failures that are remembered for one key; the names are the caller's, so they could be endless. */
const MAX_MODELS = 1000;

/** What is remembered of a model from its first failure to its next answer that was whole. */
interface Trouble {
  code: ErrorCode;
  failures: number;
  /** Cool-downs since the last whole answer. */
  times: number;
  /** Which of the key's cool-downs was its last. */
  number: number;
  /** Undefined while calls go through. */
  until: number | undefined;
  /** The one call that goes through when the time is over. */
  probe: Trial | undefined;
}

/** One key of a provider: the models in trouble, and how many cool-downs there have been. */
interface Key {
  models: Map<string, Trouble>;
  count: number;
}

/**
 * Which models to pass over for a while, for each key of a provider and each model by itself. Kept in memory only.
 * A key is known by the object that its calls are made with, of which a change of settings makes a new one; no secret
 * is kept here.
 * The times are not jittered: only one call at a time goes through, so there is no herd to spread.
 */
export class CoolDowns {
  readonly #now: () => number;
  readonly #keys = new WeakMap<object, Key>();

  /** @param now a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Undefined if a call may go through, be it the one that probes. */
  cooling(key: object, model: string): Cooling | undefined {
    const trouble = this.#keys.get(key)?.models.get(model);
    if (trouble?.until === undefined) return undefined;
    const leftMs = Math.max(0, trouble.until - this.#now());
    return leftMs > 0 || trouble.probe ? { code: trouble.code, leftMs } : undefined;
  }

  /** Takes note of a call that is about to be made, whether the model is cooling down or not. */
  start(key: object, model: string): Trial {
    let known = this.#keys.get(key);
    if (!known) {
      known = { models: new Map(), count: 0 };
      this.#keys.set(key, known);
    }
    return new Trial(known, model, this.#now);
  }
}

/** One call, as far as it tells how its model is. What a call tells that began before the cool-down is old news. */
export class Trial {
  /** Is this the one call that finds out whether the model is well again? */
  readonly isProbe: boolean;
  readonly #key: Key;
  readonly #model: string;
  readonly #now: () => number;
  readonly #countAtStart: number;

  constructor(key: Key, model: string, now: () => number) {
    this.#key = key;
    this.#model = model;
    this.#now = now;
    this.#countAtStart = key.count;
    const trouble = key.models.get(model);
    this.isProbe = trouble?.until !== undefined && trouble.until <= now() && !trouble.probe;
    if (trouble && this.isProbe) trouble.probe = this;
  }

  /** The answer has begun: others may go through too. The past is forgotten only when it has ended well. */
  begun(): void {
    const trouble = this.#current();
    if (!trouble) return;
    trouble.until = undefined;
    trouble.probe = undefined;
  }

  /** The answer is whole. */
  ended(): void {
    if (this.#current()) this.#key.models.delete(this.#model);
  }

  /**
   * The call failed, at its beginning or in the middle. Most errors tell nothing of the model, such as that the caller
   * has gone; if this was the one call to find out, the next one is.
   */
  failed(error: unknown): void {
    if (!(error instanceof AppError) || !PASSING.has(error.code)) {
      const trouble = this.#key.models.get(this.#model);
      if (trouble?.probe === this) trouble.probe = undefined;
      return;
    }
    const { code, retryAfter } = error;
    const trouble = this.#current() ?? this.#remember(code);
    if (!trouble) return;
    const askedMs = Math.min((retryAfter ?? 0) * 1000, LONGEST_ASKED_MS);
    if (trouble.until !== undefined && trouble.until > this.#now()) {
      // It was called although it is cooling down, so this is no news, unless a later time is named.
      trouble.until = Math.max(trouble.until, this.#now() + askedMs);
      return;
    }
    trouble.failures++;
    trouble.code = code;
    if (askedMs === 0 && trouble.times === 0 && trouble.failures < FAILURES) return;
    trouble.until = this.#now() + Math.max(askedMs, Math.min(FIRST_MS * 2 ** trouble.times, LONGEST_MS));
    trouble.times++;
    trouble.number = ++this.#key.count;
    trouble.probe = undefined;
  }

  #current(): Trouble | undefined {
    const trouble = this.#key.models.get(this.#model);
    return trouble && trouble.number <= this.#countAtStart ? trouble : undefined;
  }

  /** A new entry in place of the oldest; undefined if there is one that is newer than this call. */
  #remember(code: ErrorCode): Trouble | undefined {
    const { models } = this.#key;
    if (models.has(this.#model)) return undefined;
    const [oldest] = models.size < MAX_MODELS ? [] : models.keys();
    if (oldest !== undefined) models.delete(oldest);
    const trouble: Trouble = { code, failures: 0, times: 0, number: 0, until: undefined, probe: undefined };
    models.set(this.#model, trouble);
    return trouble;
  }
}
