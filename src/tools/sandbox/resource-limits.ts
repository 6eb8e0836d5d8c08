import { release } from 'node:os';
import type { Limits } from './limits.ts';

/** The watch, which ends the whole command and can say why, comes first. */
const CPU_GRACE_SECONDS = 2;
const MORE_TASKS = 64;
/** The first kernel that counts the processes of a user namespace by themselves, not with all others of the user. */
const COUNTS_IN_NAMESPACE = [5, 14] as const;

/**
 * A line for /bin/sh that has the kernel bound each process started after it. What a shell or a hard limit does not allow
 * is left as it is. Sizes of files are in blocks of 512 bytes in every shell that is `sh`.
 * @param hasCgroup is memory bounded better already?
 */
export function resourceLimits(limits: Limits, hasCgroup: boolean): string {
  const lines = [
    // A core dump would be written into the workspace.
    'ulimit -c 0',
    `ulimit -f ${Math.ceil(limits.fileSize / 512)}`,
    `ulimit -n ${limits.openFiles}`,
    `ulimit -t ${limits.cpuSeconds + CPU_GRACE_SECONDS}`,
  ];
  // Twice: a program may well ask for more than it uses.
  if (!hasCgroup) lines.push(`ulimit -d ${Math.ceil((2 * limits.memory) / 1024)}`);
  // Of root it bounds nothing. Shells call it by different letters.
  const tasks = limits.tasks + MORE_TASKS;
  if (countsInNamespace(release())) lines.push(`ulimit -u ${tasks} 2>/dev/null || ulimit -p ${tasks}`);
  return lines.map((line) => `${line} 2>/dev/null`).join('; ');
}

function countsInNamespace(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return major > COUNTS_IN_NAMESPACE[0] || (major === COUNTS_IN_NAMESPACE[0] && minor >= COUNTS_IN_NAMESPACE[1]);
}
