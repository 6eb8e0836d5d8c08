import { lstat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { chooseSandbox, NO_SANDBOX, type SandboxOptions } from '../sandbox/choose-sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Subjects, ToolContext } from '../tool.ts';
import { resolvePath } from '../workspace/resolve-path.ts';

/** A repository, and how git is run in it. */
export interface Repository {
  /**
   * Runs git on it, in the sandbox, and so that nothing which the repository's configuration names is run.
   * @returns what it wrote. @throws Error with that if it failed.
   */
  run(args: readonly string[]): Promise<string>;
  /** A path of the repository as one of the workspace. */
  inWorkspace(path: string): string;
}

/** Where the repository is. */
export const FolderInput = z
  .string()
  .min(1)
  .max(1000)
  .refine((path) => !path.includes('\0'), 'A path has no NUL')
  .optional()
  .describe('The folder of the repository, in the workspace; the workspace itself if it is not given.');

/** Which of its files. */
export const PathsInput = z
  .array(
    z
      .string()
      .min(1)
      .max(1000)
      .refine((path) => !path.includes('\0'), 'A path has no NUL'),
  )
  .max(100)
  .default([])
  .describe('Only these files and folders, relative to the folder of the repository.');

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 200_000;
const NOT_FOUND = 127;

const ENVIRONMENT = {
  // Nobody's settings but those of the repository, which are overruled below.
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  // Objects that are not there are not fetched, which would run programs that the configuration names.
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
};

/** Whatever of a configuration names a program that reading would run, or leads to one. */
const SETTINGS = {
  'core.fsmonitor': 'false',
  'core.hooksPath': '/dev/null',
  'core.pager': 'cat',
  'core.editor': 'false',
  'core.sshCommand': 'false',
  'core.gitProxy': '',
  'core.askPass': 'false',
  'core.alternateRefsCommand': 'false',
  'credential.helper': '',
  'diff.external': '',
  'diff.ignoreSubmodules': 'dirty',
  'diff.submodule': 'short',
  'gpg.program': 'false',
  'gpg.ssh.program': 'false',
  'gpg.x509.program': 'false',
  'log.showSignature': 'false',
  'log.follow': 'false',
  'protocol.allow': 'never',
  'submodule.recurse': 'false',
  'status.submoduleSummary': 'false',
  'safe.directory': '*',
};

/** Of `git diff` and `git log`: no programs, and each file by its own name, so that none is shown as another's past. */
export const DIFF_FLAGS = [
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--no-renames',
  '--submodule=short',
] as const;

/** What the policy is to look at. */
export function gitSubjects(folder: string | undefined, paths: readonly string[]): Subjects {
  if (paths.length === 0) return { paths: [folder ?? '.'] };
  return { paths: paths.map((path) => (isAbsolute(path) ? path : join(folder ?? '.', path))) };
}

/** @throws Error that says why there is none, or nothing to look at it with. */
export async function openRepository(
  options: SandboxOptions,
  context: ToolContext,
  folder: string | undefined,
): Promise<Repository> {
  const sandbox = await chooseSandbox(options, context.mode);
  if (sandbox === undefined) throw new Error(NO_SANDBOX);
  const { path } = await resolvePath(context, folder ?? '.');
  const top = join(context.workspace, path);
  const git = join(top, '.git');
  const place = path === '.' ? 'the workspace' : JSON.stringify(path);
  if ((await lstat(git).catch(() => undefined)) === undefined)
    throw new Error(`There is no git repository in ${place}: it has no .git. Name the folder of the repository.`);
  const base = ['-C', top, `--git-dir=${git}`, `--work-tree=${top}`, '--no-pager', '--no-optional-locks'];
  const settings = { ...SETTINGS, ...withoutFilters(await runGit(sandbox, context, [...base, ...LIST_SETTINGS])) };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    run: (args) => runGit(sandbox, context, [...base, ...flags, ...args]),
    inWorkspace: (name) => (path === '.' ? name : `${path}/${name}`),
  };
}

const LIST_SETTINGS = ['config', '--list', '--includes', '--name-only', '-z'];

/** Filters have names of their own, and run also when files are only compared. */
function withoutFilters(names: string): Record<string, string> {
  const drivers = names
    .split('\0')
    .flatMap((name) => /^(filter\..+)\.(?:clean|smudge|process)$/i.exec(name)?.[1] ?? []);
  return Object.fromEntries(
    drivers.flatMap((driver) => [
      [`${driver}.clean`, ''],
      [`${driver}.smudge`, ''],
      [`${driver}.process`, ''],
      [`${driver}.required`, 'false'],
    ]),
  );
}

async function runGit(sandbox: Sandbox, context: ToolContext, args: readonly string[]): Promise<string> {
  const { workspace, hidden, grant, signal } = context;
  const result = await sandbox.run({
    ...{ command: ['git', ...args], workspace, hidden, grant, signal },
    ...{ isReadOnly: true, environment: ENVIRONMENT, timeoutMs: TIMEOUT_MS, maxOutput: MAX_OUTPUT },
  });
  const { output, exitCode, hasTimedOut } = result;
  if (exitCode === 0) return output;
  if (exitCode === NOT_FOUND) throw new Error('git is not installed on this host, or not where the sandbox sees it.');
  if (hasTimedOut) throw new Error(`git was not done after ${TIMEOUT_MS / 1000} s. Ask for less.`);
  throw new Error(output.trim() === '' ? `git failed (exit code ${exitCode})` : output.trim());
}
