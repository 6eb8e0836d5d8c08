import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';

// Stands for a server: runs the command of its first argument, and passes on what that writes.

const sandbox = await findSandbox();
await sandbox?.run({
  command: process.argv[2] ?? '',
  workspace: import.meta.dirname,
  isReadOnly: true,
  signal: new AbortController().signal,
  onOutput: (piece) => void process.stdout.write(piece),
});
