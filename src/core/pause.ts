/** Waits `ms` milliseconds, or for ever without a number. True when the time is over, false at once on an abort. */
export function pause(ms: number | undefined, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const leave = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const finish = (): void => {
      signal.removeEventListener('abort', leave);
      resolve(true);
    };
    const timer = ms === undefined ? undefined : setTimeout(finish, ms);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}
