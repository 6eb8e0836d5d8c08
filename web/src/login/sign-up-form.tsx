import { type ReactNode, useState } from 'react';
import { ask } from '../api/server.ts';
import { Field } from '../ui/field.tsx';
import { AttemptOutcome } from './attempt-outcome.tsx';
import { issueOf, useAttempt } from './use-attempt.ts';

const FIELDS = ['name', 'email', 'password', 'inviteCode'] as const;

const INPUTS = {
  name: { label: 'Name', type: 'text', autoComplete: 'name' },
  email: { label: 'Email', type: 'email', autoComplete: 'username' },
  password: { label: 'Password', type: 'password', autoComplete: 'new-password', hint: '8 characters or more.' },
  inviteCode: { label: 'Invite code', type: 'text', autoComplete: 'off', hint: 'From the person who invited you.' },
} as const;

/**
 * Makes an account, and logs in with it.
 * @param invite the code of the link that one came by. @param needsInvite others have accounts already.
 */
export function SignUpForm({
  invite,
  needsInvite,
  onDone,
}: {
  invite: string;
  needsInvite: boolean;
  onDone: () => Promise<void>;
}): ReactNode {
  const [values, setValues] = useState({ name: '', email: '', password: '', inviteCode: invite });
  const attempt = useAttempt();
  const signUp = async (): Promise<void> => {
    const { inviteCode, ...account } = values;
    const body = { ...account, ...(needsInvite && inviteCode.trim() ? { inviteCode: inviteCode.trim() } : {}) };
    await ask('/api/auth/signup', { method: 'POST', body });
    await onDone();
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt.run(signUp);
      }}
    >
      {FIELDS.filter((field) => field !== 'inviteCode' || needsInvite).map((field) => {
        const { label, hint, ...input } = { hint: undefined, ...INPUTS[field] };
        return (
          <Field key={field} label={label} hint={hint} error={issueOf(attempt.error, field)}>
            {(attributes) => (
              <input
                {...attributes}
                {...input}
                name={field}
                required
                minLength={field === 'password' ? 8 : undefined}
                value={values[field]}
                onChange={(event) => setValues({ ...values, [field]: event.target.value })}
              />
            )}
          </Field>
        );
      })}
      <AttemptOutcome attempt={attempt} fields={FIELDS} />
      <button type="submit" className="primary" disabled={attempt.isBusy || attempt.wait > 0}>
        {attempt.isBusy ? 'Signing up…' : 'Sign up'}
      </button>
    </form>
  );
}
