import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { AppError, NotFoundError } from '../errors.ts';
import type { ToolContext } from './tool.ts';

type Place = Pick<ToolContext, 'workspace' | 'hidden'>;

/** A path as a tool's argument. */
export const WorkspacePath = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes('\0'), 'A path has no NUL')
  .describe('Within the workspace: relative to it, or absolute.');

/**
 * Where a path of the workspace really is, absolute and without links. Of what is not there yet the last folder that is
 * there counts.
 * @param given relative to the workspace, or absolute.
 * @throws AppError `invalid_request` if it is outside, is the server's own, or leads nowhere.
 */
export async function pathInWorkspace({ workspace, hidden }: Place, given: string): Promise<string> {
  try {
    const root = await realpath(workspace);
    const real = await realPathOf(resolve(workspace, given));
    if (hidden.some((folder) => isWithin(folder, real)))
      throw new AppError('invalid_request', `${JSON.stringify(given)} is the server’s own`);
    if (isWithin(root, real)) return real;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('invalid_request', `${JSON.stringify(given)} cannot be reached: ${(error as Error).message}`, {
      cause: error,
    });
  }
  throw new AppError('invalid_request', `${JSON.stringify(given)} is outside the workspace`);
}

/** The same for what must be there already. @throws AppError `not_found` too. */
export async function existingPathInWorkspace(place: Place, given: string): Promise<string> {
  const path = await pathInWorkspace(place, given);
  if (!(await isThere(path))) throw new NotFoundError('Path', given);
  return path;
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    // What is written through such a link would be made somewhere else.
    if (await isThere(path)) throw new Error(`${path} is a link to something that is not there`);
    return join(await realPathOf(parent), basename(path));
  }
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
