import { closeSync, openSync, readSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { MessageContent } from '../client/run-events.ts';
import { CommandError, EXIT } from './exit-codes.ts';

/** More than servers take, unless they are told to (PROFCLAW_BODY_LIMIT) and the model does. */
const MOST_BYTES = 20_000_000;
const PIECE_BYTES = 64 * 1024;

type Part = Exclude<MessageContent, string>[number];

const IMAGES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
};

/**
 * A message with files: pictures and PDFs as they are, texts below their name.
 * @throws CommandError for a file that cannot be read, or is of another kind.
 */
export function withFiles(text: string, paths: readonly string[]): MessageContent {
  if (paths.length === 0) return text;
  return [...paths.map(partOf), ...(text === '' ? [] : [{ type: 'text' as const, text }])];
}

/** Can it be read, and is it of a kind that can be sent? */
export function canBeSent(path: string): boolean {
  try {
    partOf(path);
    return true;
  } catch {
    return false;
  }
}

/** Also of what is no file and says no size, such as a pipe; one without an end must not fill the memory. */
function readAll(path: string): Buffer {
  const file = openSync(path, 'r');
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const read = readSync(file, piece);
      if (read === 0) return Buffer.concat(pieces, size);
      pieces.push(piece.subarray(0, read));
      size += read;
      if (size > MOST_BYTES) throw new CommandError(`${path} is larger than 20 MB, and cannot be sent`, EXIT.wrongUse);
    }
  } finally {
    closeSync(file);
  }
}

function partOf(path: string): Part {
  let bytes: Buffer;
  try {
    bytes = readAll(path);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} cannot be read: ${why}`, EXIT.wrongUse);
  }
  const name = basename(path);
  const ending = extname(path).toLowerCase();
  const image = IMAGES[ending];
  if (image !== undefined) return { type: 'image', image: dataUrl(image, bytes) };
  if (ending === '.pdf') return { type: 'file', file: dataUrl('application/pdf', bytes), filename: name };
  const text = textOf(bytes);
  if (text === undefined)
    throw new CommandError(
      `${path} is no text, picture (png, jpg, gif, webp) or PDF, and cannot be sent`,
      EXIT.wrongUse,
    );
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([fence]) => fence.length));
  const fence = '`'.repeat(longest + 1);
  return { type: 'text', text: `${name}:\n${fence}\n${text}\n${fence}` };
}

function dataUrl(type: string, bytes: Buffer): string {
  return `data:${type};base64,${bytes.toString('base64')}`;
}

function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
