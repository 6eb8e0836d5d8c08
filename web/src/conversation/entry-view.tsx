import { memo } from 'react';
import { Link } from '../markdown/link.tsx';
import { AnswerFooter } from './answer-footer.tsx';
import { EndNote } from './end-note.tsx';
import type { Entry } from './entries.ts';
import { StepView } from './step-view.tsx';
import type { TurnActions } from './use-turn-actions.ts';
import { UserMessage } from './user-message.tsx';

/** One entry of the list. */
export const EntryView = memo(function EntryView({
  entry,
  actions,
}: {
  entry: Entry;
  actions: TurnActions;
}): React.ReactNode {
  switch (entry.type) {
    case 'user':
      return <UserMessage entry={entry} actions={actions} />;
    case 'step':
      return (
        <article aria-label="Answer">
          <StepView step={entry.step} approvals={entry.approvals} isLive={entry.isLive} />
          <Sources message={entry.message} />
          {entry.message?.finishReason === 'length' && (
            <p className="small warn">The answer was cut off: it had reached its greatest length.</p>
          )}
          {entry.answer && <AnswerFooter answer={entry.answer} actions={actions} />}
        </article>
      );
    case 'end':
      return <EndNote entry={entry} actions={actions} />;
  }
});

function Sources({
  message,
}: {
  message: { sources?: { url: string; title?: string | undefined }[] | undefined } | undefined;
}): React.ReactNode {
  const sources = message?.sources?.filter(({ url }) => /^https?:\/\//i.test(url)) ?? [];
  if (sources.length === 0) return null;
  return (
    <details className="small">
      <summary>
        {sources.length} {sources.length === 1 ? 'source' : 'sources'}
      </summary>
      <ol>
        {sources.map(({ url, title }) => (
          <li key={url}>
            <Link address={url} text={title ?? url}>
              {title ?? url}
            </Link>
          </li>
        ))}
      </ol>
    </details>
  );
}
