/** Where programs are found inside, and where `bwrap` itself is looked for. */
export const SANDBOX_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const HOME = '/home/sandbox';

const ENVIRONMENT = { PATH: SANDBOX_PATH, HOME, LANG: 'C.UTF-8', TERM: 'dumb' };

const PROGRAMS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** What programs read of /etc. Whatever may hold a secret is not among it. */
const SETTINGS = [
  'alternatives',
  'crypto-policies',
  'fonts',
  'group',
  'host.conf',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.alias',
  'localtime',
  'magic',
  'mime.types',
  'nsswitch.conf',
  'os-release',
  'passwd',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
].map((name) => `/etc/${name}`);

/**
 * Switches of the kernel which root may turn without any capability. `bwrap` covers some of them, but not `sys`, where
 * `kernel/core_pattern` names a program that the host then starts as root.
 */
const SWITCHES = ['acpi', 'asound', 'bus', 'fs', 'irq', 'mtrr', 'pressure', 'scsi', 'sys', 'sysrq-trigger'].map(
  (name) => `/proc/${name}`,
);

/** What a sandbox is made around. Folders are absolute. */
interface Surroundings {
  workspace: string;
  isReadOnly: boolean;
  /** In the workspace; are found empty. */
  hidden: readonly string[];
}

/**
 * Arguments of `bwrap`, up to and without the command: no network, nobody else's processes, only the system's programs
 * to read, private /tmp and home, and the workspace under its own path.
 */
export function sandboxArguments({ workspace, isReadOnly, hidden }: Surroundings): string[] {
  return [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--hostname', 'sandbox'],
    // As root, bwrap would leave them all: with them, a command can make what is read-only writable again.
    ...['--cap-drop', 'ALL'],
    ...PROGRAMS.flatMap(readOnly),
    ...SETTINGS.flatMap(readOnly),
    ...['--proc', '/proc', ...SWITCHES.flatMap(readOnly)],
    ...['--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', HOME],
    ...[isReadOnly ? '--ro-bind' : '--bind', workspace, workspace],
    ...hidden.flatMap((folder) => ['--tmpfs', folder]),
    // What is left of the root is a tmpfs too, which nothing should be written to.
    ...['--remount-ro', '/', '--chdir', workspace, '--clearenv'],
    ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}

function readOnly(path: string): string[] {
  return ['--ro-bind-try', path, path];
}
