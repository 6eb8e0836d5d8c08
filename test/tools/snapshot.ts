import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that could have been changed below a folder: names, kinds, modes, owners, times, contents. */
export function snapshot(folder: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })].sort()) {
    const path = join(folder, name);
    const found = lstatSync(path, { bigint: true });
    const { mode, uid, gid, size, mtimeNs, ctimeNs, nlink, ino } = found;
    const content = found.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : found.isSymbolicLink()
        ? readlinkSync(path)
        : '';
    all[name] = [mode, uid, gid, size, mtimeNs, ctimeNs, nlink, ino, content].join(' ');
  }
  return all;
}
