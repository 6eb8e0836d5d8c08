import { Pencil } from 'lucide-react';
import { CopyButton } from '../ui/copy-button.tsx';
import { draftOf } from './attachments.ts';
import type { UserEntry } from './entries.ts';
import { MessageText } from './message-text.tsx';
import type { TurnActions } from './use-turn-actions.ts';
import './user-message.css';

/** What a person has said, to be copied, or changed and sent again. */
export function UserMessage({
  entry: { id, content, isSending },
  actions,
}: {
  entry: UserEntry;
  actions: TurnActions;
}): React.ReactNode {
  return (
    <article className="said" aria-label="You">
      <div className="said-text" aria-busy={isSending}>
        <MessageText content={content} />
      </div>
      {id !== undefined && (
        <div className="said-actions">
          <CopyButton text={() => draftOf(content).text} label="Copy message" />
          <button
            type="button"
            className="quiet icon"
            aria-label="Edit and send again"
            title="Edit and send again"
            onClick={() => actions.edit(id, content)}
          >
            <Pencil size={16} aria-hidden />
          </button>
        </div>
      )}
    </article>
  );
}
