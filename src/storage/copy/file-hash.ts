import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A file by its content. */
export interface FileHash {
  bytes: number;
  /** Hex. */
  sha256: string;
}

/** Reads a file. No connection of this process may have it open as a database: the close would drop its locks. */
export async function hashFile(file: string): Promise<FileHash> {
  const sum = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file)) {
    bytes += chunk.length;
    sum.update(chunk);
  }
  return { bytes, sha256: sum.digest('hex') };
}

/** Copies a file to one that is not there yet (0600). @returns what was copied. */
export async function copyFile(from: string, to: string): Promise<FileHash> {
  const sum = createHash('sha256');
  let bytes = 0;
  const counting = new Transform({
    transform: (chunk: Buffer, _, done) => {
      bytes += chunk.length;
      sum.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(from), counting, createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true }));
  return { bytes, sha256: sum.digest('hex') };
}
