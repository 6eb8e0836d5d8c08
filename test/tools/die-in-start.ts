import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';

// Stands for a server that dies while it starts the command of its first argument, so many milliseconds after it has
// begun as its second says.

const [, , command = '', delay] = process.argv;
const sandbox = await findSandbox();
void sandbox?.run({ command, workspace: '/usr', isReadOnly: true, signal: new AbortController().signal });
// The process has begun once `spawn` was called, which is after the workspace was looked at.
setImmediate(function wait() {
  if (process.getActiveResourcesInfo().includes('ProcessWrap')) setTimeout(die, Number(delay));
  else setImmediate(wait);
});

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
