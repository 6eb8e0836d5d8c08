import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Problem } from '../ui/problem.tsx';
import { KeyForm } from './key-form.tsx';
import { KeyRow } from './key-row.tsx';
import { useKeys } from './keys-list.ts';
import './access.css';

/** One's own API keys: list, make, revoke. */
export function KeysSection(): React.ReactNode {
  const list = useKeys();
  const [isMaking, setMaking] = useState(false);
  const keys = list.data?.pages.flatMap((page) => page.keys) ?? [];
  return (
    <section className="stack" aria-labelledby="keys-title">
      <div className="row">
        <h2 id="keys-title" className="grow access-heading">
          API keys
        </h2>
        <button type="button" className="primary" onClick={() => setMaking(true)}>
          <Plus size={16} aria-hidden="true" />
          Make a key
        </button>
      </div>
      <p className="muted access-text">
        For programs: a key goes into the header <code>Authorization: Bearer …</code> and acts as you, within its
        scopes.
      </p>
      {list.isPending && <p className="muted">Loading …</p>}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.data && keys.length === 0 && <p className="muted">There is none yet.</p>}
      <ul className="access-list stack" aria-label="API keys">
        {keys.map((key) => (
          <KeyRow key={key.id} apiKey={key} />
        ))}
      </ul>
      {list.hasNextPage && (
        <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show older ones
        </button>
      )}
      {isMaking && <KeyForm onClose={() => setMaking(false)} />}
    </section>
  );
}
