import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../errors.ts';

/** Text has no NUL; whether there is one in its beginning tells well enough. */
const LOOKED_AT_BYTES = 8192;

/** Does a file look like text? */
export async function isText(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT_BYTES), 0, LOOKED_AT_BYTES, 0);
  return !buffer.subarray(0, bytesRead).includes(0);
}

/** @param given its path, for the error. @throws AppError `invalid_request` */
export async function assertText(file: FileHandle, given: string, size: number | bigint): Promise<void> {
  if (!(await isText(file)))
    throw new AppError('invalid_request', `${JSON.stringify(given)} is a binary file of ${size} bytes`);
}

/** Its content, up to a bound in bytes; undefined: it is larger. */
export async function readBytes(file: FileHandle, maxBytes: number): Promise<Buffer | undefined> {
  const { size } = await file.stat();
  if (size > maxBytes) return undefined;
  const content = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(content, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return content.subarray(0, length);
}
