import { AppError } from '../../errors.ts';
import { type Entry, Folder } from './folder.ts';
import { OpenHandles } from './open-handles.ts';
import { openRoot, type Place, partsOf, type Root, refuseSystemFiles } from './root.ts';
import { reasonOf } from './system-error.ts';

/** Where a path led to; all handles are open only as long as the deed takes. */
export type Found =
  /** `above`: the folders that it is in, from the workspace down. */
  | { kind: 'folder'; path: string; isLinked: boolean; folder: Folder; above: readonly Folder[] }
  /** `other`: a device, a socket, a pipe. */
  | { kind: 'file' | 'other'; path: string; isLinked: boolean; folder: Folder; name: string; entry: Entry }
  /** Nothing is there; `missing` are the folders that would have to be made in `folder` before. */
  | { kind: 'nothing'; path: string; isLinked: boolean; folder: Folder; missing: readonly string[]; name: string };

const MAX_LINKS = 40;
/** Folders above what a path leads to. */
const MAX_DEPTH = 100;

/**
 * Walks a path of the workspace from handle to handle, links followed as long as they stay inside, and has something
 * done with what is at its end. Nothing that is renamed or swapped meanwhile can lead it out.
 * @param given relative to the workspace, or absolute.
 * @throws AppError `invalid_request` if it leads outside, to the server's own, or nowhere; and where the system does not
 *   let the deed be done.
 */
export async function withPath<T>(
  place: Place,
  given: string,
  deed: (found: Found, root: Root) => Promise<T>,
): Promise<T> {
  const handles = new OpenHandles();
  try {
    const root = await openRoot(place, handles);
    return await deed(await new Walk(given, root).end(), root);
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === undefined
      ? error
      : new AppError('invalid_request', `${JSON.stringify(given)} cannot be reached: ${reason}`, { cause: error });
  } finally {
    await handles.closeAll();
  }
}

class Walk {
  readonly #given: string;
  readonly #root: Root;
  /** From the workspace down to where the walk is. */
  readonly #stack: Folder[];
  /** What is still to be walked, the next last. */
  #ahead: string[];
  #links = 0;
  #turns = 0;

  constructor(given: string, root: Root) {
    this.#given = given;
    this.#root = root;
    this.#stack = [root.folder];
    this.#ahead = [];
  }

  /** Walks to the end. @throws AppError */
  async end(): Promise<Found> {
    this.#begin();
    for (;;) {
      const name = this.#ahead.pop();
      if (name === undefined) return this.#folderFound();
      if (name === '..') await this.#leave();
      else {
        const found = await this.#step(name);
        if (found) return found;
      }
    }
  }

  #begin(): void {
    const given = this.#given;
    if (given.includes('\0') || !given.isWellFormed()) throw this.#wrong('is not a path');
    if (given.startsWith('~'))
      throw this.#wrong('is outside the workspace: ~ is no folder here, and ./~ would be a name');
    this.#push(given);
    this.#allow('.', this.#root.status);
  }

  /** @param path given, or where a link leads. */
  #push(path: string): void {
    const parts = path.startsWith('/') ? this.#root.partsWithin(path) : partsOf(path);
    if (parts === undefined) throw this.#outside();
    this.#ahead.push(...parts.reverse());
  }

  async #leave(): Promise<void> {
    if (this.#stack.length === 1) throw this.#outside();
    await this.#stack.pop()?.close();
  }

  /** One name further. */
  async #step(name: string): Promise<Found | undefined> {
    const folder = this.#here();
    const path = folder.pathOf(name);
    this.#allow(path);
    const entry = await folder.look(name);
    if (!entry) return this.#nothing(name);
    const { handle, status } = entry;
    if (status.isSymbolicLink()) {
      await folder.handles.close(handle);
      await this.#follow(name);
      return undefined;
    }
    this.#allow(path, status);
    if (status.dev !== this.#root.status.dev) await refuseSystemFiles(handle, JSON.stringify(this.#given));
    if (status.isDirectory()) {
      if (this.#stack.length > MAX_DEPTH) throw this.#wrong(`is deeper than ${MAX_DEPTH} folders`);
      this.#stack.push(new Folder(path, handle, folder.handles));
      return undefined;
    }
    if (this.#ahead.length > 0) throw this.#wrong(`cannot be reached: ${JSON.stringify(path)} is not a folder`);
    return { kind: status.isFile() ? 'file' : 'other', path, isLinked: this.#links > 0, folder, name, entry };
  }

  async #follow(name: string): Promise<void> {
    const folder = this.#here();
    if (++this.#turns > MAX_LINKS) throw this.#wrong('cannot be reached: too many links');
    const target = await folder.readLink(name);
    if (target === undefined) {
      // Something else has its name by now, or where it leads cannot be said.
      this.#ahead.push(name);
      return;
    }
    this.#links++;
    this.#push(target);
    if (!target.startsWith('/')) return;
    for (const open of this.#stack.splice(1)) await open.close();
  }

  #folderFound(): Found {
    const folder = this.#here();
    return { kind: 'folder', path: folder.path, isLinked: this.#links > 0, folder, above: this.#stack.slice(0, -1) };
  }

  #nothing(name: string): Found {
    const folder = this.#here();
    const names = [name, ...this.#ahead.toReversed()];
    // The system would say no as well: what is not there has nothing above it.
    if (names.includes('..')) throw this.#wrong(`cannot be reached: ${JSON.stringify(name)} is not there`);
    if (this.#stack.length - 1 + names.length - 1 > MAX_DEPTH) throw this.#wrong(`is deeper than ${MAX_DEPTH} folders`);
    const path = folder.pathOf(names.join('/'));
    this.#allow(path);
    const missing = names.slice(0, -1);
    return { kind: 'nothing', path, isLinked: this.#links > 0, folder, missing, name: names.at(-1) ?? name };
  }

  #here(): Folder {
    return this.#stack.at(-1) ?? this.#root.folder;
  }

  #allow(path: string, status?: Entry['status']): void {
    if (this.#root.isHidden(path, status)) throw this.#wrong('is the server’s own');
  }

  #outside(): AppError {
    return this.#wrong('is outside the workspace');
  }

  #wrong(what: string): AppError {
    return new AppError('invalid_request', `${JSON.stringify(this.#given)} ${what}`);
  }
}
