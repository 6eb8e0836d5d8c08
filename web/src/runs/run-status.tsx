import type { Run } from '../../../src/client/types.ts';
import { stopWords, wordsOf } from './run-words.ts';

/** The state of a run in words and colour. */
export function RunStatus({ run }: { run: Pick<Run, 'status' | 'stopReason'> }): React.ReactNode {
  const { text, tone } = wordsOf(run.status);
  const isShort = run.status === 'completed' && run.stopReason !== null && run.stopReason !== 'completed';
  if (isShort)
    return (
      <span className="badge warn" title={run.stopReason === null ? '' : stopWords(run.stopReason)}>
        Ended early
      </span>
    );
  return <span className={`badge ${tone}`}>{text}</span>;
}
