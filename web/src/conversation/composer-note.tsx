import type { ReactNode } from 'react';
import './composer-note.css';

/** One line above what is written, with the one thing to do about it. */
export function ComposerNote({
  text,
  action,
  onAction,
}: {
  text: string;
  action: string;
  onAction: () => void;
}): ReactNode {
  return (
    <div role="status" className="composer-note small muted">
      <span className="grow">{text}</span>
      <button type="button" className="quiet" onClick={onAction}>
        {action}
      </button>
    </div>
  );
}
