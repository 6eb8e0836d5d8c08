import { z } from 'zod';
import { chooseSandbox, NO_SANDBOX, type SandboxOptions } from '../sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS, describeExceeded, describeExit } from '../sandbox/limits.ts';
import type { SandboxResult } from '../sandbox/sandbox.ts';
import { defineTool, type Tool, type ToolOutcome } from '../tool.ts';

const DEFAULT_TIMEOUT_S = 120;
/** Whoever watches a command that never stops to write needs an end as well. */
const MAX_PROGRESS_CHARS = 100_000;

/** Runs commands in the sandbox. */
export function execTool(options: SandboxOptions): Tool {
  return defineTool({
    name: 'exec',
    description:
      'Runs a command line with /bin/sh in the workspace, isolated: without network unless a rule allows hosts, and ' +
      'with a /tmp and a home folder that are empty at first and gone afterwards. Files that may hold secrets are empty. ' +
      'Returns standard output and standard error together. ' +
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
    rulesOn: ['command', 'path', 'host'],
    subjects: ({ command }) => ({ command }),
    // A rule for exactly this command does not care for how long it may take.
    identity: ({ command }) => ({ command }),
    run: async ({ command, timeout }, { workspace, hidden, mode, grant, signal, progress }) => {
      const sandbox = await chooseSandbox(options, mode);
      if (sandbox === undefined) return { text: NO_SANDBOX, isError: true };
      const result = await sandbox.run({
        ...{ command, workspace, hidden, grant, signal },
        isReadOnly: mode === 'sandbox',
        hostRule: mode !== 'sandbox' && grant.hasHosts ? (host, port) => grant.hostRule(host, port) : undefined,
        timeoutMs: timeout * 1000,
        onOutput: bounded(progress),
      });
      return outcomeOf(result, timeout);
    },
  });
}

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

function outcomeOf(result: SandboxResult, timeout: number): ToolOutcome {
  const { output, exitCode, refusals = [] } = result;
  const notes = refusals.map((why) => `[network: ${why}]`);
  const isError = exitCode !== 0 || result.exceeded !== undefined;
  if (isError) notes.push(`[${endOf(result, timeout)}]`);
  if (notes.length === 0) return { text: output === '' ? '(no output)' : output, isError };
  const isOnOwnLine = output === '' || output.endsWith('\n');
  return { text: `${output}${isOnOwnLine ? '' : '\n'}${notes.join('\n')}`, isError };
}

function endOf({ exitCode, signal, hasTimedOut, exceeded }: SandboxResult, timeout: number): string {
  if (exceeded !== undefined) return `killed: ${describeExceeded(exceeded, DEFAULT_LIMITS)}`;
  if (hasTimedOut) return `stopped: it was not done after ${timeout} s`;
  if (exitCode === undefined) return `ended by ${signal}`;
  const why = describeExit(exitCode, DEFAULT_LIMITS);
  return `exit code ${exitCode}${why === undefined ? '' : `: ${why}`}`;
}
