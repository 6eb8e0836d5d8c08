import { useEffect, useState } from 'react';
import { RequestError } from '../../../src/client/client.ts';

/** How an attempt to come in stands. */
export interface Attempt {
  isBusy: boolean;
  error: RequestError | undefined;
  /** Seconds until the server looks at another one; 0: at once. */
  wait: number;
  /** Tries; what it throws is in `error` afterwards. */
  run(attempt: () => Promise<void>): Promise<void>;
}

/** Tries to come in, says what was wrong with it, and counts the time that one has to wait. */
export function useAttempt(): Attempt {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<RequestError>();
  const [wait, setWait] = useState(0);
  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);
  const run = async (attempt: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await attempt();
    } catch (problem) {
      if (!(problem instanceof RequestError)) throw problem;
      setError(problem);
      setWait(Math.ceil(problem.retryAfter ?? 0));
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, error, wait, run };
}

/** What the server has against one field of the form, or undefined. */
export function issueOf(error: RequestError | undefined, field: string): string | undefined {
  const issues = error?.details.issues;
  if (!Array.isArray(issues)) return undefined;
  return (issues as { path: string; message: string }[]).find(({ path }) => path === field)?.message;
}
