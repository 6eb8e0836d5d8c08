import { chmodSync, constants, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adoptNextKey } from '../secret-key.ts';
import { isSameFile } from './key-of-database.ts';
import { KEY_FILE } from './manifest.ts';
import { settle } from './sqlite-place.ts';

/** What becomes of the key in the home folder. */
export interface KeyRestore {
  /**
   * Puts the backup's key beside the one that is there, and copies of the keys that it replaces aside. Until `adopt`, the
   * database says which of the two counts.
   */
  prepare(): void;
  /** From now on the database may be in place: `discard` does nothing any more. */
  place(): void;
  /** Once the database is in place. @returns where the keys from before are now. @throws Error for a person */
  adopt(): string[];
  /** Instead of it, if the database is not in place. */
  discard(): void;
}

const NOTHING: KeyRestore = { prepare: () => {}, place: () => {}, adopt: () => [], discard: () => {} };

/**
 * Prepares for the key of a backup to take the place of the one in the home folder, as a rotation does: at every moment
 * there is the key of the database that is in place.
 * @param from the backup's key; undefined: it has none, and the one that is there stays.
 * @param stamp part of the name of what is put aside; undefined: then another key is refused.
 * @throws Error for a person
 */
export function keyRestore(from: string | undefined, home: string, stamp: string | undefined): KeyRestore {
  const file = join(home, KEY_FILE);
  if (from === undefined || (existsSync(file) && isSameFile(from, file))) return NOTHING;
  const next = `${file}.next`;
  // That of a rotation that was cut off may be the one that counts.
  const others = [file, next].filter((one) => existsSync(one) && !isSameFile(from, one));
  if (others.length > 0 && stamp === undefined) {
    throw new Error(`${others.join(', ')} is another key than that of the backup; with --replace it is put aside`);
  }
  const copies = others.map((one) => [one, `${one}.replaced-${stamp}`] as const);
  const made: (readonly [string, string])[] = [];
  const isThere = existsSync(next) && !others.includes(next);
  let isWritten = false;
  let mayBePlaced = false;
  return {
    prepare: () => {
      for (const copy of copies) {
        copyKey(...copy);
        made.push(copy);
      }
      settle(home);
      if (isThere) return;
      isWritten = true;
      rmSync(next, { force: true });
      writeFileSync(next, readFileSync(from), { flag: 'wx', mode: 0o600 });
      settle(next);
      settle(home);
    },
    place: () => {
      mayBePlaced = true;
    },
    adopt: () => {
      try {
        adoptNextKey(home);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`the database is in place, its key is in ${next}, where the next start finds it: ${why}`);
      }
      return made.map(([, aside]) => aside);
    },
    discard: () => {
      if (mayBePlaced) return;
      if (isWritten) rmSync(next, { force: true });
      for (const [one, aside] of made) {
        if (one === next && isWritten) copyKey(aside, next);
        rmSync(aside);
      }
    },
  };
}

function copyKey(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL);
  chmodSync(to, 0o600);
  settle(to);
}
