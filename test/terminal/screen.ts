const ESC = '\u001b';
/** A control sequence, another escape, one that is not whole yet, or a character. */
const PIECES = new RegExp(`${ESC}\\[[0-9;?]*[ -/]*[@-~]|${ESC}[^[]|${ESC}\\[?[0-9;?]*$|[^${ESC}]`, 'gsu');
const UNFINISHED = new RegExp(`^${ESC}(\\[[0-9;?]*)?$`);
/** What the program may send: the cursor up and to the right, erase below, colours, marks around what is pasted. */
const KNOWN = `${ESC}\\[(?:(\\d*)([ACJ])|[\\d;]*m|\\?2004[hl])`;
const ONE = new RegExp(`^${KNOWN}$`);
const ALL = new RegExp(KNOWN, 'g');

/** Output without the escapes that the program may send. */
export function withoutEscapes(output: string): string {
  return output.replace(ALL, '');
}

/** A terminal's screen, as far as the program uses one: what a person would see after some output. */
export class TestScreen {
  readonly columns: number;
  /** Escapes and control characters that it does not know: none should come. */
  readonly unknown: string[] = [];
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  #rest = '';

  constructor(columns: number) {
    this.columns = columns;
  }

  /** All lines, also those that have scrolled away. */
  text(): string {
    return this.#lines.map((line) => Array.from(line, (char) => char ?? ' ').join('')).join('\n');
  }

  write(output: string): void {
    const pieces = (this.#rest + output).match(PIECES) ?? [];
    this.#rest = '';
    for (const [index, piece] of pieces.entries()) {
      if (index === pieces.length - 1 && UNFINISHED.test(piece)) this.#rest = piece;
      else if (piece.startsWith(ESC)) this.#escape(piece);
      else this.#put(piece);
    }
  }

  #put(char: string): void {
    if (char === '\r') this.#column = 0;
    else if (char === '\n') this.#down();
    else if (/\p{Cc}/u.test(char)) this.unknown.push(char);
    else {
      if (this.#column >= this.columns) {
        this.#column = 0;
        this.#down();
      }
      this.#line()[this.#column++] = char;
    }
  }

  #escape(sequence: string): void {
    const match = ONE.exec(sequence);
    if (!match) {
      this.unknown.push(sequence);
      return;
    }
    const count = Number(match[1] || 1);
    if (match[2] === 'A') this.#row = Math.max(0, this.#row - count);
    else if (match[2] === 'C') this.#column += count;
    else if (match[2] === 'J') {
      this.#line().length = this.#column;
      this.#lines.length = this.#row + 1;
    }
  }

  #down(): void {
    this.#row++;
    if (this.#row >= this.#lines.length) this.#lines.push([]);
  }

  #line(): string[] {
    return this.#lines[this.#row] ?? [];
  }
}
