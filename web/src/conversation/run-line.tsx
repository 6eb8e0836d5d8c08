import type { RunState } from '../../../src/client/run-state.ts';
import './run-line.css';

/** One quiet line that says what is going on; said to who does not see it when it changes. */
export function RunLine({
  state,
  isSending,
  isLost,
}: {
  state: RunState | undefined;
  isSending: boolean;
  isLost: boolean;
}): React.ReactNode {
  return (
    <p className="run-line small muted" role="status">
      {words(state, isSending, isLost)}
    </p>
  );
}

function words(state: RunState | undefined, isSending: boolean, isLost: boolean): string {
  if (isLost) return 'Connection lost, trying again…';
  if (!state) return isSending ? 'Sending…' : '';
  const open = state.approvals.filter(({ status }) => status === 'pending').length;
  if (open > 0) return open === 1 ? 'A call waits for your answer.' : `${open} calls wait for your answer.`;
  const step = state.steps.at(-1)?.step ?? 0;
  return step > 1 ? `Answering, step ${step} of at most ${state.session?.maxSteps ?? step}…` : 'Answering…';
}
