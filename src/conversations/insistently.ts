import { pause } from '../core/pause.ts';
import { AppError } from '../errors.ts';

const FIRST_PAUSE_MS = 20;
/** Twice as much in all. */
const LONGEST_PAUSE_MS = 8000;
const NEVER = new AbortController().signal;

/**
 * Does it again, with growing pauses, as long as it fails for a reason that is not the caller's.
 * @param isFinal is another try no use? An AppError always is.
 */
export async function insistently<T>(
  work: () => Promise<T>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AppError || isFinal(error) || pauseMs > LONGEST_PAUSE_MS) throw error;
    }
    await pause(pauseMs, NEVER);
  }
}
