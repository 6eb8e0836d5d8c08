import { z } from 'zod';
import { DIFF_FLAGS, FolderInput, gitSubjects, openRepository, PathsInput } from '../git/repository.ts';
import { RangeInput, revisionArguments } from '../git/revision.ts';
import { runWithoutSecrets } from '../git/secrets.ts';
import type { SandboxOptions } from '../sandbox/choose-sandbox.ts';
import { defineTool, type Tool } from '../tool.ts';

/** Shows differences in a repository. */
export function gitDiffTool(options: SandboxOptions): Tool {
  return defineTool({
    name: 'git_diff',
    description:
      'Shows what has changed in a git repository: between the index and the files, or what is staged, or since a ' +
      'commit, or between two. Files that may hold secrets are left out.',
    level: 'safe',
    effect: 'read',
    isForSandbox: true,
    input: z.strictObject({
      folder: FolderInput,
      paths: PathsInput,
      staged: z.boolean().default(false).describe('What is staged, compared with the last commit.'),
      range: RangeInput.describe('A commit to compare with (HEAD~3), or two of them (main..feature).'),
      context: z.int().min(0).max(100).default(3).describe('Lines around each change.'),
      stat: z.boolean().default(false).describe('Only how many lines of which files.'),
    }),
    rulesOn: ['path'],
    subjects: ({ folder, paths }) => gitSubjects(folder, paths),
    run: async ({ folder, paths, staged, range, context: lines, stat }, context) => {
      const repository = await openRepository(options, context, folder);
      const args = {
        before: ['diff', ...DIFF_FLAGS, '--ignore-submodules=dirty', ...(staged ? ['--cached'] : [])],
        naming: ['--name-only'],
        showing: stat ? ['--stat'] : [`--unified=${lines}`],
        after: revisionArguments(range),
      };
      const text = await runWithoutSecrets(repository, context.grant, args, paths);
      return { text: text === '' ? 'There is no difference.' : text, isError: false };
    },
  });
}
