import type { FileHandle } from 'node:fs/promises';
import type { RE2JS } from 're2js';
import type { Grant } from '../tool.ts';
import { hasOtherNames, openEntry } from './access.ts';
import { type FoundLine, searchLines } from './line-search.ts';
import { printedName } from './printed-name.ts';
import { isText, readBytes } from './read-text.ts';
import { isSecretPath } from './secret-path.ts';
import type { Tree, TreeFile } from './tree.ts';

/** What is searched for. */
export interface SearchOptions {
  expression: RE2JS;
  /** How many lines around a match are shown. */
  context: number;
  /** How many matches are shown. */
  limit: number;
  signal: AbortSignal;
  grant: Grant;
}

const MAX_FILE_BYTES = 5_000_000;
/** What a result may have, with notes and a last line on top of it. */
const MAX_CHARS = 28_000;

/** Searches file after file, and keeps what was found as text for the model. */
export class FileSearch {
  readonly #options: SearchOptions;
  readonly #lines: string[] = [];
  readonly #skipped = { secret: 0, linked: 0, large: 0, unreadable: 0 };
  #matches = 0;
  #chars = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  /** Was as much found as may be shown? */
  get isFull(): boolean {
    return this.#matches >= this.#options.limit || this.#chars >= MAX_CHARS;
  }

  /** Searches a file, if it is one that may be read. @throws why the signal was aborted. */
  async file({ folder, name, path }: TreeFile): Promise<void> {
    this.#options.signal.throwIfAborted();
    if (isSecretPath(path) && !this.#options.grant.opensSecret(path)) {
      this.#skipped.secret++;
      return;
    }
    const entry = await folder.look(name).catch(() => undefined);
    if (!entry) return;
    try {
      // It may be something else than what the folder said.
      if (!entry.status.isFile()) return;
      if (hasOtherNames(entry)) this.#skipped.linked++;
      else {
        const file = await openEntry(folder, entry).catch(() => undefined);
        if (!file) this.#skipped.unreadable++;
        else {
          await this.content(file, path);
          await folder.handles.close(file);
        }
      }
    } finally {
      await folder.handles.close(entry.handle);
    }
  }

  /** Searches a file that is open. @param path in the workspace. @throws why the signal was aborted. */
  async content(file: FileHandle, path: string): Promise<void> {
    if (!(await isText(file))) return;
    const bytes = await readBytes(file, MAX_FILE_BYTES);
    if (!bytes) {
      this.#skipped.large++;
      return;
    }
    const { expression, context, limit, signal } = this.#options;
    const found = await searchLines(bytes.toString('utf8'), expression, {
      limit: limit - this.#matches,
      context,
      signal,
    });
    this.#add(path, found);
  }

  /** All that was found, and what was left out. @param tree that the files come from. */
  text(tree?: Tree): string {
    const { secret, linked, large, unreadable } = this.#skipped;
    const count = (number: number, what: string): string[] =>
      number === 0 ? [] : [`${number} ${number === 1 ? 'file' : 'files'} ${what}`];
    const notes = [
      ...(this.isFull ? [`stopped after ${this.#matches} matching lines: there may be more`] : []),
      ...(tree?.stopped === undefined ? [] : [tree.stopped]),
      ...count(secret, 'skipped that may hold secrets'),
      ...count(linked, 'skipped with more than one name (hard links)'),
      ...count(large, `skipped with more than ${MAX_FILE_BYTES} bytes`),
      ...count(unreadable + (tree?.unreadable ?? 0), 'or folders that cannot be read'),
    ];
    const lines = this.#lines.length === 0 ? ['(no line matches)'] : this.#lines;
    return [...lines, ...(notes.length === 0 ? [] : [`[${notes.join('; ')}]`])].join('\n');
  }

  #add(path: string, found: readonly FoundLine[]): void {
    const name = printedName(path);
    let last: number | undefined;
    for (const { number, text, isMatch } of found) {
      if (this.#chars >= MAX_CHARS) return;
      const hasGap = last === undefined ? this.#lines.length > 0 : number > last + 1;
      if (this.#options.context > 0 && hasGap) this.#lines.push('--');
      const line = isMatch ? `${name}:${number}: ${text}` : `${name}-${number}- ${text}`;
      this.#lines.push(line);
      this.#chars += line.length + 1;
      if (isMatch) this.#matches++;
      last = number;
    }
  }
}
