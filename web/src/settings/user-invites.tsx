import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { timeWords } from '../runs/run-words.ts';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';

interface Invite {
  id: string;
  role: string;
  /** Null: whoever has the code. */
  email: string | null;
  expiresAt: string;
}

/** Invites that nobody has used yet; nothing if there are none. */
export function UserInvites(): React.ReactNode {
  const queries = useQueryClient();
  const queryKey = [...KEYS.users, 'invites'];
  const list = useQuery({
    queryKey,
    queryFn: () => ask<{ invites: Invite[] }>('/api/invites').then(({ invites }) => invites),
  });
  const withdraw = useMutation({
    mutationFn: (id: string) => ask(`/api/invites/${id}`, { method: 'DELETE' }),
    onError: (error) => toast(`It was not withdrawn: ${error.message}`),
    onSettled: () => queries.invalidateQueries({ queryKey }),
  });
  if (list.error) return <Problem error={list.error} onRetry={() => void list.refetch()} />;
  if (!list.data || list.data.length === 0) return null;
  return (
    <section className="stack" aria-labelledby="invites-title">
      <h3 id="invites-title" className="access-heading">
        Open invites
      </h3>
      <ul className="access-list stack">
        {list.data.map(({ id, role, email, expiresAt }) => (
          <li key={id} className="card row">
            <span className="grow access-name-wide">
              {email ?? 'Whoever has the code'}, as {role}
            </span>
            <span className="small muted">until {timeWords(expiresAt)}</span>
            <button
              type="button"
              className="danger"
              aria-label={`Withdraw the invite of ${email ?? 'whoever has the code'}`}
              disabled={withdraw.isPending}
              onClick={() => withdraw.mutate(id)}
            >
              Withdraw
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
