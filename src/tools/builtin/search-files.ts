import { z } from 'zod';
import { compileGlob } from '../../core/glob.ts';
import { defineTool } from '../tool.ts';
import { foundFolder } from '../workspace/access.ts';
import { askedFolders } from '../workspace/asked-folders.ts';
import { WorkspacePath } from '../workspace/path-argument.ts';
import { printedName } from '../workspace/printed-name.ts';
import { Tree } from '../workspace/tree.ts';
import { withPath } from '../workspace/walk.ts';

const MAX_RESULTS = 500;
const MAX_CHARS = 25_000;
const MAX_ENTRIES = 200_000;
const MAX_MS = 20_000;

/** Finds files of the workspace by their names. */
export const searchFiles = defineTool({
  name: 'search_files',
  description:
    'Finds files of the workspace whose paths match a glob: `**/*.ts` anywhere, `src/*.{ts,json}` only in src. One path a ' +
    'line, relative to the workspace, in order. Leaves out what .gitignore does, .git and node_modules, unless the glob or ' +
    'the path names them. Links are not followed.',
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({
    pattern: z.string().min(1).max(1000).describe('The glob, relative to the path.'),
    path: WorkspacePath.default('.').describe('The folder to search.'),
  }),
  rulesOn: ['path'],
  subjects: ({ path }) => ({ paths: [path] }),
  run: ({ pattern, path: given }, context) =>
    withPath(context, given, async (found, root) => {
      const { grant, signal } = context;
      const isMatch = compileGlob(pattern);
      const folder = foundFolder(found, given, grant);
      const above = found.kind === 'folder' ? found.above : [];
      const tree = new Tree({
        root,
        grant,
        signal,
        asked: askedFolders(pattern),
        maxEntries: MAX_ENTRIES,
        maxMs: MAX_MS,
      });
      const start = folder.path === '.' ? 0 : folder.path.length + 1;
      const lines: string[] = [];
      let chars = 0;
      let isCut = false;
      for await (const file of tree.files(folder, above)) {
        if (!isMatch(file.path.slice(start))) continue;
        isCut = lines.length === MAX_RESULTS || chars > MAX_CHARS;
        if (isCut) break;
        const line = printedName(file.path);
        lines.push(line);
        chars += line.length + 1;
      }
      const notes = [
        ...(isCut ? [`only the first ${lines.length}; a narrower glob or path shows the others`] : []),
        ...(tree.stopped === undefined ? [] : [tree.stopped]),
        ...(tree.unreadable === 0 ? [] : [`${tree.unreadable} folders cannot be read`]),
      ];
      if (lines.length === 0) lines.push('(no file matches)');
      if (notes.length > 0) lines.push(`[${notes.join('; ')}]`);
      return { text: lines.join('\n'), isError: false };
    }),
});
