import { Link } from 'wouter';
import type { Run } from '../../../src/client/types.ts';
import { CancelRun } from './cancel-run.tsx';
import { RunStatus } from './run-status.tsx';
import { costWords, count, durationWords, errorWords, isActive, timeWords } from './run-words.ts';

/** A run in the list. `title`: of its conversation; undefined as long as it is not known. */
export function RunRow({ run, title, now }: { run: Run; title: string | undefined; now: number }): React.ReactNode {
  const lasted = (run.finishedAt === null ? now : Date.parse(run.finishedAt)) - Date.parse(run.createdAt);
  const cost = costWords(run.usage.cost);
  return (
    <li className="card runs-row">
      <div className="row">
        <Link href={`/runs/${run.id}`} className="runs-title grow">
          {title === undefined ? 'Run' : title === '' ? 'Conversation without a title' : title}
        </Link>
        <RunStatus run={run} />
        {isActive(run) && <CancelRun id={run.id} />}
      </div>
      <div className="runs-facts small muted">
        <span>{run.model ?? 'no model'}</span>
        <span>
          {run.steps} of {run.maxSteps} steps
        </span>
        <span>{count(run.usage.totalTokens)} tokens</span>
        {cost !== undefined && <span>{cost}</span>}
        <time dateTime={run.createdAt}>{timeWords(run.createdAt)}</time>
        <span>{durationWords(lasted)}</span>
      </div>
      {run.status === 'failed' && run.error && <div className="small bad">{errorWords(run.error)}</div>}
    </li>
  );
}
