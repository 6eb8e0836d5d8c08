import { cgroupFolders } from './cgroup.ts';
import type { CgroupFolders } from './cgroup-folders.ts';
import { inheritedFiles } from './inherited-files.ts';
import { runIn } from './run.ts';
import type { Sandbox } from './sandbox.ts';

const PROBE_TIMEOUT_MS = 10_000;

/** Keeps commands from making sandboxes of their own. Not every `bwrap` and not every container can. */
const NO_NESTING = ['--unshare-user', '--disable-userns'];

/** The best first. */
const KINDS = [
  { flags: NO_NESTING, hasSizes: true },
  { flags: [], hasSizes: true },
  { flags: [], hasSizes: false },
];

let found: Promise<Sandbox | undefined> | undefined;

/** The sandbox of this host, or undefined if `bwrap` is not there or does not work. It is tried once. */
export function findSandbox(): Promise<Sandbox | undefined> {
  found ??= probeSandbox('bwrap', cgroupFolders());
  return found;
}

/**
 * Tries a `bwrap`.
 * @param program a name or a path.
 * @param cgroups where cgroups can be made; undefined: commands are bounded without.
 */
export async function probeSandbox(program: string, cgroups?: CgroupFolders): Promise<Sandbox | undefined> {
  const hidden = await inheritedFiles();
  for (const { flags, hasSizes } of KINDS) {
    const sandbox: Sandbox = { run: (command) => runIn({ program, flags, hidden, hasSizes, cgroups }, command) };
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const probe = sandbox.run({ command: 'exit 42', workspace: '/usr', isReadOnly: true, signal });
    const result = await probe.catch(() => undefined);
    if (result?.exitCode === 42) return sandbox;
  }
  return undefined;
}
