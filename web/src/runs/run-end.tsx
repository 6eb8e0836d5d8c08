import type { RunState } from '../../../src/client/run-state.ts';
import type { Run } from '../../../src/client/types.ts';
import { errorWords, stopWords } from './run-words.ts';

/** How a run has ended, and what it says it has done; nothing as long as it goes on. */
export function RunEnd({ run, state }: { run: Run; state: RunState }): React.ReactNode {
  const { end, summary } = state;
  const error = end?.type === 'error' ? end.data : run.error;
  const stopReason = end?.type === 'complete' ? end.data.stopReason : run.stopReason;
  if (!error && !stopReason) return null;
  return (
    <section className="card stack" aria-labelledby="run-end">
      <h2 id="run-end" className="runs-heading">
        How it ended
      </h2>
      {error ? <Failure error={error} /> : stopReason && <p className="runs-text">{stopWords(stopReason)}</p>}
      {summary && (
        <>
          <p className="runs-text runs-summary">{summary.summary}</p>
          <Named name="Files" items={summary.artifacts} isCode />
          <Named name="What comes next" items={summary.nextSteps} />
        </>
      )}
    </section>
  );
}

function Failure({ error }: { error: { code: string; message: string } }): React.ReactNode {
  const words = errorWords(error);
  return (
    <div className={error.code === 'CANCELLED' ? '' : 'bad'}>
      <p className="runs-text">{words}</p>
      {words !== error.message && error.code !== 'CANCELLED' && <p className="runs-text small">{error.message}</p>}
    </div>
  );
}

function Named({ name, items, isCode = false }: { name: string; items: readonly string[]; isCode?: boolean }) {
  if (items.length === 0) return null;
  return (
    <div>
      <h3>{name}</h3>
      <ul>
        {items.map((item) => (
          <li key={item}>{isCode ? <code>{item}</code> : item}</li>
        ))}
      </ul>
    </div>
  );
}
