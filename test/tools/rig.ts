import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { onTestFinished } from 'vitest';
import type { Schema } from '../../src/storage/schema.ts';
import type { SandboxOptions } from '../../src/tools/sandbox/choose-sandbox.ts';
import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import type { Grant, ToolContext } from '../../src/tools/tool.ts';

/** What the paths of all folders of these tests begin with. */
export const FOLDER_OF_TESTS = join(realpathSync(tmpdir()), 'profclaw-tools-');

/** A folder for the tools of one test. */
export function testFolder(): string {
  const folder = mkdtempSync(FOLDER_OF_TESTS);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** This host's sandbox, and nothing else. */
export const ONLY_SANDBOX: SandboxOptions = { find: findSandbox, isUnsandboxedAllowed: false };

/** Opens nothing, and hides nothing. */
export const NO_GRANT: Grant = {
  opensSecret: () => false,
  hidesPath: () => false,
  hostRule: () => undefined,
  hasHosts: false,
};

/** Of no use: most tools do without. */
const NO_DATABASE = new Kysely<Schema>({
  dialect: {
    createDriver: () => new DummyDriver(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  },
});

/** What a tool is given, in a new workspace. */
export function toolContext(given: Partial<ToolContext> = {}): ToolContext {
  return {
    db: NO_DATABASE,
    owner: 'local',
    conversationId: 'conv_1',
    workspace: given.workspace ?? testFolder(),
    grant: NO_GRANT,
    mode: 'full',
    signal: new AbortController().signal,
    idempotencyKey: 'call-1',
    hidden: [],
    progress: () => undefined,
    ...given,
  };
}

/** How many processes of this machine have a word in their command line. */
export function countProcesses(word: string): number {
  return processesWith(word).length;
}

/** The command lines with a word in them, their arguments ended by NUL. */
export function commandLines(word: string): string[] {
  return processesWith(word).map(({ line }) => line);
}

/** Ends the processes with a word of a test's own in their command line. */
export function endProcesses(word: string): void {
  for (const { pid } of processesWith(word)) process.kill(pid, 'SIGKILL');
}

function processesWith(word: string): { pid: number; line: string }[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.map((pid) => ({ pid, line: commandLineOf(pid) })).filter(({ line }) => line.includes(word));
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
