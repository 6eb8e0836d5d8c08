import { setImmediate } from 'node:timers/promises';
import type { Grant } from '../tool.ts';
import { hasOtherNames, openEntry } from './access.ts';
import { Folder, type ListedName } from './folder.ts';
import { type IgnoreRules, parseIgnoreRules } from './ignore-rules.ts';
import { readBytes } from './read-text.ts';
import { type Root, refuseSystemFiles } from './root.ts';

/** A file below a folder, or a link, or what is neither; links are never followed. */
export interface TreeFile {
  folder: Folder;
  name: string;
  /** In the workspace. */
  path: string;
  kind: 'file' | 'link' | 'other';
}

/** What is looked for, and how far. */
export interface TreeOptions {
  root: Root;
  grant: Grant;
  signal: AbortSignal;
  /** Names of folders that are entered even if they are usually not: `node_modules`. */
  asked: ReadonlySet<string>;
  maxEntries: number;
  maxMs: number;
}

/** Never worth the time, unless asked for. */
const USUALLY_SKIPPED = new Set(['.git', 'node_modules']);
const MAX_DEPTH = 100;
const MAX_IGNORE_BYTES = 200_000;
/** How many entries are gone through before others get a turn. */
const ENTRIES_A_TURN = 500;

/** The files below a folder, in the order of their paths' parts, without what `.gitignore` files and rules leave out. */
export class Tree {
  /** Why it ended early: for the model; undefined: it did not. */
  stopped: string | undefined;
  /** How many folders could not be read. */
  unreadable = 0;
  readonly #options: TreeOptions;
  readonly #begun = performance.now();
  #entries = 0;

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  /**
   * @param above the folders that it is in, from the workspace down: their `.gitignore` count as well.
   * @throws why the signal was aborted.
   */
  async *files(folder: Folder, above: readonly Folder[]): AsyncGenerator<TreeFile> {
    const rules: Ruled[] = [];
    for (const one of above) rules.push(...(await rulesOf(one)));
    yield* this.#below(folder, rules, above.length);
  }

  async *#below(folder: Folder, above: readonly Ruled[], depth: number): AsyncGenerator<TreeFile> {
    const entries = await this.#list(folder);
    const rules = entries.some(({ name }) => name === '.gitignore') ? [...above, ...(await rulesOf(folder))] : above;
    for (const { name, kind } of entries) {
      if (await this.#isOver()) return;
      if (name === undefined || !this.#isWanted(folder, name, kind, rules)) continue;
      const path = folder.pathOf(name);
      if (kind !== 'folder') yield { folder, name, path, kind };
      else if (depth >= MAX_DEPTH) this.stopped ??= `folders deeper than ${MAX_DEPTH} were left out`;
      else {
        const inner = await this.#enter(folder, name);
        if (!inner) continue;
        try {
          yield* this.#below(inner, rules, depth + 1);
        } finally {
          await inner.close();
        }
      }
    }
  }

  async #list(folder: Folder): Promise<ListedName[]> {
    try {
      return (await folder.list()).sort((a, b) => (a.raw < b.raw ? -1 : 1));
    } catch {
      this.unreadable++;
      return [];
    }
  }

  async #isOver(): Promise<boolean> {
    const { signal, maxEntries, maxMs } = this.#options;
    signal.throwIfAborted();
    if (++this.#entries % ENTRIES_A_TURN === 0) await setImmediate();
    if (this.#entries > maxEntries) this.stopped = `stopped after ${maxEntries} entries`;
    else if (performance.now() - this.#begun > maxMs) this.stopped = `stopped after ${maxMs / 1000} seconds`;
    else return false;
    return true;
  }

  #isWanted(folder: Folder, name: string, kind: ListedName['kind'], rules: readonly Ruled[]): boolean {
    const { asked, grant } = this.#options;
    const path = folder.pathOf(name);
    if (grant.hidesPath(path)) return false;
    const isFolder = kind === 'folder';
    if (isFolder && asked.has(name)) return true;
    if (isFolder && USUALLY_SKIPPED.has(name)) return false;
    for (const { start, rules: own } of rules.toReversed()) {
      const isIgnored = own.ignores(path.slice(start), isFolder);
      if (isIgnored !== undefined) return !isIgnored;
    }
    return true;
  }

  /** Undefined: it is no folder any more, or not one for tools. */
  async #enter(folder: Folder, name: string): Promise<Folder | undefined> {
    const { root } = this.#options;
    const path = folder.pathOf(name);
    try {
      const entry = await folder.look(name);
      if (!entry) return undefined;
      const inner = new Folder(path, entry.handle, folder.handles);
      const isFit = entry.status.isDirectory() && !root.isHidden(path, entry.status);
      if (!isFit) {
        await inner.close();
        return undefined;
      }
      if (entry.status.dev !== root.status.dev) await refuseSystemFiles(entry.handle, path);
      return inner;
    } catch {
      this.unreadable++;
      return undefined;
    }
  }
}

/** The rules of a folder's `.gitignore`, and where the paths begin that they are about. */
interface Ruled {
  start: number;
  rules: IgnoreRules;
}

async function rulesOf(folder: Folder): Promise<Ruled[]> {
  const entry = await folder.look('.gitignore').catch(() => undefined);
  if (!entry) return [];
  try {
    if (!entry.status.isFile() || hasOtherNames(entry)) return [];
    const file = await openEntry(folder, entry);
    const bytes = await readBytes(file, MAX_IGNORE_BYTES);
    await folder.handles.close(file);
    const start = folder.path === '.' ? 0 : folder.path.length + 1;
    return bytes ? [{ start, rules: parseIgnoreRules(bytes.toString('utf8')) }] : [];
  } catch {
    return [];
  } finally {
    await folder.handles.close(entry.handle);
  }
}
