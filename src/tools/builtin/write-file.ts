import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { defineTool } from '../tool.ts';
import { assertWritable } from '../workspace/access.ts';
import { makeFolders } from '../workspace/make-folders.ts';
import { WorkspacePath } from '../workspace/path-argument.ts';
import { replaceFile } from '../workspace/replace-file.ts';
import { withPath } from '../workspace/walk.ts';

/** Writes a file of the workspace, whole or not at all. */
export const writeFile = defineTool({
  name: 'write_file',
  description:
    'Writes a text file of the workspace. It and the folders above it are made if they are not there; what the file had ' +
    'before is replaced.',
  level: 'moderate',
  effect: 'idempotent',
  isForSandbox: false,
  input: z.strictObject({ path: WorkspacePath, content: z.string().describe('The whole content of the file.') }),
  rulesOn: ['path'],
  subjects: ({ path }) => ({ paths: [path] }),
  run: ({ path: given, content }, context) =>
    withPath(context, given, async (found) => {
      const { grant, signal } = context;
      assertWritable(found, given, grant);
      if (found.kind === 'folder' || found.kind === 'other')
        throw new AppError('invalid_request', `${JSON.stringify(given)} is there and is not a file`);
      signal.throwIfAborted();
      const bytes = Buffer.from(content, 'utf8');
      const folder = found.kind === 'nothing' ? await makeFolders(found.folder, found.missing) : found.folder;
      const before = found.kind === 'file' ? found.entry.status : undefined;
      await replaceFile({ folder, name: found.name, content: bytes, before, signal });
      return { text: `${bytes.length} bytes written to ${JSON.stringify(given)}`, isError: false };
    }),
});
