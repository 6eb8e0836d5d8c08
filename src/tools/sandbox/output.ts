import type { Readable } from 'node:stream';
import { BoundedText } from './bounded-text.ts';

/** What a command writes, as far as it is kept. */
export interface Output {
  kept: BoundedText;
}

/**
 * Reads what a command writes, until that is too much.
 * @param tooMuch called once more than `maxBytes` have come; the rest is thrown away.
 */
export function readOutput(
  stream: Readable,
  maxChars: number,
  maxBytes: number,
  onPiece: ((piece: string) => void) | undefined,
  tooMuch: () => void,
): Output {
  const kept = new BoundedText(maxChars);
  let bytes = 0;
  stream.setEncoding('utf8').on('data', (piece: string) => {
    if (bytes > maxBytes) return;
    bytes += Buffer.byteLength(piece);
    kept.add(piece);
    onPiece?.(piece);
    if (bytes > maxBytes) tooMuch();
  });
  return { kept };
}
