import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { timeWords } from '../runs/run-words.ts';
import { Confirm } from '../ui/confirm.tsx';
import { matchWords, type Rule } from './rule-words.ts';

/** A rule, and how to delete it. `decides`: on the call that was asked about. */
export function RuleRow({
  rule,
  mayChange,
  decides,
}: {
  rule: Rule;
  mayChange: boolean;
  decides: boolean;
}): React.ReactNode {
  const { id, tool, match, action, scope, conversationId, expiresAt, usedCount } = rule;
  const queries = useQueryClient();
  const row = useRef<HTMLLIElement>(null);
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    if (decides) row.current?.scrollIntoView({ block: 'nearest' });
  }, [decides]);
  const remove = async (): Promise<void> => {
    await ask(`/api/chat/tools/rules/${id}`, { method: 'DELETE' });
    await queries.invalidateQueries({ queryKey: KEYS.rules });
  };
  const words = matchWords(match);
  const isOver = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  return (
    <li ref={row} className="card rules-row" data-decides={decides || undefined}>
      <div className="row">
        <span className={`badge ${action === 'allow' ? 'good' : 'bad'}`}>{action === 'allow' ? 'Allow' : 'Deny'}</span>
        <code className="access-name grow">{tool === '*' ? 'every tool' : tool}</code>
        {decides && <span className="badge">decides on this call</span>}
        {mayChange && (
          <button
            type="button"
            className="danger"
            aria-label={`Delete the rule for ${tool}`}
            onClick={() => setAsking(true)}
          >
            Delete
          </button>
        )}
      </div>
      <div className="rules-match small">
        {words.length === 0 && <span className="muted">every call</span>}
        {words.map(({ name, pattern }) => (
          <span key={name}>
            <span className="muted">{name}</span> <code>{pattern}</code>
          </span>
        ))}
      </div>
      <div className="access-facts small muted">
        {scope === 'user' ? (
          <span>in all conversations</span>
        ) : (
          <span>
            in <a href={`#/chat/${conversationId}`}>one conversation</a>
          </span>
        )}
        <span>{usedCount === 0 ? 'not used yet' : usedCount === 1 ? 'used once' : `used ${usedCount} times`}</span>
        {expiresAt !== null && (
          <span>
            {isOver ? 'ended' : 'until'} {timeWords(expiresAt)}
          </span>
        )}
      </div>
      {isAsking && (
        <Confirm title="Delete this rule?" action="Delete" onConfirm={remove} onClose={() => setAsking(false)}>
          Calls that it has {action === 'allow' ? 'allowed' : 'denied'} are decided on without it from now on.
        </Confirm>
      )}
    </li>
  );
}
