import { z } from 'zod';
import { findSandbox, type Sandbox, type SandboxResult } from '../sandbox.ts';
import { defineTool, type Tool, type ToolOutcome } from '../tool.ts';

const DEFAULT_TIMEOUT_S = 120;
/** Whoever watches a command that never stops to write needs an end as well. */
const MAX_PROGRESS_CHARS = 100_000;

const NO_SANDBOX =
  'Commands cannot be run: this host has no working sandbox, and without one none is started. ' +
  'Whoever runs the server can install bubblewrap (`apt-get install bubblewrap`; the program is `bwrap`) ' +
  'and start the server again; the documentation of tools says what else it needs.';

/** Runs commands in the sandbox. @param find where the sandbox comes from. */
export function execTool(find: () => Promise<Sandbox | undefined>): Tool {
  return defineTool({
    name: 'exec',
    description:
      'Runs a command line with /bin/sh in the workspace, isolated: without network, and with a /tmp and a home folder ' +
      'that are empty at first and gone afterwards. Returns standard output and standard error together. ' +
      'It ends when the command ends: what it leaves in the background is killed. There is no input.',
    level: 'dangerous',
    effect: 'unsafe',
    isForSandbox: true,
    input: z.strictObject({
      command: z
        .string()
        .min(1)
        // The system takes 128 KiB; a character has up to three bytes.
        .max(40_000)
        .refine((command) => !command.includes('\0'), 'A command has no NUL'),
      timeout: z.int().min(1).max(600).default(DEFAULT_TIMEOUT_S).describe('Seconds.'),
    }),
    run: async ({ command, timeout }, { workspace, hidden, mode, signal, progress }) => {
      const sandbox = await find();
      if (sandbox === undefined) return { text: NO_SANDBOX, isError: true };
      const result = await sandbox.run({
        ...{ command, workspace, hidden, signal },
        isReadOnly: mode === 'sandbox',
        timeoutMs: timeout * 1000,
        onOutput: bounded(progress),
      });
      return outcomeOf(result, timeout);
    },
  });
}

/** Runs commands in this host's sandbox. */
export const exec = execTool(findSandbox);

/** Passes pieces on until there were too many characters. */
function bounded(progress: (text: string) => void): (piece: string) => void {
  let left = MAX_PROGRESS_CHARS;
  return (piece) => {
    if (left === 0) return;
    progress(piece.slice(0, left));
    left = Math.max(0, left - piece.length);
    if (left === 0) progress('\n[… the command goes on, but no more of its output is shown …]\n');
  };
}

function outcomeOf({ output, exitCode, signal, hasTimedOut }: SandboxResult, timeout: number): ToolOutcome {
  if (exitCode === 0) return { text: output === '' ? '(no output)' : output, isError: false };
  const end = hasTimedOut
    ? `stopped: it was not done after ${timeout} s`
    : exitCode === undefined
      ? `ended by ${signal}`
      : `exit code ${exitCode}`;
  const isOnOwnLine = output === '' || output.endsWith('\n');
  return { text: `${output}${isOnOwnLine ? '' : '\n'}[${end}]`, isError: true };
}
