import type { Style } from './style.ts';

/** So much of a line may still become a heading or a fence. */
const UNDECIDED = /^(#{0,6}|`{0,3}|~{0,3})$/;
const HEADING = /^#{1,6}\s/;
const FENCE = /^(```|~~~)/;

/**
 * Makes headings bold and the fences of code dim in Markdown that comes in pieces; all else stays as it is. Each piece
 * that is given out is whole in itself, so that something else may be written after it.
 */
export class MarkdownPieces {
  readonly #style: Style;
  #start = '';
  #line: 'unknown' | 'plain' | 'heading' | 'fence' = 'unknown';
  #isCode = false;

  constructor(style: Style) {
    this.#style = style;
  }

  /** @returns what can be shown now. */
  add(text: string): string {
    let out = '';
    for (const piece of text.split(/(?<=\n)/)) out += this.#add(piece);
    return out;
  }

  /** The rest, when no more comes. */
  end(): string {
    const rest = this.#start;
    this.#start = '';
    return this.#painted(rest);
  }

  #add(piece: string): string {
    const text = this.#start + piece;
    this.#start = '';
    if (this.#line === 'unknown') {
      if (UNDECIDED.test(text)) {
        this.#start = text;
        return '';
      }
      this.#line = this.#kindOf(text);
    }
    const out = this.#painted(text);
    if (text.endsWith('\n')) this.#line = 'unknown';
    return out;
  }

  #kindOf(text: string): 'plain' | 'heading' | 'fence' {
    if (FENCE.test(text)) {
      this.#isCode = !this.#isCode;
      return 'fence';
    }
    return !this.#isCode && HEADING.test(text) ? 'heading' : 'plain';
  }

  #painted(text: string): string {
    const [, line = '', end = ''] = /^([^\n]*)(\n?)$/.exec(text) ?? [];
    if (this.#line === 'heading') return this.#style.bold(line) + end;
    if (this.#line === 'fence') return this.#style.dim(line) + end;
    return text;
  }
}
