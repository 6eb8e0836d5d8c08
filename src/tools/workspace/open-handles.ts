import { type BigIntStats, constants, fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * `O_PATH`, which Node has no name for: a handle of the thing itself, whatever it is. Opening it does nothing (a pipe is
 * not waited for, a device not touched), and a link is not followed with `O_NOFOLLOW`.
 */
const O_PATH = 0o10_000_000;

/** The handles of one call; those that are still open at its end are closed together. */
export class OpenHandles {
  readonly #open = new Set<FileHandle>();

  /** A handle of what is there under exactly this name, also of a link. */
  pin(path: string): Promise<FileHandle> {
    return this.open(path, O_PATH | constants.O_NOFOLLOW);
  }

  /** A handle of a folder, links followed. */
  pinFolder(path: string): Promise<FileHandle> {
    return this.open(path, O_PATH | constants.O_DIRECTORY);
  }

  /** @param mode of a file that is made by it. */
  async open(path: string, flags: number, mode?: number): Promise<FileHandle> {
    const handle = await open(path, flags, mode);
    this.#open.add(handle);
    return handle;
  }

  async close(handle: FileHandle): Promise<void> {
    if (this.#open.delete(handle)) await handle.close();
  }

  async closeAll(): Promise<void> {
    const handles = [...this.#open];
    this.#open.clear();
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

/**
 * What a handle that was just opened is of. The system has looked it up a moment ago, so it is asked directly: a way through
 * Node's threads takes ten times as long, once for every part of a path.
 */
export function statusOf(handle: FileHandle): BigIntStats {
  return fstatSync(handle.fd, { bigint: true });
}

/** Another name for what a handle is of, by which it can be opened again whatever has become of its own name. */
export function pathOfHandle(handle: FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}
