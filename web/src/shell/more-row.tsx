import { type ReactNode, useEffect, useRef } from 'react';
import { Problem } from '../ui/problem.tsx';

/** Stands at the end of what is there of a list, and has the next page fetched as soon as it comes into view. */
export function MoreRow({
  count,
  fetch,
  error,
}: {
  /** How many are there: with every page it asks anew. */
  count: number;
  fetch: () => void;
  error: Error | null;
}): ReactNode {
  const latest = useRef(fetch);
  useEffect(() => {
    latest.current = fetch;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: also when more has come and it is still in view
  useEffect(() => latest.current(), [count]);
  if (error) return <Problem error={error} onRetry={fetch} />;
  return <p className="conversation-more small muted">Loading more…</p>;
}
