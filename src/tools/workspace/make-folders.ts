import { AppError } from '../../errors.ts';
import { Folder } from './folder.ts';
import { codeOf } from './system-error.ts';

/**
 * Makes folders, each in the one before, and opens them.
 * @returns the last one; `folder` itself if there are none to make.
 * @throws AppError `conflict` if something else got one of the names.
 */
export async function makeFolders(folder: Folder, names: readonly string[]): Promise<Folder> {
  let last = folder;
  for (const name of names) {
    try {
      await last.makeFolder(name);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const entry = await last.look(name);
    const path = last.pathOf(name);
    if (!entry?.status.isDirectory())
      throw new AppError('conflict', `${JSON.stringify(path)} has just been made something else; try again`);
    last = new Folder(path, entry.handle, last.handles);
  }
  return last;
}
