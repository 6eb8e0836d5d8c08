import { ChevronRight } from 'lucide-react';
import { memo, useState } from 'react';
import type { ApprovalState, CallItem } from '../../../src/client/run-state.ts';
import { ApprovalCard } from './approval-card.tsx';
import { CallArguments } from './call-arguments.tsx';
import { CallResult } from './call-result.tsx';
import { callSummary } from './call-summary.ts';
import { durationWords } from './words.ts';
import './call-card.css';

/** Of what a call has put out so far, the end is shown while it runs. In lines and characters. */
const TAIL_LINES = 10;
const TAIL_CHARS = 4000;

/**
 * A call of a tool: what it does, how it stands, and on demand its arguments and its result; with the question about it
 * while nobody has answered it.
 * @param isLive its run has not ended.
 */
export const CallCard = memo(function CallCard({
  call,
  approval,
  isLive,
}: {
  call: CallItem;
  approval: ApprovalState | undefined;
  isLive: boolean;
}): React.ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const isAsked = isLive && approval?.status === 'pending';
  const { words, look } = statusOf(call, isAsked, isLive);
  const isRunning = isLive && call.status === 'running' && !isAsked;
  return (
    <section className="call" aria-label={`Call of ${call.name}`}>
      <button type="button" className="call-head" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        <ChevronRight className="call-mark" size={16} aria-hidden />
        <span className="call-name">{call.name}</span>
        <span className="call-summary">{callSummary(call.arguments)}</span>
        <span className={`call-status ${look}`}>
          {words}
          {call.duration !== undefined && call.duration >= 100 && `, ${durationWords(call.duration)}`}
        </span>
      </button>
      {isAsked && <ApprovalCard key={approval.id} approval={approval} />}
      {isRunning && !isOpen && call.progress !== '' && <pre className="call-tail">{tailOf(call.progress)}</pre>}
      {isOpen && (
        <div className="call-body">
          <CallArguments name={call.name} given={approval?.editedArguments ?? call.arguments} />
          {call.result === undefined && call.progress !== '' && (
            <pre className="call-tail">{tailOf(call.progress)}</pre>
          )}
          {call.result !== undefined && <CallResult text={call.result} resultId={call.resultId} />}
          {approval && approval.status !== 'pending' && <Answered approval={approval} />}
        </div>
      )}
    </section>
  );
});

function Answered({ approval: { status, decidedBy } }: { approval: ApprovalState }): React.ReactNode {
  const by = decidedBy ? ` by ${decidedBy}` : '';
  const words = { allowed: `Allowed${by}`, denied: `Denied${by}`, expired: 'Nobody answered in time' };
  return <p className="small muted">{status in words ? words[status as keyof typeof words] : 'No longer asked'}</p>;
}

function statusOf(
  { status }: CallItem,
  isAsked: boolean,
  isLive: boolean,
): { words: string; look: 'good' | 'bad' | 'warn' | 'muted' } {
  if (isAsked) return { words: 'waits for you', look: 'warn' };
  switch (status) {
    case 'running':
      return isLive ? { words: 'running…', look: 'muted' } : { words: 'no result', look: 'muted' };
    case 'success':
      return { words: 'done', look: 'good' };
    case 'error':
      return { words: 'failed', look: 'bad' };
    case 'denied':
      return { words: 'not allowed', look: 'warn' };
    case 'cancelled':
      return { words: 'stopped', look: 'muted' };
  }
}

function tailOf(text: string): string {
  return text.slice(-TAIL_CHARS).split('\n').slice(-TAIL_LINES).join('\n');
}
