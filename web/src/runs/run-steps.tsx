import { useState } from 'react';
import type { RunState, StepState } from '../../../src/client/run-state.ts';
import { StepView } from '../conversation/step-view.tsx';
import { durationWords } from './run-words.ts';

/** The steps of a run, each to be unfolded; the one under way is open. What is asked is shown elsewhere. */
export function RunSteps({ state, isLive }: { state: RunState; isLive: boolean }): React.ReactNode {
  if (state.steps.length === 0) return null;
  const last = state.steps.at(-1)?.step;
  const asked = isLive ? state.approvals.filter(({ status }) => status === 'pending') : [];
  const isAsked = (callId: string): boolean => asked.some(({ toolCallId }) => toolCallId === callId);
  return (
    <section aria-labelledby="run-steps" className="stack">
      <h2 id="run-steps" className="runs-heading">
        Steps
      </h2>
      {state.steps.map((step) => (
        <RunStep
          key={step.step}
          step={step}
          approvals={state.approvals}
          isLive={isLive}
          isCurrent={isLive && step.step === last}
          isAsked={isAsked}
        />
      ))}
    </section>
  );
}

function RunStep({
  step,
  approvals,
  isLive,
  isCurrent,
  isAsked,
}: {
  step: StepState;
  approvals: RunState['approvals'];
  isLive: boolean;
  isCurrent: boolean;
  isAsked: (callId: string) => boolean;
}): React.ReactNode {
  // Of hundreds of steps only those are rendered that somebody has looked at.
  const [wasOpened, setOpened] = useState(isCurrent);
  return (
    <details
      className="card"
      open={isCurrent}
      onToggle={(event) => {
        if (event.currentTarget.open) setOpened(true);
      }}
    >
      <summary>
        Step {step.step}
        <span className="muted small"> {outline(step, isAsked, isLive)}</span>
      </summary>
      {wasOpened && <StepView step={withoutAsked(step, isAsked)} approvals={approvals} isLive={isLive} />}
    </details>
  );
}

function withoutAsked(step: StepState, isAsked: (callId: string) => boolean): StepState {
  if (!step.items.some((item) => item.type === 'call' && isAsked(item.id))) return step;
  return { ...step, items: step.items.filter((item) => item.type !== 'call' || !isAsked(item.id)) };
}

function outline({ items, duration }: StepState, isAsked: (callId: string) => boolean, isLive: boolean): string {
  const calls = items.flatMap((item) =>
    item.type === 'call' ? [isAsked(item.id) ? `${item.name} (waits for an answer)` : item.name] : [],
  );
  const took = duration === undefined ? (isLive ? 'goes on' : 'broken off') : durationWords(duration);
  return `${took} · ${calls.length === 0 ? 'an answer' : calls.join(', ')}`;
}
