import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Problem } from '../ui/problem.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { AUTH_STATUS } from './auth-status.ts';
import { LoginCard } from './login-card.tsx';
import { SignUpForm } from './sign-up-form.tsx';

/** Where somebody makes an account: the first one here, or with an invite. */
export function SignUpPage({
  invite,
  onDone,
  onBack,
}: {
  invite: string;
  onDone: () => Promise<void>;
  onBack: () => void;
}): ReactNode {
  const status = useQuery(AUTH_STATUS);
  const isFirst = status.data?.accounts === false;
  return (
    <LoginCard title="Sign up">
      <Problem error={status.error} onRetry={() => void status.refetch()} />
      {status.isPending && <Spinner label="Asking how to come in…" />}
      {isFirst && (
        <p className="small muted">
          The first account is the owner’s. It takes over everything that is here, and from then on everybody needs an
          account or a key to come in.
        </p>
      )}
      {status.data && <SignUpForm invite={invite} needsInvite={!isFirst} onDone={onDone} />}
      <div className="row login-others">
        <button type="button" className="quiet small" onClick={onBack}>
          {isFirst ? 'Back' : 'I have an account'}
        </button>
      </div>
    </LoginCard>
  );
}
