import { memo } from 'react';
import type { ReasoningItem } from '../../../src/client/run-state.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { durationWords } from './words.ts';
import './reasoning-view.css';

/** What the model reasoned, folded; it stays as the reader has left it while more comes. */
export const ReasoningView = memo(function ReasoningView({
  item,
  isLive,
}: {
  item: ReasoningItem;
  isLive: boolean;
}): React.ReactNode {
  return (
    <details className="reasoning">
      <summary>{title(item, isLive)}</summary>
      <div className="reasoning-text">
        <Markdown text={item.text} isStreaming={isLive} />
      </div>
    </details>
  );
});

function title({ duration }: ReasoningItem, isLive: boolean): string {
  if (duration !== undefined) return `Thought for ${durationWords(duration)}`;
  return isLive ? 'Thinking…' : 'Thoughts';
}
