import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { type TextLines, takeLines } from '../text-lines.ts';
import { defineTool } from '../tool.ts';
import { openFound } from '../workspace/access.ts';
import { WorkspacePath } from '../workspace/path-argument.ts';
import { assertText } from '../workspace/read-text.ts';
import { withPath } from '../workspace/walk.ts';

const MAX_CHARS = 28_000;

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
  rulesOn: ['path'],
  subjects: ({ path }) => ({ paths: [path] }),
  run: ({ path: given, offset, limit = Number.POSITIVE_INFINITY }, context) =>
    withPath(context, given, async (found) => {
      const file = await openFound(found, given, context.grant);
      const { size } = await file.stat();
      await assertText(file, given, size);
      if (size === 0) return { text: '(an empty file)', isError: false };
      const lines = await takeLines(piecesOf(file, context.signal), { offset, limit, maxChars: MAX_CHARS });
      if (lines.shown === '')
        throw new AppError('invalid_request', `${JSON.stringify(given)} ends before line ${offset}`);
      return { text: withNotes(lines, offset, size), isError: false };
    }),
});

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
