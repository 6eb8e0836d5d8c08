import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { type TextLines, takeLines } from '../text-lines.ts';
import { defineTool } from '../tool.ts';
import { existingPathInWorkspace, WorkspacePath } from '../workspace-path.ts';

const MAX_CHARS = 50_000;
/** Text has no NUL; whether there is one in its beginning tells well enough. */
const LOOKED_AT_BYTES = 8192;

/** Reads a text file of the workspace. */
export const readFile = defineTool({
  name: 'read_file',
  description: `Reads a text file of the workspace: up to ${MAX_CHARS} characters at once, in whole lines.`,
  level: 'safe',
  effect: 'read',
  isForSandbox: true,
  input: z.strictObject({
    path: WorkspacePath,
    offset: z.int().min(1).default(1).describe('The first line to read, counted from 1.'),
    limit: z.int().min(1).optional().describe('How many lines to read at most.'),
  }),
  run: async ({ path: given, offset, limit = Number.POSITIVE_INFINITY }, { workspace, hidden, signal }) => {
    const path = await existingPathInWorkspace({ workspace, hidden }, given);
    // A pipe would be waited for otherwise.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const size = await textSize(file, given);
      if (size === 0) return { text: '(an empty file)', isError: false };
      const lines = await takeLines(piecesOf(file, signal), { offset, limit, maxChars: MAX_CHARS });
      if (lines.shown === '')
        throw new AppError('invalid_request', `${JSON.stringify(given)} ends before line ${offset}`);
      return { text: withNotes(lines, offset, size), isError: false };
    } finally {
      await file.close();
    }
  },
});

/** The size of a file in bytes. @throws AppError `invalid_request` if it holds no text. */
async function textSize(file: FileHandle, given: string): Promise<number> {
  const status = await file.stat();
  if (!status.isFile()) throw new AppError('invalid_request', `${JSON.stringify(given)} is not a file`);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT_BYTES), 0, LOOKED_AT_BYTES, 0);
  if (buffer.subarray(0, bytesRead).includes(0))
    throw new AppError('invalid_request', `${JSON.stringify(given)} is a binary file of ${status.size} bytes`);
  return status.size;
}

async function* piecesOf(file: FileHandle, signal: AbortSignal): AsyncGenerator<string> {
  for await (const piece of file.createReadStream({ encoding: 'utf8', start: 0, autoClose: false })) {
    signal.throwIfAborted();
    yield piece;
  }
}

/** The lines, and what the model has to know of them. */
function withNotes({ shown, next, isCut }: TextLines, offset: number, size: number): string {
  const notes = [
    ...(isCut ? [`line ${offset} is cut after ${shown.length} characters`] : []),
    ...(next === undefined ? [] : [`the file has ${size} bytes; read on from line ${next}`]),
    ...(shown.includes('\ufffd') ? ['\ufffd may stand for bytes that are not UTF-8'] : []),
  ];
  if (notes.length === 0) return shown;
  return `${shown}${shown.endsWith('\n') ? '' : '\n'}[${notes.join('; ')}]`;
}
