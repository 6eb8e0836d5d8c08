import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '../login/use-me.ts';
import { Field } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import './access.css';
import { RuleForm } from './rule-form.tsx';
import { RULES } from './rule-queries.ts';
import { RuleRow } from './rule-row.tsx';
import { matchWords, type Rule } from './rule-words.ts';
import './rules.css';
import { RulesExplain } from './rules-explain.tsx';
import { RulesTools } from './rules-tools.tsx';

/** So few rules are seen without searching. */
const FEW = 5;

/** What tools may do without asking, or not at all; and what that means for a call. */
export function RulesSection(): React.ReactNode {
  const list = useQuery(RULES);
  const mayChange = useMay('tools');
  const [search, setSearch] = useState('');
  const [isAdding, setAdding] = useState(false);
  const [deciding, setDeciding] = useState<string>();
  const rules = list.data ?? [];
  const shown = rules.filter((rule) => rule.id === deciding || fits(rule, search));
  return (
    <section className="stack" aria-labelledby="rules-title">
      <div className="row">
        <h2 id="rules-title" className="grow access-heading">
          Rules
        </h2>
        {mayChange && (
          <button type="button" className="primary" onClick={() => setAdding(true)}>
            <Plus size={16} aria-hidden="true" />
            Add a rule
          </button>
        )}
      </div>
      <p className="muted access-text">
        What tools may do without asking, or not at all. A rule that denies wins over all that allow.
      </p>
      {list.isPending && <p className="muted">Loading …</p>}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.data && rules.length === 0 && (
        <p className="muted">There is none yet. “Allow always” in an answer to a question makes one, too.</p>
      )}
      {rules.length > FEW && (
        <Field label="Search the rules">
          {(field) => (
            <input {...field} type="search" value={search} onChange={(event) => setSearch(event.target.value)} />
          )}
        </Field>
      )}
      {rules.length > 0 && shown.length === 0 && <p className="muted">No rule has that in it.</p>}
      <ul className="access-list stack" aria-label="Rules">
        {shown.map((rule) => (
          <RuleRow key={rule.id} rule={rule} mayChange={mayChange} decides={rule.id === deciding} />
        ))}
      </ul>
      <RulesExplain onDecided={setDeciding} />
      <RulesTools />
      {isAdding && <RuleForm rules={rules} onClose={() => setAdding(false)} />}
    </section>
  );
}

function fits({ tool, match, action }: Rule, search: string): boolean {
  const texts = [action, tool, ...matchWords(match).map(({ pattern }) => pattern)];
  return texts.join(' ').toLowerCase().includes(search.trim().toLowerCase());
}
