import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { type User, useMe } from '../login/use-me.ts';
import { count, timeWords } from '../runs/run-words.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Problem } from '../ui/problem.tsx';
import { UserLimitsForm } from './user-limits-form.tsx';

/** An account, and what an admin may do about it. */
export function UserRow({ user }: { user: User }): React.ReactNode {
  const { id, name, email, role, status, rateLimit, createdAt, lastLoginAt } = user;
  const me = useMe();
  const queries = useQueryClient();
  const [open, setOpen] = useState<'limits' | 'delete'>();
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: KEYS.users });
  const change = useMutation({
    mutationFn: (body: { role?: string; disabled?: boolean }) => ask(`/api/users/${id}`, { method: 'PATCH', body }),
    onSettled: refresh,
  });
  const remove = async (): Promise<void> => {
    await ask(`/api/users/${id}`, { method: 'DELETE' });
    await refresh();
  };
  const isOwner = me.role === 'owner';
  const mayChange = role !== 'owner' && (isOwner || role === 'member');
  return (
    <li className="card stack">
      <div className="row">
        <span className="grow">
          <span className="access-name">{name}</span> <span className="muted">{email}</span>
        </span>
        {me.user?.id === id && <span className="badge good">you</span>}
        {status === 'disabled' && <span className="badge warn">disabled</span>}
        {mayChange && isOwner ? (
          <select
            className="access-select"
            aria-label={`Role of ${name}`}
            value={role}
            disabled={change.isPending}
            onChange={(event) => change.mutate({ role: event.target.value })}
          >
            <option value="member">member</option>
            <option value="admin">admin</option>
          </select>
        ) : (
          <span className="badge">{role}</span>
        )}
      </div>
      <div className="access-facts small muted">
        <span>since {timeWords(createdAt)}</span>
        <span>{lastLoginAt === null ? 'has never logged in' : `last logged in ${timeWords(lastLoginAt)}`}</span>
        {rateLimit !== null && <span>{count(rateLimit)} requests a minute</span>}
      </div>
      {(mayChange || isOwner) && (
        <div className="row">
          <button type="button" aria-label={`Limits and budget of ${name}`} onClick={() => setOpen('limits')}>
            Limits and budget
          </button>
          {mayChange && <DisableAndDelete user={user} onDisable={change.mutate} onDelete={() => setOpen('delete')} />}
        </div>
      )}
      <Problem error={change.error} />
      {open === 'limits' && <UserLimitsForm user={user} onClose={() => setOpen(undefined)} />}
      {open === 'delete' && (
        <Confirm title={`Delete ${name}?`} action="Delete" onConfirm={remove} onClose={() => setOpen(undefined)}>
          The account of {email} is deleted with all its conversations, files in them, tasks, presets and keys. This
          cannot be undone.
        </Confirm>
      )}
    </li>
  );
}

function DisableAndDelete({
  user: { name, status },
  onDisable,
  onDelete,
}: {
  user: User;
  onDisable: (body: { disabled: boolean }) => void;
  onDelete: () => void;
}): React.ReactNode {
  const isOff = status === 'disabled';
  return (
    <>
      <button
        type="button"
        aria-label={`${isOff ? 'Enable' : 'Disable'} ${name}`}
        title={isOff ? undefined : 'Ends every session and refuses every key, until enabled again'}
        onClick={() => onDisable({ disabled: !isOff })}
      >
        {isOff ? 'Enable' : 'Disable'}
      </button>
      <button type="button" className="danger" aria-label={`Delete ${name}`} onClick={onDelete}>
        Delete
      </button>
    </>
  );
}
