import type { Terminal } from './terminal.ts';

const UP = (rows: number): string => (rows > 0 ? `\u001b[${rows}A` : '');
const RIGHT = (columns: number): string => (columns > 0 ? `\u001b[${columns}C` : '');
const ERASE_BELOW = '\u001b[J';
const CLEAR = '\u001b[2J\u001b[3J\u001b[H';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** What is being typed, row by row, and where the cursor is among the rows. */
export interface ShownInput {
  rows: readonly string[];
  row: number;
  column: number;
}

/**
 * What is written stays; below it there may be one line that says what is going on, or what is being typed. While
 * something is being typed nothing else is written: it waits. Only what is answered goes to the standard output.
 */
export class Screen {
  readonly #output: Terminal['output'];
  readonly #error: Terminal['error'] & { rows?: number };
  #isLineOpen = false;
  #status = '';
  #isStatusShown = false;
  #input: ShownInput | undefined;
  #waiting: (() => void)[] = [];

  constructor(terminal: { output: Terminal['output']; error: Terminal['error'] & { rows?: number } }) {
    this.#output = terminal.output;
    this.#error = terminal.error;
  }

  get columns(): number {
    return this.#error.columns ?? this.#output.columns ?? DEFAULT_COLUMNS;
  }

  get rows(): number {
    return this.#error.rows ?? DEFAULT_ROWS;
  }

  /** A piece of what was asked for. */
  answer(text: string): void {
    if (text !== '') this.#when(() => this.#put(this.#output, text));
  }

  /** Whole lines about it, on a line of their own. */
  line(text: string): void {
    this.#when(() => this.#put(this.#error, `${this.#lineStart()}${text}\n`));
  }

  /** A piece of what goes beside it, such as reasoning. */
  aside(text: string): void {
    if (text !== '') this.#when(() => this.#put(this.#error, text));
  }

  /** Ends the line that is open, if one is. `stream`: to which that line belongs. */
  endLine(stream: 'answer' | 'aside' = 'aside'): void {
    this.#when(() => {
      if (this.#isLineOpen) this.#put(stream === 'answer' ? this.#output : this.#error, '\n');
    });
  }

  /** Says what is going on until the next call; '' for nothing. It must fit on one row. */
  status(text: string): void {
    if (this.#error.isTTY !== true || text === this.#status) return;
    this.#status = text;
    if (this.#input) return;
    this.#hideStatus();
    this.#showStatus();
  }

  /** Shows what is being typed, in place of what was; undefined: nothing is any more. */
  input(shown: ShownInput | undefined): void {
    this.#hideInput();
    if (shown === undefined) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const write of waiting) write();
      this.#showStatus();
      return;
    }
    this.#hideStatus();
    const start = this.#lineStart();
    this.#isLineOpen = false;
    const { rows, row, column } = shown;
    this.#error.write(`${start}${rows.join('\r\n')}${UP(rows.length - 1 - row)}\r${RIGHT(column)}`);
    this.#input = shown;
  }

  /** Leaves what was typed where it is; what follows comes below it. */
  keepInput(): void {
    const { rows = [], row = 0 } = this.#input ?? {};
    this.#error.write('\r\n'.repeat(Math.max(rows.length - row, 1)));
    this.#input = undefined;
    this.input(undefined);
  }

  /** An empty screen, but for what is being typed. */
  clear(): void {
    const shown = this.#input;
    this.#error.write(CLEAR);
    this.#input = undefined;
    this.#isLineOpen = false;
    if (shown) this.input(shown);
  }

  #when(write: () => void): void {
    if (this.#input) this.#waiting.push(write);
    else write();
  }

  #put(stream: Terminal['output'], text: string): void {
    this.#hideStatus();
    stream.write(text);
    this.#isLineOpen = !text.endsWith('\n');
    this.#showStatus();
  }

  #lineStart(): string {
    return this.#isLineOpen ? '\n' : '';
  }

  /** Not in the middle of a line: where an answer comes, everybody sees that something is going on. */
  #showStatus(): void {
    if (this.#status === '' || this.#isStatusShown || this.#input || this.#isLineOpen) return;
    this.#error.write(this.#status);
    this.#isStatusShown = true;
  }

  #hideStatus(): void {
    if (this.#isStatusShown) this.#error.write(`\r${ERASE_BELOW}`);
    this.#isStatusShown = false;
  }

  #hideInput(): void {
    if (!this.#input) return;
    this.#error.write(`${UP(this.#input.row)}\r${ERASE_BELOW}`);
    this.#input = undefined;
  }
}
