import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Approval } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { ApprovalCard } from '../conversation/approval-card.tsx';
import { Problem } from '../ui/problem.tsx';
import { useTitles } from './use-titles.ts';

/** How often it is looked whether somebody is asked, in milliseconds. */
const EVERY_MS = 5000;

/** All questions that wait for an answer, the oldest first; nothing if there are none. */
export function WaitingApprovals(): React.ReactNode {
  const waiting = useQuery({
    // The number of them is kept beside, under a key of its own.
    queryKey: [...KEYS.approvals, 'waiting'],
    queryFn: () => ask<{ approvals: Approval[] }>('/api/chat/approvals', { query: { status: 'pending', limit: 100 } }),
    refetchInterval: EVERY_MS,
  });
  const approvals = waiting.data?.approvals.toReversed() ?? [];
  const titleOf = useTitles(approvals.map(({ conversationId }) => conversationId));
  if (waiting.isPending || (waiting.data && approvals.length === 0)) return null;
  return (
    <section aria-labelledby="runs-waiting" className="stack">
      <h2 id="runs-waiting" className="runs-heading">
        Waiting for your answer{approvals.length > 1 && ` (${approvals.length})`}
      </h2>
      <Problem error={waiting.error} onRetry={() => void waiting.refetch()} />
      {approvals.map((approval) => (
        <div key={approval.id} className="card stack runs-question">
          <div className="small">
            In{' '}
            <Link href={`/chat/${approval.conversationId}`}>
              {titleOf(approval.conversationId) || 'a conversation'}
            </Link>
            , <Link href={`/runs/${approval.runId}`}>its run</Link>
          </div>
          <h3 className="runs-heading">
            May <code>{approval.toolName}</code> be called?
          </h3>
          <ApprovalCard approval={approval} />
        </div>
      ))}
    </section>
  );
}
