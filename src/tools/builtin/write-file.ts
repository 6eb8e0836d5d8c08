import { createHash } from 'node:crypto';
import { chmod, mkdir, rename, rm, stat, writeFile as write } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { defineTool } from '../tool.ts';
import { pathInWorkspace, WorkspacePath } from '../workspace-path.ts';

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
  run: async ({ path: given, content }, { workspace, hidden, idempotencyKey, signal }) => {
    const path = await pathInWorkspace({ workspace, hidden }, given);
    const before = await stat(path).catch(() => undefined);
    if (before !== undefined && !before.isFile())
      throw new AppError('invalid_request', `${JSON.stringify(given)} is there and is not a file`);
    signal.throwIfAborted();
    await mkdir(dirname(path), { recursive: true });
    await replace(path, content, before?.mode, idempotencyKey);
    const bytes = Buffer.byteLength(content);
    return { text: `${bytes} bytes written to ${JSON.stringify(given)}`, isError: false };
  },
});

async function replace(path: string, content: string, mode: number | undefined, key: string): Promise<void> {
  // Named by the call, so that its next try takes the place of what a crash has left.
  const mark = createHash('sha256').update(key).digest('hex').slice(0, 16);
  const temporary = join(dirname(path), `.profclaw-${mark}.tmp`);
  await rm(temporary, { force: true });
  try {
    await write(temporary, content, { flag: 'wx', flush: true });
    if (mode !== undefined) await chmod(temporary, mode & 0o777);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
