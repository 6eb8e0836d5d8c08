import type { BigIntStats } from 'node:fs';
import { type FileHandle, readlink, stat, statfs } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../errors.ts';
import type { ToolContext } from '../tool.ts';
import { Folder } from './folder.ts';
import { type OpenHandles, pathOfHandle, statusOf } from './open-handles.ts';
import { reasonOf } from './system-error.ts';

/** Where file tools work. */
export type Place = Pick<ToolContext, 'workspace' | 'hidden'>;

/** The workspace, open, and what is not for tools in it. */
export interface Root {
  folder: Folder;
  status: BigIntStats;
  /** The parts of an absolute path below the workspace, by its real name or the one it is given; undefined: outside. */
  partsWithin(path: string): string[] | undefined;
  /** Is this path of the workspace the server's own, or what its handle is of? */
  isHidden(path: string, status?: BigIntStats): boolean;
}

/** `PROC_SUPER_MAGIC` and `SYSFS_MAGIC` of linux/magic.h. */
const SYSTEM_FILES = new Set([0x9fa0n, 0x62656572n]);

/** @throws AppError `invalid_request` if there is no such folder, or no safe way to work in it. */
export async function openRoot({ workspace, hidden }: Place, handles: OpenHandles): Promise<Root> {
  if (process.platform !== 'linux') throw new AppError('invalid_request', 'The file tools need Linux');
  const handle = await handles.pinFolder(workspace).catch((error: unknown) => {
    throw new AppError('invalid_request', `The workspace cannot be opened: ${reasonOf(error)}`, { cause: error });
  });
  const status = statusOf(handle);
  const [real, ids] = await Promise.all([
    readlink(pathOfHandle(handle)).catch((error: unknown) => {
      throw new AppError('invalid_request', 'The file tools need Linux with /proc', { cause: error });
    }),
    Promise.all(hidden.map((folder) => idOf(folder))),
    refuseSystemFiles(handle, 'The workspace'),
  ]);
  const names = [partsOf(real), partsOf(resolve(workspace))];
  const own = hidden.map(partsOf);
  return {
    folder: new Folder('.', handle, handles),
    status,
    partsWithin: (path) => {
      const parts = partsOf(path);
      const name = names.find((one) => startsWith(parts, one));
      return name && parts.slice(name.length);
    },
    isHidden: (path, of) => {
      const parts = [...(names[0] ?? []), ...(path === '.' ? [] : path.split('/'))];
      // By what it is as well: it may have been moved, and on some file systems it has names of other cases.
      return own.some((one) => startsWith(parts, one)) || (of !== undefined && ids.includes(`${of.dev}:${of.ino}`));
    },
  };
}

/** `/proc` and `/sys` are no files but the system itself. @throws AppError */
export async function refuseSystemFiles(handle: FileHandle, what: string): Promise<void> {
  const { type } = await statfs(pathOfHandle(handle), { bigint: true });
  if (SYSTEM_FILES.has(type))
    throw new AppError('invalid_request', `${what} is a part of the system, not of the workspace`);
}

/** Without empty parts and `.`. */
export function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function startsWith(parts: readonly string[], start: readonly string[]): boolean {
  return start.every((part, index) => parts[index] === part);
}

async function idOf(folder: string): Promise<string | undefined> {
  const status = await stat(folder, { bigint: true }).catch(() => undefined);
  return status && `${status.dev}:${status.ino}`;
}
