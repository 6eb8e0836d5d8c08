import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ask } from '../api/server.ts';
import type { User } from '../login/use-me.ts';
import { timeWords } from '../runs/run-words.ts';
import { Field } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import './audit-log.css';

interface Entry {
  seq: number;
  at: string;
  actor: string;
  action: string;
  target: string;
  outcome: 'done' | 'refused' | 'begun' | 'failed';
  address: string;
  details: Record<string, unknown>;
}

const ACTIONS = [
  ...['account.signup', 'account.login', 'account.logout', 'account.change', 'account.password', 'session.revoke'],
  ...['access_key.verify', 'access_key.set', 'access_key.remove', 'key.create', 'key.revoke', 'invite.create'],
  ...['invite.revoke', 'user.change', 'user.delete', 'provider.configure', 'provider.remove', 'provider.default'],
  ...['mcp.create', 'mcp.change', 'mcp.remove', 'conversation.delete', 'message.delete', 'preset.delete'],
  ...['task.delete', 'ticket.delete', 'run.cancel', 'approval.decide', 'rule.create', 'rule.delete', 'secret.rotate'],
];

/** Who did what, newest first, page by page. `users`: those whose names are known. */
export function AuditLog({ users }: { users: readonly User[] }): React.ReactNode {
  const [action, setAction] = useState('');
  const log = useInfiniteQuery({
    queryKey: ['audit', action],
    queryFn: ({ pageParam }) =>
      ask<{ entries: Entry[]; nextBefore: number | null }>('/api/audit', {
        query: { limit: 50, action, before: pageParam },
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ nextBefore }) => nextBefore,
  });
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  const nameOf = (actor: string): string => users.find(({ id }) => id === actor)?.name ?? ACTORS[actor] ?? actor;
  return (
    <div className="stack">
      <Field label="Show">
        {(field) => (
          <select {...field} value={action} onChange={(event) => setAction(event.target.value)}>
            <option value="">everything</option>
            {ACTIONS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
      {log.isPending && <p className="muted">Loading …</p>}
      <Problem error={log.error} onRetry={() => void log.refetch()} />
      {log.data && entries.length === 0 && <p className="muted">There is no such entry.</p>}
      {entries.length > 0 && (
        <div className="scroll-x">
          <table className="audit-log small">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">To what</th>
                <th scope="col">From</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <EntryRow key={entry.seq} entry={entry} name={nameOf(entry.actor)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {log.hasNextPage && (
        <button type="button" disabled={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          Show older ones
        </button>
      )}
    </div>
  );
}

const ACTORS: Record<string, string> = {
  local: 'this machine',
  'access-key': 'the access key',
  'command-line': 'the command line',
  '': 'a stranger',
};

function EntryRow({ entry, name }: { entry: Entry; name: string }): React.ReactNode {
  const { at, action, outcome, target, address, details } = entry;
  const more = Object.entries(details).map(([key, value]) => `${key}: ${plain(value)}`);
  return (
    <tr>
      <td>
        <time dateTime={at}>{timeWords(at)}</time>
      </td>
      <td>{name}</td>
      <td>
        {action}
        {outcome !== 'done' && outcome !== 'begun' && <span className="bad"> {outcome}</span>}
      </td>
      <td className="audit-log-target">
        {target}
        {more.length > 0 && <div className="muted">{more.join('; ')}</div>}
      </td>
      <td>{address}</td>
    </tr>
  );
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(plain).join(', ');
  return JSON.stringify(value);
}
