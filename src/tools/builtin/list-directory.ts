import { z } from 'zod';
import { defineTool, type Grant } from '../tool.ts';
import { foundFolder } from '../workspace/access.ts';
import type { Folder, ListedName } from '../workspace/folder.ts';
import { WorkspacePath } from '../workspace/path-argument.ts';
import { printedEntry, printedName } from '../workspace/printed-name.ts';
import { withPath } from '../workspace/walk.ts';

const MAX_ENTRIES = 1000;
const MAX_CHARS = 27_000;

/** Lists a folder of the workspace. */
export const listDirectory = defineTool({
  name: 'list_directory',
  description:
    'Lists a folder of the workspace, one entry a line: folders as `name/`, files with their size in bytes, links with ' +
    'where they lead.',
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({ path: WorkspacePath.default('.') }),
  rulesOn: ['path'],
  subjects: ({ path }) => ({ paths: [path] }),
  run: ({ path: given }, context) =>
    withPath(context, given, async (found) => {
      const { grant, signal } = context;
      const folder = foundFolder(found, given, grant);
      const entries = (await folder.list()).filter((entry) => isShown(folder, entry, grant));
      signal.throwIfAborted();
      entries.sort((a, b) => (a.raw < b.raw ? -1 : 1));
      const lines: string[] = [];
      let chars = 0;
      for (const entry of entries.slice(0, MAX_ENTRIES)) {
        const line = await lineOf(folder, entry);
        lines.push(line);
        chars += line.length + 1;
        if (chars > MAX_CHARS) break;
      }
      signal.throwIfAborted();
      const more = entries.length - lines.length;
      if (more > 0) lines.push(`[… and ${more} more entries …]`);
      return { text: lines.length === 0 ? '(an empty folder)' : lines.join('\n'), isError: false };
    }),
});

function isShown(folder: Folder, { name }: ListedName, grant: Grant): boolean {
  return name === undefined || !grant.hidesPath(folder.pathOf(name));
}

async function lineOf(folder: Folder, entry: ListedName): Promise<string> {
  const printed = printedEntry(entry);
  const { name, kind } = entry;
  if (kind === 'folder') return `${printed}/`;
  if (name === undefined) return printed;
  try {
    if (kind === 'link') {
      const target = await folder.readLink(name);
      return `${printed} -> ${target === undefined ? '(unknown)' : printedName(target)}`;
    }
    const { size } = await folder.status(name);
    return kind === 'file' ? `${printed} (${size} bytes)` : `${printed} (neither file nor folder)`;
  } catch {
    return `${printed} (gone)`;
  }
}
