import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folders of the kernel's in which this process may make cgroups. In version 2 both are the same. */
export interface CgroupFolders {
  version: 1 | 2;
  memory: string;
  pids: string;
}

/**
 * Where this process may make cgroups that bound memory and processes: in its own, or in version 2 beside it, since one
 * that has processes cannot have parts that are bounded. Undefined: nowhere.
 */
export function findCgroupFolders(): CgroupFolders | undefined {
  const mounts = readMounts(read('/proc/self/mountinfo'));
  const own = readOwn(read('/proc/self/cgroup'));
  const first = versionOne(mounts, own);
  if (first) return first;
  const unified = folderOf(
    mounts.find(({ type }) => type === 'cgroup2'),
    own.get(''),
  );
  for (const folder of unified === undefined ? [] : [unified, dirname(unified)])
    if (canBound(folder)) return { version: 2, memory: folder, pids: folder };
  return undefined;
}

interface Mount {
  /** Which part of the hierarchy is there. */
  root: string;
  point: string;
  type: string;
  options: string[];
}

/** `36 31 0:33 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids` */
function readMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = left.split(' ');
    const [type = '', , options = ''] = right.split(' ');
    return type.startsWith('cgroup') ? [{ root, point, type, options: options.split(',') }] : [];
  });
}

/** `8:pids:/a/b`, `0::/a/b`: a path for each controller; that of version 2 has no name. */
function readOwn(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  return new Map(lines.flatMap((match) => (match?.[1] ?? '-').split(',').map((name) => [name, match?.[2] ?? ''])));
}

function versionOne(mounts: readonly Mount[], own: ReadonlyMap<string, string>): CgroupFolders | undefined {
  const [memory, pids] = ['memory', 'pids'].map((name) => {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(name));
    const folder = folderOf(mount, own.get(name));
    return folder !== undefined && canWrite(folder) ? folder : undefined;
  });
  return memory === undefined || pids === undefined ? undefined : { version: 1, memory, pids };
}

/** A container sees its own part of the hierarchy as the whole, or the whole path without being able to go there. */
function folderOf(mount: Mount | undefined, path: string | undefined): string | undefined {
  if (mount === undefined || path === undefined) return undefined;
  const isBelow = mount.root !== '/' && path.startsWith(mount.root);
  const folder = join(mount.point, isBelow ? path.slice(mount.root.length) : path);
  return [folder, mount.point].find((one) => existsSync(one));
}

/** Does a cgroup that is made in it get the controllers? */
function canBound(folder: string): boolean {
  const given = read(join(folder, 'cgroup.subtree_control')).trim().split(' ');
  return given.includes('memory') && given.includes('pids') && canWrite(folder);
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
