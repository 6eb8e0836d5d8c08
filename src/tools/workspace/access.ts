import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { AppError, NotFoundError } from '../../errors.ts';
import type { Grant } from '../tool.ts';
import type { Entry, Folder } from './folder.ts';
import { pathOfHandle } from './open-handles.ts';
import { isSecretPath } from './secret-path.ts';
import type { Found } from './walk.ts';

/**
 * Is the call allowed to touch what the path has really led to? The policy was asked before, about where it led then.
 * @throws AppError `forbidden`
 */
function assertAllowed({ path }: Pick<Found, 'path'>, given: string, grant: Grant): void {
  const name = leadsTo(given, path);
  if (grant.hidesPath(path)) throw new AppError('forbidden', `A rule keeps ${name} from this tool`);
  if (isSecretPath(path) && !grant.opensSecret(path))
    throw new AppError('forbidden', `${name} may hold a secret, and this call was not allowed to touch it`);
}

/**
 * The same for what is to be written. What git does is said in its own folder (hooks, programs for its pager, its diffs):
 * whoever could write there could have programs run by a harmless `git status`.
 * @throws AppError `forbidden`
 */
export function assertWritable(found: Pick<Found, 'path'>, given: string, grant: Grant): void {
  assertAllowed(found, given, grant);
  if (found.path.split('/').some((name) => name.toLowerCase() === '.git'))
    throw new AppError('forbidden', `${leadsTo(given, found.path)} is git’s own; git commands change it`);
}

/** The folder that a path has led to. @throws AppError `not_found`, `invalid_request`, `forbidden` */
export function foundFolder(found: Found, given: string, grant: Grant): Folder {
  assertAllowed(found, given, grant);
  if (found.kind === 'nothing') throw new NotFoundError('Path', given);
  if (found.kind !== 'folder') throw new AppError('invalid_request', `${JSON.stringify(given)} is not a folder`);
  return found.folder;
}

/** The file that a path has led to, open to read. @throws AppError `not_found`, `invalid_request`, `forbidden` */
export async function openFound(found: Found, given: string, grant: Grant): Promise<FileHandle> {
  assertAllowed(found, given, grant);
  if (found.kind === 'nothing') throw new NotFoundError('Path', given);
  if (found.kind !== 'file') throw new AppError('invalid_request', `${JSON.stringify(given)} is not a file`);
  if (hasOtherNames(found.entry))
    throw new AppError(
      'invalid_request',
      `${JSON.stringify(given)} has more than one name (hard links), and may belong to another place: a copy of it could be used`,
    );
  return await openEntry(found.folder, found.entry);
}

/** Does it have a name elsewhere, where it may mean something else? */
export function hasOtherNames({ status }: Entry): boolean {
  return status.nlink > 1n;
}

/** Opens exactly what was looked at, which is a file, to read. */
export function openEntry(folder: Folder, { handle }: Entry): Promise<FileHandle> {
  return folder.handles.open(pathOfHandle(handle), constants.O_RDONLY | constants.O_NONBLOCK);
}

function leadsTo(given: string, path: string): string {
  return given === path ? JSON.stringify(given) : `${JSON.stringify(path)}, where ${JSON.stringify(given)} leads,`;
}
