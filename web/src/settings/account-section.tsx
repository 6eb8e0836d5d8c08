import { useQuery } from '@tanstack/react-query';
import { useMe } from '../login/use-me.ts';
import { Problem } from '../ui/problem.tsx';
import { ACCESS_STATUS } from './access-status.ts';
import { AccountAccessKey } from './account-access-key.tsx';
import { AccountPassword } from './account-password.tsx';
import { AccountProfile } from './account-profile.tsx';
import { AccountSignUp } from './account-sign-up.tsx';
import { budgetWords, resetWords } from './budget-words.ts';
import './access.css';

/** Who one is, and the ways in: the account, or how to make the first one, and the access key. */
export function AccountSection(): React.ReactNode {
  const { user, budget, role, via } = useMe();
  const status = useQuery(ACCESS_STATUS);
  return (
    <section className="stack" aria-labelledby="account-title">
      <h2 id="account-title" className="access-heading">
        Account
      </h2>
      {user ? (
        <>
          <p className="access-text">
            You are <strong>{user.name}</strong> ({user.email}), {ROLES[role]}.
          </p>
          {budget && (
            <p className="muted access-text">
              Used: {budgetWords(budget)}
              {budget.resetsAt !== null && `; it ${resetWords(budget)}`}.
            </p>
          )}
          <AccountProfile user={user} />
          <AccountPassword />
        </>
      ) : (
        <p className="access-text">
          {via === 'local'
            ? 'You are the owner, because this page was opened on the server’s own machine. You have no account.'
            : 'You came in with the access key: you act as the owner, without an account.'}
        </p>
      )}
      <Problem error={status.error} onRetry={() => void status.refetch()} />
      {status.data && !user && !status.data.accounts && <AccountSignUp isLocal={status.data.mode === 'local'} />}
      {status.data && role === 'owner' && <AccountAccessKey isSet={status.data.accessKey} />}
    </section>
  );
}

const ROLES = { owner: 'the owner', admin: 'an admin', member: 'a member' } as const;
