import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { defineTool, type ToolContext } from '../tool.ts';
import { assertWritable, hasOtherNames, openEntry, openFound } from '../workspace/access.ts';
import { editDiff } from '../workspace/edit-diff.ts';
import type { Folder } from '../workspace/folder.ts';
import { WorkspacePath } from '../workspace/path-argument.ts';
import { assertText, readBytes } from '../workspace/read-text.ts';
import { replaceFile } from '../workspace/replace-file.ts';
import { applyEdit, type Edit } from '../workspace/text-edit.ts';
import { withPath } from '../workspace/walk.ts';

const MAX_BYTES = 2_000_000;
/** How often the edit is tried on what others have made of the file meanwhile. */
const MAX_TRIES = 20;

/** Replaces a piece of a text file of the workspace. */
export const editFile = defineTool({
  name: 'edit_file',
  description:
    'Replaces a piece of a text file of the workspace. The old text must be there exactly once, the same to the character, ' +
    'line ends and indentation included; with replaceAll, at least once. Shows the lines that have changed.',
  level: 'moderate',
  // What is put in often contains what it replaces (a line after another one): done twice, it would be there twice.
  effect: 'unsafe',
  isForSandbox: false,
  input: z
    .strictObject({
      path: WorkspacePath,
      old: z.string().min(1).describe('What is to be replaced.'),
      new: z.string().describe('What takes its place.'),
      replaceAll: z.boolean().default(false).describe('Replace it wherever it occurs.'),
    })
    .refine((edit) => edit.old !== edit.new, { path: ['new'], message: 'It is the same as old' }),
  rulesOn: ['path'],
  subjects: ({ path }) => ({ paths: [path] }),
  run: async ({ path: given, ...edit }, context) => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const diff = await editOnce(given, edit, context);
      if (diff !== undefined) return { text: `${JSON.stringify(given)} is now:\n${diff}`, isError: false };
    }
    throw new AppError('conflict', `${JSON.stringify(given)} is changed by others all the time; read it and try again`);
  },
});

/** What has changed; undefined: nothing, since somebody else has changed the file meanwhile. */
function editOnce(given: string, edit: Edit, context: ToolContext): Promise<string | undefined> {
  return withPath(context, given, async (found) => {
    const { grant, signal } = context;
    assertWritable(found, given, grant);
    const file = await openFound(found, given, grant);
    if (found.kind !== 'file') return undefined;
    const { folder, name } = found;
    const before = await file.stat({ bigint: true });
    await assertText(file, given, before.size);
    const bytes = await readBytes(file, MAX_BYTES);
    if (!bytes)
      throw new AppError(
        'invalid_request',
        `${JSON.stringify(given)} has more than ${MAX_BYTES} bytes, too many to edit`,
      );
    const text = textOf(bytes, given);
    const edited = applyEdit(text, edit, given);
    signal.throwIfAborted();
    const isUnchanged = (): Promise<boolean> => isStill(folder, name, before, hashOf(bytes));
    const content = Buffer.from(edited.text, 'utf8');
    const outcome = await replaceFile({ folder, name, content, before, signal, isUnchanged });
    return outcome === 'replaced' ? editDiff(text, edit, edited) : undefined;
  });
}

/** With its byte order mark, if there is one. */
function textOf(bytes: Buffer, given: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AppError('invalid_request', `${JSON.stringify(given)} is not UTF-8: more than the old text would change`);
  }
}

async function isStill(folder: Folder, name: string, before: BigIntStats, hash: string): Promise<boolean> {
  const entry = await folder.look(name);
  if (!entry) return false;
  const { dev, ino, size, mtimeNs } = entry.status;
  const isSame = dev === before.dev && ino === before.ino && size === before.size && mtimeNs === before.mtimeNs;
  if (!isSame || hasOtherNames(entry)) return false;
  const content = await readBytes(await openEntry(folder, entry), MAX_BYTES);
  return content !== undefined && hashOf(content) === hash;
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}
