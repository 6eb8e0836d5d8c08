import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Problem } from '../ui/problem.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { AccessKeyForm } from './access-key-form.tsx';
import { AUTH_STATUS } from './auth-status.ts';
import { PasswordForm } from './password-form.tsx';

/**
 * The ways in that this server has: an account, the access key, or both.
 * @param hint what the server has said to who has no credential. @param onSignUp undefined where that is no use.
 */
export function LogIn({
  hint,
  onDone,
  onSignUp,
}: {
  hint: string | undefined;
  onDone: () => Promise<void>;
  onSignUp?: () => void;
}): ReactNode {
  const status = useQuery(AUTH_STATUS);
  const [prefersKey, setPrefersKey] = useState(false);
  if (status.error) return <Problem error={status.error} onRetry={() => void status.refetch()} />;
  if (!status.data) return <Spinner label="Asking how to come in…" />;
  const { accounts, accessKey } = status.data;
  // A locked server without either is one that can only be reached in a way that it does not trust.
  if (!accounts && !accessKey) return <p>{hint ?? 'The server lets nobody in from here.'}</p>;
  const withKey = accessKey && (prefersKey || !accounts);
  return (
    <div className="stack">
      {withKey ? <AccessKeyForm onDone={onDone} /> : <PasswordForm onDone={onDone} />}
      <div className="row login-others">
        {accounts && accessKey && (
          <button type="button" className="quiet small" onClick={() => setPrefersKey(!withKey)}>
            {withKey ? 'Log in with email and password' : 'Use the access key'}
          </button>
        )}
        {accounts && onSignUp && (
          <button type="button" className="quiet small" onClick={onSignUp}>
            Sign up with an invite
          </button>
        )}
      </div>
    </div>
  );
}
