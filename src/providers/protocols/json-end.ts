/**
 * Finds out whether the JSON object that a growing list of pieces begins is whole, in time linear in its length however
 * often it is asked. Looks at braces outside of strings alone: for text that a model writes as JSON.
 */
export class JsonEnd {
  /** How many pieces have been looked at. */
  #read = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #ended = false;

  /** @param pieces the same list as in the call before, with more at its end. */
  isAt(pieces: readonly string[]): boolean {
    for (; this.#read < pieces.length; this.#read++) for (const char of pieces[this.#read] ?? '') this.#step(char);
    return this.#ended;
  }

  #step(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (this.#inString) {
      if (char === '\\') this.#escaped = true;
      else if (char === '"') this.#inString = false;
    } else if (char === '"') this.#inString = true;
    else if (char === '{') this.#depth++;
    else if (char === '}') {
      this.#depth--;
      this.#ended ||= this.#depth === 0;
    }
  }
}
