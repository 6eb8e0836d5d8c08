import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { useMe } from '../login/use-me.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';
import { type Session, SessionRow } from './session-row.tsx';
import './access.css';

/** Where one is logged in, and how to end that. */
export function SessionsSection(): React.ReactNode {
  const queries = useQueryClient();
  const { via } = useMe();
  const [isAsking, setAsking] = useState(false);
  const list = useQuery({
    queryKey: KEYS.sessions,
    queryFn: () => ask<{ sessions: Session[] }>('/api/auth/sessions').then(({ sessions }) => sessions),
  });
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: KEYS.sessions });
  const end = useMutation({
    mutationFn: (id: string) => ask(`/api/auth/sessions/${id}`, { method: 'DELETE' }),
    onError: (error) => toast(`It was not ended: ${error.message}`),
    onSettled: again,
  });
  const endOthers = async (): Promise<void> => {
    const { ended } = await ask<{ ended: number }>('/api/auth/sessions', { method: 'DELETE' });
    toast(ended === 1 ? 'One session was ended.' : `${ended} sessions were ended.`);
    await again();
  };
  const sessions = list.data ?? [];
  const hasOthers = sessions.some(({ current }) => !current);
  return (
    <section className="stack" aria-labelledby="sessions-title">
      <div className="row">
        <h2 id="sessions-title" className="grow access-heading">
          Sessions
        </h2>
        {hasOthers && (
          <button type="button" className="danger" onClick={() => setAsking(true)}>
            End all others
          </button>
        )}
      </div>
      {via === 'local' && (
        <p className="muted access-text">
          On this machine nobody has to log in, so this page has no session. Those below were begun before.
        </p>
      )}
      {list.isPending && <p className="muted">Loading …</p>}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.data && sessions.length === 0 && <p className="muted">There are none.</p>}
      <ul className="access-list stack" aria-label="Sessions">
        {sessions.map((session) => (
          <SessionRow key={session.id} session={session} isBusy={end.isPending} onEnd={() => end.mutate(session.id)} />
        ))}
      </ul>
      {isAsking && (
        <Confirm
          title="End all other sessions?"
          action="End them"
          onConfirm={endOthers}
          onClose={() => setAsking(false)}
        >
          Everywhere but here one has to log in again.
        </Confirm>
      )}
    </section>
  );
}
