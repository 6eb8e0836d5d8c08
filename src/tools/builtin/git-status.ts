import { z } from 'zod';
import { FolderInput, gitSubjects, openRepository, PathsInput } from '../git/repository.ts';
import { pathArguments } from '../git/revision.ts';
import { isKept, noteOn } from '../git/secrets.ts';
import type { SandboxOptions } from '../sandbox/choose-sandbox.ts';
import { defineTool, type Tool } from '../tool.ts';

const FLAGS = ['--porcelain=v1', '--branch', '-z', '--untracked-files=normal', '--ignore-submodules=dirty'];

/** Shows what has changed in a repository. */
export function gitStatusTool(options: SandboxOptions): Tool {
  return defineTool({
    name: 'git_status',
    description:
      'Shows the branch of a git repository and which of its files are staged, changed or untracked, as ' +
      '`git status --short --branch` does. Submodules are not looked into.',
    level: 'safe',
    effect: 'read',
    isForSandbox: true,
    input: z.strictObject({ folder: FolderInput, paths: PathsInput }),
    rulesOn: ['path'],
    subjects: ({ folder, paths }) => gitSubjects(folder, paths),
    run: async ({ folder, paths }, context) => {
      const repository = await openRepository(options, context, folder);
      const output = await repository.run(['status', ...FLAGS, '--no-renames', ...pathArguments(paths)]);
      const entries = output.split('\0').filter((entry) => entry !== '');
      // The sandbox shows them empty, so git would say that they were changed.
      const isHidden = (entry: string): boolean =>
        !entry.startsWith('##') && isKept(context.grant, repository.inWorkspace(entry.slice(3)));
      const kept = entries.filter(isHidden).map((entry) => entry.slice(3));
      const lines = entries.filter((entry) => !isHidden(entry)).map(readable);
      if (lines.length === 1 && kept.length === 0) lines.push('nothing has changed');
      return { text: `${lines.join('\n')}\n${kept.length === 0 ? '' : noteOn(kept)}`, isError: false };
    },
  });
}

/** A name that has a line break takes no line of its own. */
function readable(entry: string): string {
  return /[\n\r\t]/.test(entry) ? `${entry.slice(0, 3)}${JSON.stringify(entry.slice(3))}` : entry;
}
