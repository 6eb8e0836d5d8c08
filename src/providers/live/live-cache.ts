import { AppError } from '../../errors.ts';
import type { RemoteType } from '../profiles.ts';
import type { LiveModel } from './read-list.ts';

/** Whether a provider answered when it was last asked; `healthy` is null if it never was. Times: ISO, milliseconds. */
export interface Health {
  healthy: boolean | null;
  message: string;
  latencyMs: number | null;
  checkedAt: string | null;
}

interface Entry {
  health: Health;
  models: LiveModel[];
  error: AppError | undefined;
  at: number;
}

const FRESH_MS = 5 * 60_000;
const FAILURE_FRESH_MS = 30_000;
const NEVER: Health = { healthy: null, message: 'Not checked yet', latencyMs: null, checkedAt: null };

/** Model lists and health of the providers: one question answers both. Kept for 5 minutes, failures for 30 s. */
export class LiveCache {
  readonly #fetch: (type: RemoteType) => Promise<LiveModel[]>;
  readonly #entries = new Map<RemoteType, Entry>();
  readonly #asking = new Map<RemoteType, Promise<Entry>>();

  /** @param fetch asks a provider for its models, or throws an AppError. */
  constructor(fetch: (type: RemoteType) => Promise<LiveModel[]>) {
    this.#fetch = fetch;
  }

  /** The provider's own list. @throws AppError if it cannot be had. */
  async models(type: RemoteType, refresh = false): Promise<LiveModel[]> {
    const entry = await this.#entry(type, refresh);
    if (entry.error) throw entry.error;
    return entry.models;
  }

  /** What is known now, without asking; empty if nothing is. */
  knownModels(type: RemoteType): LiveModel[] {
    return this.#entries.get(type)?.models ?? [];
  }

  /** What is known now, without asking; an answer that is old is renewed in the background. */
  knownHealth(type: RemoteType): Health {
    const entry = this.#entries.get(type);
    if (!isFresh(entry)) void this.#ask(type);
    return entry?.health ?? NEVER;
  }

  /** Asks now. Never throws: a failure is the answer. */
  async check(type: RemoteType): Promise<Health> {
    return (await this.#entry(type, true)).health;
  }

  /** Does the provider answer, by what is known or else by asking? */
  async answers(type: RemoteType): Promise<boolean> {
    return (await this.#entry(type, false)).health.healthy === true;
  }

  /** Drops what is known of a provider whose settings have changed. */
  forget(type: RemoteType): void {
    this.#entries.delete(type);
    this.#asking.delete(type);
  }

  async #entry(type: RemoteType, refresh: boolean): Promise<Entry> {
    const known = this.#entries.get(type);
    return !refresh && known && isFresh(known) ? known : await this.#ask(type);
  }

  /** Callers at the same time share one question. */
  #ask(type: RemoteType): Promise<Entry> {
    const under = this.#asking.get(type);
    if (under !== undefined) return under;
    const asking = this.#question(type).then((entry) => {
      // Settings that changed meanwhile have made this answer worthless.
      if (this.#asking.get(type) === asking) {
        this.#asking.delete(type);
        this.#entries.set(type, entry);
      }
      return entry;
    });
    this.#asking.set(type, asking);
    return asking;
  }

  async #question(type: RemoteType): Promise<Entry> {
    const begun = performance.now();
    const health = (healthy: boolean, message: string): Health => ({
      healthy,
      message,
      latencyMs: Math.round(performance.now() - begun),
      checkedAt: new Date().toISOString(),
    });
    try {
      const models = await this.#fetch(type);
      return { health: health(true, 'OK'), models, error: undefined, at: Date.now() };
    } catch (cause) {
      const error = cause instanceof AppError ? cause : new AppError('internal', 'The check failed', { cause });
      return { health: health(false, error.message), models: [], error, at: Date.now() };
    }
  }
}

function isFresh(entry: Entry | undefined): boolean {
  if (!entry) return false;
  return Date.now() - entry.at < (entry.error ? FAILURE_FRESH_MS : FRESH_MS);
}
