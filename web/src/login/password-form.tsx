import { type ReactNode, useState } from 'react';
import { ask } from '../api/server.ts';
import { Field } from '../ui/field.tsx';
import { AttemptOutcome } from './attempt-outcome.tsx';
import { issueOf, useAttempt } from './use-attempt.ts';

/** Logs in with email and password. `onDone` is called when the server has let one in. */
export function PasswordForm({ onDone }: { onDone: () => Promise<void> }): ReactNode {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const attempt = useAttempt();
  const logIn = async (): Promise<void> => {
    await ask('/api/auth/login', { method: 'POST', body: { email, password } });
    await onDone();
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt.run(logIn);
      }}
    >
      <Field label="Email" error={issueOf(attempt.error, 'email')}>
        {(attributes) => (
          <input
            {...attributes}
            type="email"
            name="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <Field label="Password" error={issueOf(attempt.error, 'password')}>
        {(attributes) => (
          <input
            {...attributes}
            type="password"
            name="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <AttemptOutcome attempt={attempt} fields={['email', 'password']} />
      <button type="submit" className="primary" disabled={attempt.isBusy || attempt.wait > 0}>
        {attempt.isBusy ? 'Logging in…' : 'Log in'}
      </button>
    </form>
  );
}
