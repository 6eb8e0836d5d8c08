import type { ReactNode } from 'react';
import './spinner.css';

/** Something is on its way. It appears only after a moment, so that what is quick does not flicker. */
export function Spinner({ label }: { label: string }): ReactNode {
  return (
    <span role="status" className="spinner row muted">
      <span className="spinner-ring" aria-hidden="true" />
      {label}
    </span>
  );
}
