import { readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mask } from './masks.ts';

/** Where programs are found inside, and where `bwrap` itself is looked for. */
export const SANDBOX_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const HOME = '/home/sandbox';
const SHARED_MEMORY_BYTES = 64 * 1024 ** 2;

const ENVIRONMENT = { PATH: SANDBOX_PATH, HOME, LANG: 'C.UTF-8', TERM: 'dumb' };

const PROGRAMS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Folders that programs read of /etc. Whatever may hold a secret is not among them. */
const SETTINGS = ['alternatives', 'crypto-policies', 'fonts', 'ssl/certs', 'terminfo'].map((name) => `/etc/${name}`);

/**
 * Files that programs read of /etc. They are copied: each mount makes the start of a sandbox slower, and all later ones as
 * well.
 */
export const SETTING_FILES = [
  'group',
  'host.conf',
  'hosts',
  'ld.so.cache',
  'locale.alias',
  'localtime',
  'magic',
  'mime.types',
  'nsswitch.conf',
  'os-release',
  'passwd',
  'protocols',
  'services',
  'ssl/openssl.cnf',
  'timezone',
].map((name) => `/etc/${name}`);

/**
 * Switches of the kernel which root may turn without any capability. `bwrap` covers `bus` and `irq`, but not `sys`, where
 * `kernel/core_pattern` names a program that the host then starts as root.
 */
const SWITCHES = ['acpi', 'asound', 'fs', 'mtrr', 'pressure', 'scsi', 'sys', 'sysrq-trigger'].map(
  (name) => `/proc/${name}`,
);

/** A folder or file of the host that is seen inside, to read, at a place of its own. */
export interface Shown {
  from: string;
  to: string;
}

/** What a sandbox is made of, besides its surroundings. */
export interface OpenParts {
  /** Numbers of open files, from which copies of those of /etc are read, by where they are. */
  settings: ReadonlyMap<string, number>;
  /** The same for the copies among the masks, one after another. */
  copies: readonly number[];
  /** The path of an empty file, which is put over others: of a device like /dev/null, git would not know what to make. */
  empty: string;
}

/** What a sandbox is made around. Folders are absolute. */
export interface Surroundings {
  workspace: string;
  isReadOnly: boolean;
  masks: readonly Mask[];
  shown: readonly Shown[];
  environment: Readonly<Record<string, string>>;
  /** Bytes of `/tmp`, and of the home folder; undefined: neither these nor shared memory are bounded. */
  scratch: number | undefined;
}

/**
 * Arguments of `bwrap`, up to and without the command: no network, nobody else's processes, only the system's programs
 * to read, private /tmp and home, and the workspace under its own path.
 */
export function sandboxArguments(surroundings: Surroundings, parts: OpenParts): string[] {
  const { workspace, isReadOnly, shown, environment, scratch } = surroundings;
  return [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--hostname', 'sandbox'],
    // As root, bwrap would leave them all: with them, a command can make what is read-only writable again.
    ...['--cap-drop', 'ALL'],
    ...PROGRAMS.flatMap(program),
    ...SETTINGS.flatMap(readOnly),
    ...[...parts.settings].flatMap(([path, file]) => ['--perms', '0444', '--file', `${file}`, path]),
    ...['--proc', '/proc', ...SWITCHES.flatMap(readOnly)],
    ...['--dev', '/dev', ...space(scratch && SHARED_MEMORY_BYTES, '/dev/shm'), '--remount-ro', '/dev'],
    ...[...space(scratch, '/tmp'), ...space(scratch, HOME)],
    ...[isReadOnly ? '--ro-bind' : '--bind', workspace, workspace],
    ...maskArguments(surroundings, parts),
    ...shown.flatMap(({ from, to }) => ['--dir', dirname(to), '--ro-bind', from, to]),
    // What is left of the root is a tmpfs too, which nothing should be written to.
    ...['--remount-ro', '/', '--chdir', workspace, '--clearenv'],
    ...Object.entries({ ...ENVIRONMENT, ...environment }).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}

function maskArguments({ workspace, isReadOnly, masks }: Surroundings, { copies, empty }: OpenParts): string[] {
  const files = copies.values();
  return masks.flatMap((mask) => {
    const path = join(workspace, mask.path);
    if (mask.kind === 'pinned') return [isReadOnly ? '--ro-bind' : '--bind', path, path];
    if (mask.kind === 'fixed') return ['--ro-bind', path, path];
    if (mask.kind === 'folder') return ['--tmpfs', path, '--remount-ro', path];
    return mask.kind === 'file' ? ['--ro-bind', empty, path] : ['--ro-bind-data', `${files.next().value}`, path];
  });
}

/** Most are links into /usr, which as such cost nothing. */
function program(path: string): string[] {
  try {
    return ['--symlink', readlinkSync(path), path];
  } catch {
    return readOnly(path);
  }
}

function space(bytes: number | undefined, folder: string): string[] {
  if (bytes === undefined) return ['--tmpfs', folder];
  return ['--size', `${bytes}`, '--tmpfs', folder];
}

function readOnly(path: string): string[] {
  return ['--ro-bind-try', path, path];
}
