import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { RequestError } from '../../../src/client/client.ts';
import type { RunWithCalls } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { ApprovalCard } from '../conversation/approval-card.tsx';
import { Problem } from '../ui/problem.tsx';
import { CancelRun } from './cancel-run.tsx';
import { RunApprovals } from './run-approvals.tsx';
import { RunEnd } from './run-end.tsx';
import { RunFacts } from './run-facts.tsx';
import { RunStatus } from './run-status.tsx';
import { RunSteps } from './run-steps.tsx';
import { isActive } from './run-words.ts';
import './runs.css';
import { SteerRun } from './steer-run.tsx';
import { NO_TIME, withTimes } from './timeline.ts';
import { TimelineTable } from './timeline-table.tsx';
import { useClock } from './use-clock.ts';
import { useRunEvents } from './use-run.ts';
import { useTitles } from './use-titles.ts';

/** One run: what it did, when, and how it ended; live as long as it goes on. */
export function RunPage({ id }: { id: string }): React.ReactNode {
  const queries = useQueryClient();
  const { state: timed, lost, error } = useRunEvents(id, NO_TIME, withTimes);
  const record = useQuery({
    queryKey: [...KEYS.runs, id],
    queryFn: () => ask<{ run: RunWithCalls }>(`/api/chat/runs/${id}`).then(({ run }) => run),
  });
  const run = record.data;
  // What the events do not tell (attempts, tokens and cost so far) is asked for again at each turn of things.
  const { state } = timed;
  const turn = `${state.steps.length} ${state.isWaiting} ${state.approvals.length} ${state.end?.type}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` is what it goes by
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: [...KEYS.runs, id] });
  }, [queries, id, turn]);
  const isLive = state.end === undefined && (run === undefined || isActive(run));
  const now = useClock(isLive);
  const titleOf = useTitles(run ? [run.conversationId] : []);
  const failure = record.error ?? error;
  if (failure && !run) return <NoRun error={failure} onRetry={() => void record.refetch()} />;
  if (!run)
    return (
      <div className="runs-page">
        <h1>Run</h1>
        <p className="muted">Loading …</p>
      </div>
    );
  const pending = isLive ? state.approvals.filter(({ status }) => status === 'pending') : [];
  return (
    <article className="runs-page stack">
      <div>
        <Link href="/runs">All runs</Link>
      </div>
      <header className="row">
        <h1 className="grow runs-heading runs-name">Run in “{titleOf(run.conversationId) || 'a conversation'}”</h1>
        <RunStatus run={run} />
        <Link href={`/chat/${run.conversationId}`} className="button">
          Open the conversation
        </Link>
        {isLive && <CancelRun id={id} />}
      </header>
      {lost && (
        <p role="status" className="muted">
          The connection is lost; trying again …
        </p>
      )}
      {pending.map((approval) => (
        <div key={approval.id} className="card stack runs-question">
          <h2 className="runs-heading">
            May <code>{approval.toolName}</code> be called?
          </h2>
          <ApprovalCard approval={approval} />
        </div>
      ))}
      <RunFacts
        run={run}
        state={state}
        lasted={(timed.endedAt ?? now) - (timed.startedAt ?? Date.parse(run.createdAt))}
      />
      <RunEnd run={run} state={state} />
      {isLive && <SteerRun id={id} />}
      <section aria-labelledby="run-timeline" className="stack">
        <h2 id="run-timeline" className="runs-heading">
          Timeline
        </h2>
        {timed.startedAt === undefined || timed.spans.length === 0 ? (
          <p className="muted">{isLive ? 'It is about to begin …' : 'It has ended before its first step.'}</p>
        ) : (
          <TimelineTable spans={timed.spans} startedAt={timed.startedAt} now={timed.endedAt ?? now} />
        )}
      </section>
      <RunSteps state={state} isLive={isLive} />
      <RunApprovals approvals={run.approvals} />
    </article>
  );
}

function NoRun({ error, onRetry }: { error: Error; onRetry: () => void }): React.ReactNode {
  const isGone = error instanceof RequestError && error.status === 404;
  return (
    <div className="stack runs-page">
      <h1>Run</h1>
      {isGone ? (
        <p>There is no such run: it is gone with its conversation, or it is somebody else’s.</p>
      ) : (
        <Problem error={error} onRetry={onRetry} />
      )}
      <div>
        <Link href="/runs">All runs</Link>
      </div>
    </div>
  );
}
