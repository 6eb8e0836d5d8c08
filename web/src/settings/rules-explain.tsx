import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ask } from '../api/server.ts';
import { MODES } from '../conversation/modes.ts';
import { Field } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { issuesOf } from './field-issues.ts';
import { RuleArguments, readArguments } from './rule-arguments.tsx';
import { TOOLS } from './rule-queries.ts';
import { DECISIONS, type Decision } from './rule-words.ts';

/** Asks beforehand what would happen to a call. `onDecided`: the id of the rule that decides; undefined: none. */
export function RulesExplain({ onDecided }: { onDecided: (rule: string | undefined) => void }): React.ReactNode {
  const tools = useQuery(TOOLS);
  const [tool, setTool] = useState('exec');
  const [mode, setMode] = useState('ask');
  const [text, setText] = useState('');
  const explain = useMutation({
    mutationFn: () => {
      const read = readArguments(tool, text);
      if ('problem' in read) throw new ArgumentsProblem(read.problem);
      const body = { tool, arguments: read.arguments, securityMode: mode };
      return ask<Decision>('/api/chat/tools/explain', { method: 'POST', body });
    },
    onSuccess: ({ rule }) => onDecided(rule ?? undefined),
    onError: () => onDecided(undefined),
  });
  const { error } = explain;
  const isOwn = error instanceof ArgumentsProblem;
  const issues = issuesOf(isOwn ? undefined : error, ['tool', 'arguments', 'securityMode']);
  const change = (set: () => void): void => {
    set();
    explain.reset();
    onDecided(undefined);
  };
  return (
    <form
      className="card stack"
      aria-labelledby="rules-explain"
      onSubmit={(event) => {
        event.preventDefault();
        explain.mutate();
      }}
    >
      <h3 id="rules-explain" className="access-heading">
        What would happen to a call?
      </h3>
      <div className="rules-fields">
        <Field label="Tool" error={issues.at('tool')}>
          {(field) => (
            <select {...field} value={tool} onChange={(event) => change(() => setTool(event.target.value))}>
              {(tools.data?.tools ?? [{ name: 'exec' }]).map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label="What tools may do"
          hint={MODES.find(({ value }) => value === mode)?.means}
          error={issues.at('securityMode')}
        >
          {(field) => (
            <select {...field} value={mode} onChange={(event) => change(() => setMode(event.target.value))}>
              {MODES.map(({ value, name }) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <RuleArguments
        tool={tool}
        value={text}
        error={isOwn ? error.message : issues.at('arguments')}
        onChange={(value) => change(() => setText(value))}
      />
      <div>
        <button type="submit" disabled={explain.isPending}>
          Explain
        </button>
      </div>
      <Problem error={issues.rest} />
      <div role="status">{explain.data && <Said decision={explain.data} />}</div>
    </form>
  );
}

class ArgumentsProblem extends Error {}

function Said({ decision: { decision, rule, reason } }: { decision: Decision }): React.ReactNode {
  const { text, tone } = DECISIONS[decision];
  return (
    <>
      <strong className={tone}>{text}.</strong> {reason}
      {rule !== null && <span className="muted"> The rule is marked in the list.</span>}
    </>
  );
}
