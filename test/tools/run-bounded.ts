import { text } from 'node:stream/consumers';
import { cgroupFolders } from '../../src/tools/sandbox/cgroup.ts';
import { probeSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import type { SandboxCommand } from '../../src/tools/sandbox/sandbox.ts';
import { unsandboxed } from '../../src/tools/sandbox/unsandboxed.ts';

// Stands for a server in a process of its own, which a test can bound: runs the commands that come in on standard input, as
// JSON, one after another, and writes a line for each: its result, and the memory that the server takes.

export interface BoundedRun {
  where: 'sandbox' | 'sandbox without cgroups' | 'no sandbox';
  commands: readonly (Pick<SandboxCommand, 'command' | 'workspace' | 'isReadOnly'> & Partial<SandboxCommand>)[];
}

const { where, commands } = JSON.parse(await text(process.stdin)) as BoundedRun;
const sandbox =
  where === 'no sandbox' ? unsandboxed : await probeSandbox('bwrap', where === 'sandbox' ? cgroupFolders() : undefined);
for (const command of commands) {
  const result = await sandbox?.run({ ...command, signal: new AbortController().signal });
  const memory = process.memoryUsage().rss;
  process.stdout.write(`${JSON.stringify({ ...result, output: result?.output.slice(-1000), memory })}\n`);
}
