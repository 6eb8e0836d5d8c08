import { memo } from 'react';
import type { ApprovalState, StepItem, StepState } from '../../../src/client/run-state.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { CallCard } from './call-card.tsx';
import { MessageText } from './message-text.tsx';
import { ReasoningView } from './reasoning-view.tsx';
import { summaryOf } from './summary-of.ts';
import { WorkSummaryView } from './work-summary-view.tsx';
import './step-view.css';

/**
 * One answer of the model: what it reasoned, what it said and what it called, in the order in which it came.
 * @param approvals those of the run; each is shown in the card of its call.
 * @param isLive more of it may come.
 */
export const StepView = memo(function StepView({
  step,
  approvals,
  isLive,
}: {
  step: StepState;
  approvals: readonly ApprovalState[];
  isLive: boolean;
}): React.ReactNode {
  const last = step.items.length - 1;
  return (
    <div className="step">
      {step.items.map((item, index) => (
        <ItemView
          key={item.type === 'call' || item.type === 'said' ? item.id : `${item.type} ${index}`}
          item={item}
          approvals={approvals}
          isLive={isLive}
          isGrowing={isLive && index === last && step.duration === undefined}
        />
      ))}
    </div>
  );
});

function ItemView({
  item,
  approvals,
  isLive,
  isGrowing,
}: {
  item: StepItem;
  approvals: readonly ApprovalState[];
  isLive: boolean;
  isGrowing: boolean;
}): React.ReactNode {
  switch (item.type) {
    case 'reasoning':
      return <ReasoningView item={item} isLive={isGrowing} />;
    case 'text':
      return (
        <div className="step-text">
          <Markdown text={item.text} isStreaming={isGrowing} />
        </div>
      );
    case 'call': {
      const summary = summaryOf(item);
      if (summary) return <WorkSummaryView summary={summary} />;
      return (
        <CallCard
          call={item}
          approval={approvals.findLast(({ toolCallId }) => toolCallId === item.id)}
          isLive={isLive}
        />
      );
    }
    case 'said':
      return (
        <blockquote className="step-said" aria-label="You">
          <MessageText content={item.content} />
        </blockquote>
      );
    case 'note':
      return <p className="step-note">{item.text}</p>;
  }
}
