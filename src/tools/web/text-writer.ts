/** Puts a page's text together: white space as a browser shows it, blocks apart, links around their text. */
export class TextWriter {
  readonly #pieces: string[] = [];
  /** What comes before the next word. */
  #breaks = 0;
  #hasSpace = false;
  #indent = '';
  /** Whether the link that is open has a word yet; undefined: none is. */
  #link: boolean | undefined;

  /** Words; white space is one blank. */
  write(text: string): void {
    const clean = text.replace(/\s+/g, ' ');
    if (clean === '') return;
    if (clean === ' ') {
      this.#hasSpace = true;
      return;
    }
    if (clean.startsWith(' ')) this.#hasSpace = true;
    this.#put(clean.trim());
    this.#hasSpace = clean.endsWith(' ');
  }

  /** As it is, line breaks too. */
  writeRaw(text: string): void {
    if (text !== '') this.#put(text);
  }

  /** So many line breaks before what comes, at least. */
  break(count: 1 | 2): void {
    this.#breaks = Math.max(this.#breaks, count);
  }

  /** What stands before the lines from here on. */
  set indent(blanks: number) {
    this.#indent = ' '.repeat(blanks);
  }

  /** What is written until its end leads to somewhere. */
  beginLink(): void {
    this.#link = false;
  }

  /** Says where what was written leads to; nothing if that was no word. */
  endLink(url: string): void {
    if (this.#link) this.#pieces.push(`](${url})`);
    this.#link = undefined;
  }

  /** All of it. */
  toString(): string {
    return this.#pieces.join('');
  }

  #put(text: string): void {
    if (this.#pieces.length > 0) {
      if (this.#breaks > 0) this.#pieces.push('\n'.repeat(this.#breaks), this.#indent);
      else if (this.#hasSpace) this.#pieces.push(' ');
    }
    this.#breaks = 0;
    this.#hasSpace = false;
    if (this.#link === false) {
      this.#pieces.push('[');
      this.#link = true;
    }
    this.#pieces.push(text);
  }
}
