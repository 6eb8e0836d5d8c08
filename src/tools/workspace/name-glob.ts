import { compileGlob } from '../../core/glob.ts';

/** A glob of paths; one without a slash is of names, in whatever folder. @throws Error that says what is wrong with it. */
export function compileNameGlob(glob: string): (path: string) => boolean {
  return compileGlob(glob.includes('/') ? glob : `**/${glob}`);
}
