import { z } from 'zod';
import { DIFF_FLAGS, FolderInput, gitSubjects, openRepository, PathsInput } from '../git/repository.ts';
import { pathArguments, RangeInput, revisionArguments } from '../git/revision.ts';
import { runWithoutSecrets } from '../git/secrets.ts';
import type { SandboxOptions } from '../sandbox/choose-sandbox.ts';
import { defineTool, type Tool } from '../tool.ts';

const LINE = '%h %ad %an%d: %s';
const WHOLE = 'commit %H%nauthor: %an <%ae>%ndate: %ad%n%n%w(0,4,4)%B';

/** Shows commits of a repository. */
export function gitLogTool(options: SandboxOptions): Tool {
  return defineTool({
    name: 'git_log',
    description:
      'Shows the commits of a git repository, the newest first: a line each, or whole messages and, with `patch`, ' +
      'what they changed. Files that may hold secrets are left out of that.',
    level: 'safe',
    effect: 'read',
    isForSandbox: true,
    input: z.strictObject({
      folder: FolderInput,
      paths: PathsInput,
      range: RangeInput.describe('Where to begin (a branch, a commit), or a range (main..feature); HEAD if not given.'),
      limit: z.int().min(1).max(200).default(20).describe('How many commits at most.'),
      messages: z.boolean().default(false).describe('Whole messages, not only their first lines.'),
      patch: z.boolean().default(false).describe('Also what each has changed.'),
    }),
    rulesOn: ['path'],
    subjects: ({ folder, paths }) => gitSubjects(folder, paths),
    run: async ({ folder, paths, range, limit, messages, patch }, context) => {
      const repository = await openRepository(options, context, folder);
      const flags = ['--no-show-signature', '--decorate=short', '--date=iso-strict', `--max-count=${limit}`];
      const before = ['log', ...DIFF_FLAGS, ...flags];
      const format = `--format=${messages || patch ? WHOLE : LINE}`;
      const after = revisionArguments(range);
      // A commit of nothing but what is left out is a commit all the same.
      const all = paths.length === 0 ? ['--full-history', '--sparse'] : [];
      const args = { before, naming: ['--name-only', '--format='], showing: ['--patch', format, ...all], after };
      const text = patch
        ? await runWithoutSecrets(repository, context.grant, args, paths)
        : await repository.run([...before, '--no-patch', format, ...after, ...pathArguments(paths)]);
      return { text: text === '' ? 'There are no such commits.' : text, isError: false };
    },
  });
}
