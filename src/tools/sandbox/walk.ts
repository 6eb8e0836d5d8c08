import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';

/** Something in a folder. */
export interface Entry {
  /** Relative to where the walk began. */
  path: string;
  /** `pipe`: something through which another process can be reached, a socket or a FIFO. */
  kind: 'file' | 'folder' | 'link' | 'pipe';
}

const MAX_ENTRIES = 200_000;
const MAX_DEPTH = 24;
const AT_ONCE = 16;
const NOT_UTF8 = '\ufffd';

/**
 * Visits what is in a folder, nearest first: up to 200,000 entries, 24 levels deep, and neither what is in `node_modules`
 * nor the objects of git, nor names that are not UTF-8, which no argument of a program could give. Links are not followed.
 * @returns what it entered or kept.
 * @throws AppError `invalid_request` if there are more: a command could make so many itself, to have the others overlooked.
 */
export async function walk(
  root: string,
  visit: (entry: Entry) => 'enter' | 'skip',
  maxEntries = MAX_ENTRIES,
): Promise<Entry[]> {
  const all: Entry[] = [];
  let level = [''];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (let at = 0; at < level.length; at += AT_ONCE) {
      if (all.length > maxEntries) throw tooMany(maxEntries);
      const some = level.slice(at, at + AT_ONCE);
      const lists = await Promise.all(some.map((folder) => listOf(join(root, folder))));
      for (const [index, list] of lists.entries()) {
        for (const dirent of list) {
          const entry = entryOf(some[index] ?? '', dirent);
          if (entry === undefined || visit(entry) === 'skip') continue;
          all.push(entry);
          if (entry.kind === 'folder' && !isSkipped(entry.path, dirent.name)) next.push(entry.path);
        }
      }
    }
    level = next;
  }
  return all;
}

function tooMany(most: number): AppError {
  return new AppError(
    'invalid_request',
    `The workspace has more than ${most} files outside of node_modules, so that not all that may hold secrets can be found; commands run in a workspace with fewer`,
  );
}

/** What cannot be read cannot be by a command either, or it is gone. */
async function listOf(folder: string): Promise<Dirent[]> {
  return await readdir(folder, { withFileTypes: true }).catch(() => []);
}

function entryOf(folder: string, dirent: Dirent): Entry | undefined {
  if (dirent.name.includes(NOT_UTF8)) return undefined;
  const path = folder === '' ? dirent.name : `${folder}/${dirent.name}`;
  if (dirent.isFile()) return { path, kind: 'file' };
  if (dirent.isDirectory()) return { path, kind: 'folder' };
  if (dirent.isSymbolicLink()) return { path, kind: 'link' };
  return dirent.isSocket() || dirent.isFIFO() ? { path, kind: 'pipe' } : undefined;
}

function isSkipped(path: string, name: string): boolean {
  return name === 'node_modules' || (name === 'objects' && /(?:^|\/)\.git\//.test(path));
}
