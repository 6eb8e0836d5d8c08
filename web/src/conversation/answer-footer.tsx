import { GitFork, RotateCcw } from 'lucide-react';
import { CopyButton } from '../ui/copy-button.tsx';
import type { AnswerFacts } from './entries.ts';
import type { TurnActions } from './use-turn-actions.ts';
import { costWords, tokenWords } from './words.ts';
import './answer-footer.css';

/** Below an answer: what can be done with it, who gave it and what it cost. */
export function AnswerFooter({ answer, actions }: { answer: AnswerFacts; actions: TurnActions }): React.ReactNode {
  const { text, model, tokens, cost, messageId, userId, isLast } = answer;
  return (
    <div className="answer-footer">
      {text !== '' && <CopyButton text={text} label="Copy answer" />}
      {isLast && userId !== undefined && (
        <button
          type="button"
          className="quiet icon"
          aria-label="Answer again"
          title="Answer again"
          onClick={() => actions.regenerate(userId)}
        >
          <RotateCcw size={16} aria-hidden />
        </button>
      )}
      <button
        type="button"
        className="quiet icon"
        aria-label="Go on from here in a copy"
        title="Go on from here in a copy"
        onClick={() => actions.fork(messageId)}
      >
        <GitFork size={16} aria-hidden />
      </button>
      <span className="answer-facts">
        {[model, tokens > 0 ? tokenWords(tokens) : null, cost === undefined ? null : costWords(cost)]
          .filter((fact) => fact !== null)
          .join(' · ')}
      </span>
    </div>
  );
}
