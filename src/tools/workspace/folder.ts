import type { BigIntStats } from 'node:fs';
import { type FileHandle, lstat, mkdir, readdir, readlink, rename, unlink } from 'node:fs/promises';
import { type OpenHandles, pathOfHandle, statusOf } from './open-handles.ts';
import { isMissing } from './system-error.ts';

/** What is under a name of a folder; the handle is of it and of nothing that takes its place later. */
export interface Entry {
  handle: FileHandle;
  status: BigIntStats;
}

/** A name in a folder. Only the kind can be trusted to be what was seen. */
export interface ListedName {
  /** Undefined if it is not UTF-8: then nothing can be done with it. */
  name: string | undefined;
  /** As bytes, each a character. */
  raw: string;
  kind: 'file' | 'folder' | 'link' | 'other';
}

/**
 * A folder that is open. What is done in it is done by its handle and one name, so that it makes no difference what
 * becomes of the path that led to it: Node has no `openat`, but `/proc/self/fd/<n>/<name>` is one.
 */
export class Folder {
  /** In the workspace: `src/core`; the workspace itself is `.`. */
  readonly path: string;
  readonly handle: FileHandle;
  readonly handles: OpenHandles;

  constructor(path: string, handle: FileHandle, handles: OpenHandles) {
    this.path = path;
    this.handle = handle;
    this.handles = handles;
  }

  /** The path in the workspace of one of its names. */
  pathOf(name: string): string {
    return this.path === '.' ? name : `${this.path}/${name}`;
  }

  /** What is there under a name now, links not followed; undefined: nothing. */
  async look(name: string): Promise<Entry | undefined> {
    try {
      const handle = await this.handles.pin(this.#at(name));
      return { handle, status: statusOf(handle) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Where a link leads; undefined: it is none any more, or what it says is not UTF-8. */
  async readLink(name: string): Promise<string | undefined> {
    try {
      return fromBytes(await readlink(this.#at(name), { encoding: 'buffer' }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EINVAL' || isMissing(error)) return undefined;
      throw error;
    }
  }

  /** All its names, in no order. */
  async list(): Promise<ListedName[]> {
    const entries = await readdir(pathOfHandle(this.handle), { withFileTypes: true, encoding: 'buffer' });
    return entries.map((entry) => ({
      name: fromBytes(entry.name),
      raw: entry.name.toString('latin1'),
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other',
    }));
  }

  /** @throws the system's error ENOENT too. */
  status(name: string): Promise<BigIntStats> {
    return lstat(this.#at(name), { bigint: true });
  }

  /** Makes a file of a name that nothing has. @throws the system's error EEXIST too. */
  make(name: string, flags: number, mode: number): Promise<FileHandle> {
    return this.handles.open(this.#at(name), flags, mode);
  }

  makeFolder(name: string): Promise<void> {
    return mkdir(this.#at(name));
  }

  /** Gives a file of it another name in it, whose file is then gone. */
  rename(from: string, to: string): Promise<void> {
    return rename(this.#at(from), this.#at(to));
  }

  remove(name: string): Promise<void> {
    return unlink(this.#at(name));
  }

  close(): Promise<void> {
    return this.handles.close(this.handle);
  }

  #at(name: string): string {
    return `${pathOfHandle(this.handle)}/${name}`;
  }
}

function fromBytes(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}
