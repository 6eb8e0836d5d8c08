import { type AppError, abortError } from '../errors.ts';

interface Waiting {
  admit(): void;
}

/** One line for each key: whoever comes first is first, and only one is in at a time. Within this process. */
export class Lines {
  readonly #lines = new Map<string, Waiting[]>();

  /**
   * Waits for one's turn.
   * @param late makes the error of who has waited too long.
   * @returns what to call to leave; must be called once.
   * @throws AppError `late`'s, or why the signal was aborted.
   */
  enter(key: string, waitMs: number, signal: AbortSignal, late: () => AppError): Promise<() => void> {
    const line = this.#lines.get(key);
    const leave = (): void => this.#next(key);
    if (signal.aborted) return Promise.reject(abortError(signal));
    if (!line) {
      this.#lines.set(key, []);
      return Promise.resolve(leave);
    }
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      const giveUp = (error: AppError): void => {
        end();
        line.splice(line.indexOf(waiting), 1);
        reject(error);
      };
      const abort = (): void => giveUp(abortError(signal));
      const timer = setTimeout(() => giveUp(late()), waitMs);
      const waiting: Waiting = {
        admit: () => {
          end();
          resolve(leave);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      line.push(waiting);
    });
  }

  #next(key: string): void {
    const next = this.#lines.get(key)?.shift();
    if (next) next.admit();
    else this.#lines.delete(key);
  }
}
