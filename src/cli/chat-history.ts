import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryParseJson } from '../core/json.ts';

const FILE = 'chat-history';
const MOST_LINES = 1000;
/** Lines beyond which the file is written anew. */
const TOO_MANY = 2 * MOST_LINES;

/** What was typed at the prompt, newest last, kept in the home folder for nobody else to read. */
export class InputHistory {
  readonly #file: string;
  #lines: string[];

  /** @param home is made if it is not there. */
  constructor(home: string) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    this.#file = join(home, FILE);
    const all = readLines(this.#file);
    this.#lines = all.slice(-MOST_LINES);
    if (all.length > TOO_MANY) this.#rewrite();
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Keeps a line, unless it is the one before or begins with a space. */
  add(line: string): void {
    if (line === '' || line.startsWith(' ') || line === this.#lines.at(-1)) return;
    this.#lines = [...this.#lines, line].slice(-MOST_LINES);
    try {
      appendFileSync(this.#file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
      chmodSync(this.#file, 0o600);
    } catch {
      // A full disk must not end a conversation.
    }
  }

  #rewrite(): void {
    const other = `${this.#file}.new`;
    writeFileSync(other, this.#lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
    renameSync(other, this.#file);
  }
}

function readLines(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const value = tryParseJson(line);
    return typeof value === 'string' ? [value] : [];
  });
}
