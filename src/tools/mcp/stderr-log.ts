import type { Logger } from 'pino';
import { inLogs } from '../../core/redactor.ts';
import { cleanText } from './untrusted-text.ts';

const MAX_LINE_CHARS = 1000;
const MAX_LINES = 60;
const WINDOW_MS = 60_000;
const KEPT_LINES = 5;

/** Writes what a program says on standard error into the log, so many lines a minute, and keeps the last ones. */
export class StderrLog {
  readonly #log: Logger;
  readonly #server: string;
  #rest = '';
  #last: string[] = [];
  #lines = 0;
  #windowEnd = 0;

  constructor(log: Logger, server: string) {
    this.#log = log;
    this.#server = server;
  }

  add(piece: string): void {
    const lines = (this.#rest + piece).split('\n');
    // A line without an end is cut: nobody needs it whole.
    this.#rest = (lines.pop() ?? '').slice(0, 2 * MAX_LINE_CHARS);
    for (const line of lines) this.#write(line);
  }

  /** The last lines, for the reason why it has ended. */
  tail(): string {
    if (this.#rest !== '') this.add('\n');
    return this.#last.join('\n');
  }

  #write(given: string): void {
    if (given.trim() === '') return;
    const line = cleanText(inLogs.redact(given), MAX_LINE_CHARS);
    this.#last = [...this.#last.slice(1 - KEPT_LINES), line];
    const now = Date.now();
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + WINDOW_MS;
      this.#lines = 0;
    }
    this.#lines++;
    if (this.#lines <= MAX_LINES) this.#log.info({ mcp: this.#server }, line);
    if (this.#lines === MAX_LINES) this.#log.warn({ mcp: this.#server }, 'more of its standard error is left out');
  }
}
