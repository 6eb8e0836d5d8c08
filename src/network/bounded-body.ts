import type { ReadableStream as Stream } from 'node:stream/web';
import { AppError } from '../errors.ts';

/** Who is told of a body's end. */
export interface BodyOwner {
  /** It is read, or nobody wants it any more. */
  finish(): Promise<void>;
  /** It broke. @returns what the reader is told. */
  fail(error: unknown): Promise<unknown>;
}

/** The same body, read no faster than it is wanted, and broken off where it becomes too long. */
export function boundedBody(
  body: Stream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  host: string,
  owner: BodyOwner,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let bytes = 0;
  return new ReadableStream(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) {
            await owner.finish();
            controller.close();
            return;
          }
          bytes += value.length;
          if (bytes > maxBytes) throw new AppError('too_large', `${host} sent more than ${maxBytes} bytes`);
          controller.enqueue(value);
        } catch (error) {
          controller.error(await owner.fail(error));
        }
      },
      cancel: async (reason) => {
        await Promise.allSettled([reader.cancel(reason), owner.finish()]);
      },
    },
    { highWaterMark: 0 },
  );
}
