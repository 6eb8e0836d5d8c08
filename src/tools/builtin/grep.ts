import { z } from 'zod';
import { defineTool } from '../tool.ts';
import { foundFolder, openFound } from '../workspace/access.ts';
import { askedFolders } from '../workspace/asked-folders.ts';
import { FileSearch } from '../workspace/file-search.ts';
import { compileExpression } from '../workspace/line-search.ts';
import { compileNameGlob } from '../workspace/name-glob.ts';
import { WorkspacePath } from '../workspace/path-argument.ts';
import { Tree } from '../workspace/tree.ts';
import { withPath } from '../workspace/walk.ts';

const MAX_ENTRIES = 200_000;
const MAX_MS = 30_000;

/** Finds lines of the workspace's files. */
export const grep = defineTool({
  name: 'grep',
  description:
    'Finds lines of the text files of the workspace that match a regular expression (RE2: no look-around, no ' +
    'back-references): `path:line: text`, and `path-line- text` for what is around. Leaves out what .gitignore does, .git ' +
    'and node_modules, unless the glob or the path names them, and files that may hold secrets. Links are not followed.',
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({
    pattern: z.string().min(1).describe('The regular expression; it is held against each line.'),
    path: WorkspacePath.default('.').describe('The folder or file to search.'),
    glob: z
      .string()
      .min(1)
      .optional()
      .describe('Only files that match: `*.ts`, or `src/**/*.ts` relative to the path.'),
    ignoreCase: z.boolean().default(false),
    context: z.int().min(0).max(20).default(0).describe('How many lines before and after each match to show.'),
    limit: z.int().min(1).max(1000).default(100).describe('How many matching lines to show at most.'),
  }),
  rulesOn: ['path'],
  subjects: ({ path }) => ({ paths: [path] }),
  run: async ({ pattern, path: given, glob, ignoreCase, context: around, limit }, context) => {
    const expression = await compileExpression(pattern, ignoreCase);
    const isMatch = glob === undefined ? undefined : compileNameGlob(glob);
    return await withPath(context, given, async (found, root) => {
      const { grant, signal } = context;
      const search = new FileSearch({ expression, context: around, limit, signal, grant });
      if (found.kind === 'file') {
        await search.content(await openFound(found, given, grant), found.path);
        return { text: search.text(), isError: false };
      }
      const folder = foundFolder(found, given, grant);
      const above = found.kind === 'folder' ? found.above : [];
      const asked = askedFolders(glob ?? '');
      const tree = new Tree({ root, grant, signal, asked, maxEntries: MAX_ENTRIES, maxMs: MAX_MS });
      const start = folder.path === '.' ? 0 : folder.path.length + 1;
      for await (const file of tree.files(folder, above)) {
        if (file.kind !== 'file' || isMatch?.(file.path.slice(start)) === false) continue;
        await search.file(file);
        if (search.isFull) break;
      }
      return { text: search.text(tree), isError: false };
    });
  },
});
