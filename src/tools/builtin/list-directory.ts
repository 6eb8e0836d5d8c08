import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { defineTool } from '../tool.ts';
import { existingPathInWorkspace, WorkspacePath } from '../workspace-path.ts';

const MAX_ENTRIES = 1000;

/** Lists a folder of the workspace. */
export const listDirectory = defineTool({
  name: 'list_directory',
  description:
    'Lists a folder of the workspace, one entry a line: folders as `name/`, files with their size in bytes, links with ' +
    'where they lead.',
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({ path: WorkspacePath.default('.') }),
  run: async ({ path: given }, { workspace, hidden, signal }) => {
    const path = await existingPathInWorkspace({ workspace, hidden }, given);
    const entries = await entriesOf(path, given);
    signal.throwIfAborted();
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const lines = await Promise.all(entries.slice(0, MAX_ENTRIES).map((entry) => lineOf(path, entry)));
    const more = entries.length - lines.length;
    if (more > 0) lines.push(`[… and ${more} more entries …]`);
    return { text: lines.length === 0 ? '(an empty folder)' : lines.join('\n'), isError: false };
  },
});

async function entriesOf(path: string, given: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error;
    throw new AppError('invalid_request', `${JSON.stringify(given)} is not a folder`);
  }
}

async function lineOf(folder: string, entry: Dirent): Promise<string> {
  const path = join(folder, entry.name);
  // Quoted if it could be taken for something else than one name.
  const name = /^\S(?:[^\p{Cc}"]*\S)?$/u.test(entry.name) ? entry.name : JSON.stringify(entry.name);
  if (entry.isDirectory()) return `${name}/`;
  try {
    if (entry.isSymbolicLink()) return `${name} -> ${await readlink(path)}`;
    const { size } = await lstat(path);
    return entry.isFile() ? `${name} (${size} bytes)` : `${name} (neither file nor folder)`;
  } catch {
    return `${name} (gone)`;
  }
}
