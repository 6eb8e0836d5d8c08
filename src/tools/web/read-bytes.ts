/** A body, or its beginning. */
export interface ReadBytes {
  bytes: Uint8Array;
  /** Was there more? */
  isCut: boolean;
}

/** Reads so many bytes of an answer at most, and ends it. */
export async function readBytes(response: Response, maxBytes: number): Promise<ReadBytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop cancels the body.
    if (length > maxBytes) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), isCut: length > maxBytes };
}
