import type { SecurityMode } from '../tool.ts';
import { cgroupFolders } from './cgroup.ts';
import { findSandbox } from './find-sandbox.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { Sandbox } from './sandbox.ts';
import { unsandboxed } from './unsandboxed.ts';

/** Where a tool's commands run. */
export interface SandboxOptions {
  /** Where the sandbox comes from. */
  find: () => Promise<Sandbox | undefined>;
  /** May commands run without one, in modes other than `sandbox`, if there is none? */
  isUnsandboxedAllowed: boolean;
}

/** What a model reads where there is none. */
export const NO_SANDBOX =
  'Commands cannot be run: this host has no working sandbox, and without one none is started. ' +
  'Whoever runs the server can install bubblewrap (`apt-get install bubblewrap`; the program is `bwrap`) ' +
  'and start the server again; the documentation of tools says what else it needs.';

/** Where a command may run in a mode; undefined: nowhere. */
export async function chooseSandbox(options: SandboxOptions, mode: SecurityMode): Promise<Sandbox | undefined> {
  const found = await options.find();
  if (found !== undefined || mode === 'sandbox' || mode === 'deny') return found;
  return options.isUnsandboxedAllowed ? unsandboxed : undefined;
}

/** What is to be said of the sandbox of this host. */
export interface SandboxState {
  kind: 'bubblewrap' | 'none';
  /** Does the kernel bound a command's processes together (`cgroup`), or does the server only watch them (`watch`)? */
  bounds: 'cgroup' | 'watch';
  limits: Limits;
}

/** Tries the sandbox, if that was not done yet. */
export async function sandboxState(): Promise<SandboxState> {
  const kind = (await findSandbox()) === undefined ? 'none' : 'bubblewrap';
  return { kind, bounds: cgroupFolders() === undefined ? 'watch' : 'cgroup', limits: DEFAULT_LIMITS };
}
