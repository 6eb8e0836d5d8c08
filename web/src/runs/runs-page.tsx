import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Run } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { Problem } from '../ui/problem.tsx';
import { RunRow } from './run-row.tsx';
import { isActive, RUN_STATUSES, wordsOf } from './run-words.ts';
import './runs.css';
import { useTitles } from './use-titles.ts';
import { WaitingApprovals } from './waiting-approvals.tsx';

/** How often the list is looked at again while something goes on, and while nothing does, in milliseconds. */
const ACTIVE_MS = 2000;
const IDLE_MS = 15_000;

interface RunsAnswer {
  runs: Run[];
  nextCursor: string | null;
}

/** The runs, newest first, and above them what waits for a person. */
export function RunsPage(): React.ReactNode {
  const [status, setStatus] = useState('');
  const list = useInfiniteQuery({
    queryKey: [...KEYS.runs, 'list', status],
    queryFn: ({ pageParam }) => ask<RunsAnswer>('/api/chat/runs', { query: { limit: 20, status, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: ({ state }) => (state.data?.pages.some(({ runs }) => runs.some(isActive)) ? ACTIVE_MS : IDLE_MS),
  });
  const runs = list.data?.pages.flatMap((page) => page.runs) ?? [];
  const titleOf = useTitles(runs.map(({ conversationId }) => conversationId));
  return (
    <div className="runs-page stack">
      <h1>Runs</h1>
      <WaitingApprovals />
      <section aria-labelledby="runs-all" className="stack">
        <div className="row">
          <h2 id="runs-all" className="grow runs-heading">
            All runs
          </h2>
          <label className="row runs-filter">
            <span>Show</span>
            <select value={status} onChange={(event) => setStatus(event.target.value)}>
              <option value="">all of them</option>
              {RUN_STATUSES.map((one) => (
                <option key={one} value={one}>
                  {wordsOf(one).text}
                </option>
              ))}
            </select>
          </label>
        </div>
        {list.isPending && <p className="muted">Loading …</p>}
        <Problem error={list.error} onRetry={() => void list.refetch()} />
        {list.data && runs.length === 0 && (
          <p className="muted">
            {status === ''
              ? 'Nothing has run yet. A run begins with each message of a conversation.'
              : 'There is none with this state.'}
          </p>
        )}
        <ul className="runs-list stack" aria-label="Runs">
          {runs.map((run) => (
            <RunRow key={run.id} run={run} title={titleOf(run.conversationId)} now={list.dataUpdatedAt} />
          ))}
        </ul>
        {list.hasNextPage && (
          <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show older ones
          </button>
        )}
      </section>
    </div>
  );
}
