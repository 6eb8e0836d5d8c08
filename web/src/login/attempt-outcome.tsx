import type { ReactNode } from 'react';
import { type Attempt, issueOf } from './use-attempt.ts';

/** What was wrong with the last attempt, if it was not one of its fields, and how long one has to wait. */
export function AttemptOutcome({
  attempt: { error, wait },
  fields,
}: {
  attempt: Attempt;
  fields: readonly string[];
}): ReactNode {
  if (!error || fields.some((field) => issueOf(error, field) !== undefined)) return null;
  return (
    <div role="alert" className="bad">
      {error.message}
      {error.code === 'forbidden' || error.code === 'unauthenticated' ? <Hint hint={error.details.hint} /> : null}
      {error.code === 'rate_limited' && (
        <span className="muted">
          {wait > 0 ? ` You can try again in ${inWords(wait)}.` : ' You can try again now.'}
        </span>
      )}
    </div>
  );
}

function Hint({ hint }: { hint: unknown }): ReactNode {
  return typeof hint === 'string' ? <div className="small muted">{hint}</div> : null;
}

function inWords(seconds: number): string {
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
