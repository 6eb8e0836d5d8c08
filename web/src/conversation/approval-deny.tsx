import { useEffect, useRef, useState } from 'react';
import { Field } from '../ui/field.tsx';
import type { ApprovalFormProps } from './approval-card.tsx';

/** Refuses a call, with a reason that the model reads. */
export function ApprovalDeny({ isBusy, onAnswer, onClose }: ApprovalFormProps): React.ReactNode {
  const [reason, setReason] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const said = reason.trim();
        void onAnswer({ decision: 'deny', ...(said === '' ? {} : { reason: said }) });
      }}
    >
      <Field label="Reason" hint="May be empty. The model reads it.">
        {(attributes) => (
          <input
            {...attributes}
            ref={field}
            value={reason}
            maxLength={10_000}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
      <div className="row">
        <button type="submit" className="danger" disabled={isBusy}>
          Deny
        </button>
        <button type="button" onClick={onClose}>
          Back
        </button>
      </div>
    </form>
  );
}
