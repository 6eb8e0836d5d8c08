import { count } from '../runs/run-words.ts';
import type { ChangedCall } from './rule-simulation.ts';

const WORDS = { allow: 'carried out', ask: 'asked about', refuse: 'refused' } as const;

/** What a rule would have changed about past calls. `calls`: how many there were in all. */
export function RuleChanges({
  changes: { calls, changed },
}: {
  changes: { calls: number; changed: readonly ChangedCall[] };
}): React.ReactNode {
  if (calls === 0) return <p className="muted access-text">No tool was called in the last runs.</p>;
  return (
    <>
      <p className="access-text">
        {changed.length === 0
          ? `Nothing about the ${count(calls)} calls of the last runs.`
          : `${count(changed.length)} of the ${count(calls)} calls of the last runs:`}
      </p>
      <ul className="rules-changes small">
        {changed.map((call) => (
          <li key={call.id}>
            <code>
              {call.tool} {JSON.stringify(call.arguments).slice(0, 200)}
            </code>{' '}
            {WORDS[call.after]} instead of {WORDS[call.before]}
          </li>
        ))}
      </ul>
    </>
  );
}
