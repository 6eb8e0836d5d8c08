import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { editFile } from '../../../src/tools/builtin/edit-file.ts';
import { grep } from '../../../src/tools/builtin/grep.ts';
import { listDirectory } from '../../../src/tools/builtin/list-directory.ts';
import { readFile } from '../../../src/tools/builtin/read-file.ts';
import { searchFiles } from '../../../src/tools/builtin/search-files.ts';
import { writeFile } from '../../../src/tools/builtin/write-file.ts';
import type { Grant, ToolContext, ToolOutcome } from '../../../src/tools/tool.ts';
import { FOLDER_OF_TESTS, NO_GRANT, testFolder, toolContext } from '../rig.ts';

/** A flag of open(2) that Node has no name for; in `/proc/self/fdinfo` it is octal too. */
const O_PATH = 0o10_000_000;

/** What is outside, and must be seen by nobody. */
export const OUTSIDE = 'what is outside';

/** A workspace, and a folder beside it that holds `secret` and `deep/secret`. */
export function besideOutside(): { context: ToolContext; outside: string; at: (name: string) => string } {
  const base = testFolder();
  const workspace = join(base, 'work');
  const outside = join(base, 'outside');
  for (const folder of ['work/sub', 'outside/deep']) mkdirSync(join(base, folder), { recursive: true });
  for (const file of ['secret', 'deep/secret']) writeFileSync(join(outside, file), `${OUTSIDE}\n`);
  writeFileSync(join(workspace, 'sub/a.txt'), 'inside\n');
  return { context: toolContext({ workspace }), outside, at: (name) => join(workspace, name) };
}

/** Every file tool, called on a path; those that look for names or lines would find all of them. */
export const FILE_TOOLS: Record<string, (path: string, context: ToolContext) => Promise<ToolOutcome>> = {
  read_file: (path, context) => readFile.run({ path }, context),
  write_file: (path, context) => writeFile.run({ path, content: 'written\n' }, context),
  edit_file: (path, context) => editFile.run({ path, old: 'i', new: 'edited', replaceAll: true }, context),
  list_directory: (path, context) => listDirectory.run({ path }, context),
  search_files: (path, context) => searchFiles.run({ path, pattern: '**' }, context),
  grep: (path, context) => grep.run({ path, pattern: '.*' }, context),
};

/** All files below a folder with their contents, links not followed. */
export function contentsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path, readFileSync(path, 'utf8')]),
  );
}

/**
 * How many files this process has open that a file tool has opened: they are in a folder of the tests, or opened only as
 * what they are (`O_PATH`), wherever that is. The runtime has files of its own: a thread of Node's reads the system's
 * certificates while the first test may run already.
 */
export function countHandles(): number {
  return readdirSync('/proc/self/fd').filter(isOfTool).length;
}

function isOfTool(descriptor: string): boolean {
  try {
    const flags = /^flags:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1] ?? '0';
    const isPinned = (Number.parseInt(flags, 8) & O_PATH) !== 0;
    return isPinned || readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(FOLDER_OF_TESTS);
  } catch {
    // It was closed meanwhile, as that of the list itself is.
    return false;
  }
}

/** A grant that opens or hides what is given. */
export function grantOf(given: Partial<Grant>): Grant {
  return { ...NO_GRANT, ...given };
}
