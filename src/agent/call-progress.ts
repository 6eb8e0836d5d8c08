import { ReadableText } from '../core/readable-text.ts';
import { inErrors } from '../core/redactor.ts';

/** What a call says on its way: passed on as soon as it can be, readable and without secrets, until the call is over. */
export class CallProgress {
  readonly #tell: (text: string) => void;
  readonly #readable = new ReadableText();
  /** May be the beginning of a secret. */
  #held = '';
  #isOver = false;

  /** @param tell gets what may be stored and sent, never ''. */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** A piece of a tool's output. What comes when the call is over is dropped. */
  add(piece: string): void {
    if (this.#isOver) return;
    // An escape or a secret may come in two pieces.
    const { clean, rest } = inErrors.redactPiece(this.#held + this.#readable.add(piece));
    this.#held = rest;
    if (clean !== '') this.#tell(clean);
  }

  /** The call is over: passes on what was held back. */
  end(): void {
    this.#isOver = true;
    const rest = inErrors.redact(this.#held + this.#readable.end());
    this.#held = '';
    if (rest !== '') this.#tell(rest);
  }
}
