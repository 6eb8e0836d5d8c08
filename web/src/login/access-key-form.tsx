import { type ReactNode, useState } from 'react';
import { ask } from '../api/server.ts';
import { Field } from '../ui/field.tsx';
import { AttemptOutcome } from './attempt-outcome.tsx';
import { issueOf, useAttempt } from './use-attempt.ts';

/** Comes in with the server's access key. `onDone` is called when the server has let one in. */
export function AccessKeyForm({ onDone }: { onDone: () => Promise<void> }): ReactNode {
  const [key, setKey] = useState('');
  const attempt = useAttempt();
  const enter = async (): Promise<void> => {
    await ask('/api/auth/verify-access-key', { method: 'POST', body: { key: key.trim() } });
    await onDone();
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt.run(enter);
      }}
    >
      <Field label="Access key" hint="Whoever runs this server has it." error={issueOf(attempt.error, 'key')}>
        {(attributes) => (
          <input
            {...attributes}
            type="password"
            name="access-key"
            autoComplete="current-password"
            required
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        )}
      </Field>
      <AttemptOutcome attempt={attempt} fields={['key']} />
      <button type="submit" className="primary" disabled={attempt.isBusy || attempt.wait > 0}>
        {attempt.isBusy ? 'Checking…' : 'Continue'}
      </button>
    </form>
  );
}
