const HIGH_SURROGATE = /[\ud800-\udbff]$/;
const LOW_SURROGATE = /^[\udc00-\udfff]/;

/** Text of any length of which only the beginning and the end are kept. */
export class BoundedText {
  readonly #half: number;
  #head = '';
  #tail = '';
  #length = 0;

  /** @param maxChars how many UTF-16 units are kept at most. */
  constructor(maxChars: number) {
    this.#half = Math.floor(maxChars / 2);
  }

  add(piece: string): void {
    this.#length += piece.length;
    const room = this.#half - this.#head.length;
    if (room > 0) this.#head += piece.slice(0, room);
    if (piece.length <= room) return;
    this.#tail += room > 0 ? piece.slice(room) : piece;
    // Not at every piece: that would copy the whole tail for each byte of a slow writer.
    if (this.#tail.length > 4 * this.#half) this.#tail = this.#tail.slice(-this.#half);
  }

  /** Was anything left out? */
  get isTruncated(): boolean {
    return this.#length > 2 * this.#half;
  }

  /** What was added; if it is too long, its beginning and end, and between them how many characters are missing. */
  toString(): string {
    if (!this.isTruncated) return this.#head + this.#tail;
    // A character of two units must not be cut in two.
    const head = this.#head.replace(HIGH_SURROGATE, '');
    const tail = this.#tail.slice(-this.#half).replace(LOW_SURROGATE, '');
    return `${head}\n[… ${this.#length - head.length - tail.length} characters left out …]\n${tail}`;
  }
}
