import { useId } from 'react';
import type { RunState } from '../../../src/client/run-state.ts';
import type { Run } from '../../../src/client/types.ts';
import { MODES } from '../conversation/modes.ts';
import { costWords, count, durationWords, timeWords } from './run-words.ts';

/**
 * What is known of a run as a whole, and how much of its steps and its budget is used.
 * @param lasted in milliseconds.
 */
export function RunFacts({ run, state, lasted }: { run: Run; state: RunState; lasted: number }): React.ReactNode {
  const steps = Math.max(run.steps, state.steps.length);
  const tokens = Math.max(run.usage.totalTokens, state.usedBudget);
  const model = run.model ?? state.session?.model ?? 'none yet';
  return (
    <div className="card runs-facts-card">
      <Used label="Steps" used={steps} most={run.maxSteps} />
      {run.maxBudget !== null && <Used label="Tokens" used={tokens} most={run.maxBudget} />}
      <dl className="runs-dl">
        <Fact name="Began">{timeWords(run.createdAt)}</Fact>
        <Fact name="Took">{durationWords(lasted)}</Fact>
        <Fact name="Model">{run.provider && !model.includes('/') ? `${run.provider}/${model}` : model}</Fact>
        <Fact name="Tokens">
          {count(tokens)} ({count(run.usage.promptTokens)} read, {count(run.usage.completionTokens)} written)
        </Fact>
        <Fact name="Cost">{costWords(run.usage.cost) ?? 'not known'}</Fact>
        <Fact name="What tools may do">{MODES.find(({ value }) => value === run.securityMode)?.name}</Fact>
        <Fact name="Taken up">{run.attempts === 1 ? 'once' : `${run.attempts} times, after waits and crashes`}</Fact>
      </dl>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }): React.ReactNode {
  return (
    <div>
      <dt className="small muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Used({ label, used, most }: { label: string; used: number; most: number }): React.ReactNode {
  const id = useId();
  return (
    <div className="runs-used">
      <label htmlFor={id}>
        {label}: {count(used)} of {count(most)}
      </label>
      <meter id={id} min={0} max={most} high={most * 0.9} value={Math.min(used, most)} />
    </div>
  );
}
