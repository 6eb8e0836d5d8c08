import { useEffect, useRef, useState } from 'react';
import type { Approval } from '../../../src/client/types.ts';
import type { ApprovalFormProps } from './approval-card.tsx';

/** What is allowed for good with an answer: said exactly, and where. */
export function ApprovalAlways({
  approval,
  isBusy,
  onAnswer,
  onClose,
}: ApprovalFormProps & { approval: Approval }): React.ReactNode {
  const [scope, setScope] = useState<'conversation' | 'user'>('conversation');
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void onAnswer({ decision: 'allow-always', scope });
      }}
    >
      <fieldset className="approval-choice">
        <legend>
          From now on {approval.toolName} is carried out without a question if it is called with exactly these
          arguments:
        </legend>
        <label>
          <input
            ref={first}
            type="radio"
            name={`scope-${approval.id}`}
            checked={scope === 'conversation'}
            onChange={() => setScope('conversation')}
          />{' '}
          in this conversation
        </label>
        <label>
          <input
            type="radio"
            name={`scope-${approval.id}`}
            checked={scope === 'user'}
            onChange={() => setScope('user')}
          />{' '}
          in all my conversations
        </label>
      </fieldset>
      <p className="small muted">
        Other arguments are asked about again. Wider rules, and taking this back: <a href="#/settings/rules">rules</a>.
      </p>
      <div className="row">
        <button type="submit" className="primary" disabled={isBusy}>
          Allow always
        </button>
        <button type="button" onClick={onClose}>
          Back
        </button>
      </div>
    </form>
  );
}
