import { useEffect, useState } from 'react';

/** So many characters are rendered at once, on this machine or a slower one within a few frames. */
const AT_ONCE = 16_000;
const MORE = 4000;
const PAUSE_MS = 16;

/**
 * How much of a text may be rendered now: a long one comes piece by piece, so that the page goes on answering. What a
 * stream adds is allowed at once.
 * @returns characters.
 */
export function useAllowance(total: number): number {
  const [seen, setSeen] = useState(0);
  const allowed = seen + AT_ONCE;
  const isMore = total > allowed;
  useEffect(() => {
    if (!isMore) return;
    const timer = setTimeout(() => setSeen(seen + MORE), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [isMore, seen]);
  useEffect(() => {
    if (!isMore && total > seen + AT_ONCE / 2) setSeen(total);
  }, [isMore, total, seen]);
  return allowed;
}
