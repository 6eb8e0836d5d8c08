import { useInfiniteQuery } from '@tanstack/react-query';
import { UserPlus } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import type { User } from '../login/use-me.ts';
import { Problem } from '../ui/problem.tsx';
import { UserInviteForm } from './user-invite-form.tsx';
import { UserInvites } from './user-invites.tsx';
import { UserRow } from './user-row.tsx';
import './access.css';

const AuditLog = lazy(async () => ({ default: (await import('./audit-log.tsx')).AuditLog }));

const PAGE = 50;

/** Accounts, invites and the audit log, for admins. */
export function UsersSection(): React.ReactNode {
  const [isInviting, setInviting] = useState(false);
  const [isLogOpen, setLogOpen] = useState(false);
  const list = useInfiniteQuery({
    queryKey: [...KEYS.users, 'list'],
    queryFn: ({ pageParam }) =>
      ask<{ users: User[]; total: number }>('/api/users', { query: { limit: PAGE, offset: pageParam } }),
    initialPageParam: 0,
    getNextPageParam: ({ total }, pages) => (pages.length * PAGE < total ? pages.length * PAGE : undefined),
  });
  const users = list.data?.pages.flatMap((page) => page.users) ?? [];
  return (
    <section className="stack" aria-labelledby="users-title">
      <div className="row">
        <h2 id="users-title" className="grow access-heading">
          Users
        </h2>
        <button type="button" className="primary" disabled={users.length === 0} onClick={() => setInviting(true)}>
          <UserPlus size={16} aria-hidden="true" />
          Invite
        </button>
      </div>
      {list.isPending && <p className="muted">Loading …</p>}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.data && users.length === 0 && (
        <p className="muted">
          Nobody has an account. <a href="#/settings/account">Make the first one</a>, which is the owner’s; then others
          can be invited.
        </p>
      )}
      <ul className="access-list stack" aria-label="Accounts">
        {users.map((user) => (
          <UserRow key={user.id} user={user} />
        ))}
      </ul>
      {list.hasNextPage && (
        <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </button>
      )}
      <UserInvites />
      <details className="card" onToggle={(event) => setLogOpen(event.currentTarget.open)}>
        <summary>Audit log</summary>
        {isLogOpen && (
          <Suspense fallback={<p className="muted">Loading …</p>}>
            <AuditLog users={users} />
          </Suspense>
        )}
      </details>
      {isInviting && <UserInviteForm onClose={() => setInviting(false)} />}
    </section>
  );
}
