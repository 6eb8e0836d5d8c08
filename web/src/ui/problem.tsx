import type { ReactNode } from 'react';

/** What went wrong, where it did; nothing without an error. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }): ReactNode {
  if (error === null || error === undefined) return null;
  return (
    <div role="alert" className="row bad">
      <span>{error instanceof Error ? error.message : String(error)}</span>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
