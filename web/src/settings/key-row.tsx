import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { count, timeWords } from '../runs/run-words.ts';
import { Confirm } from '../ui/confirm.tsx';
import { budgetWords, resetWords } from './budget-words.ts';
import type { ApiKey } from './keys-list.ts';

/** An API key, and how to revoke it. */
export function KeyRow({ apiKey }: { apiKey: ApiKey }): React.ReactNode {
  const { id, name, hint, scopes, rateLimit, budget, createdAt, expiresAt, lastUsedAt } = apiKey;
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const isOver = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  const revoke = async (): Promise<void> => {
    await ask(`/api/keys/${id}`, { method: 'DELETE' });
    await queries.invalidateQueries({ queryKey: KEYS.apiKeys });
  };
  return (
    <li className="card">
      <div className="row">
        <span className="access-name grow">{name}</span>
        <code className="small muted">{hint}…</code>
        <button type="button" className="danger" aria-label={`Revoke ${name}`} onClick={() => setAsking(true)}>
          Revoke
        </button>
      </div>
      <div className="row">
        {scopes.map((scope) => (
          <span key={scope} className="badge">
            {scope}
          </span>
        ))}
      </div>
      <div className="access-facts small muted">
        <span>made {timeWords(createdAt)}</span>
        <span>{lastUsedAt === null ? 'never used' : `last used ${timeWords(lastUsedAt)}`}</span>
        {expiresAt !== null && (
          <span className={isOver ? 'bad' : ''}>
            {isOver ? 'expired' : 'expires'} {timeWords(expiresAt)}
          </span>
        )}
        {rateLimit !== null && <span>{count(rateLimit)} requests a minute</span>}
        {budget && (
          <span>
            {budgetWords(budget)}
            {budget.resetsAt !== null && `, ${resetWords(budget)}`}
          </span>
        )}
      </div>
      {isAsking && (
        <Confirm title={`Revoke “${name}”?`} action="Revoke" onConfirm={revoke} onClose={() => setAsking(false)}>
          Whatever uses it is refused from the next request on. This cannot be undone.
        </Confirm>
      )}
    </li>
  );
}
