import { EllipsisVertical } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Conversation } from '../../../src/client/types.ts';
import { conversationName } from '../shell/conversation-name.ts';
import { RenameForm } from '../shell/rename-form.tsx';
import { useConversationActions } from '../shell/use-conversation-actions.ts';
import { Menu } from '../ui/menu.tsx';
import { costWords, tokenWords } from './words.ts';
import './conversation-header.css';

/** What a conversation is called, what it has cost, and what can be done with the whole of it. */
export function ConversationHeader({
  conversation,
  lastRunId,
  onFork,
}: {
  conversation: Conversation | undefined;
  lastRunId: string | undefined;
  onFork: () => void;
}): React.ReactNode {
  const actions = useConversationActions();
  const [isRenaming, setIsRenaming] = useState(false);
  const [newName, setNewName] = useState<string>();
  const rename = async (to: Conversation, title: string): Promise<void> => {
    setNewName(title);
    await actions.rename(to, title);
    setNewName(undefined);
  };
  const usage = conversation?.usage;
  return (
    <header className="chat-header">
      {conversation && isRenaming ? (
        <RenameForm
          title={conversation.title}
          onRename={(title) => void rename(conversation, title)}
          onClose={() => setIsRenaming(false)}
        />
      ) : (
        <h1 className="chat-title">
          <bdi>{conversation ? (newName ?? conversationName(conversation)) : ' '}</bdi>
        </h1>
      )}
      {usage !== undefined && usage.totalTokens > 0 && (
        <span className="chat-usage small muted" title="All that was asked here, also of what was deleted">
          {tokenWords(usage.totalTokens)}
          {usage.cost !== null && ` · ${costWords(usage.cost)}`}
        </span>
      )}
      {lastRunId !== undefined && (
        <Link className="small" href={`/runs/${lastRunId}`}>
          Run
        </Link>
      )}
      {conversation && (
        <Menu
          label="More of this conversation"
          items={[
            { label: 'Rename', run: () => setIsRenaming(true) },
            { label: 'Fork', run: onFork },
            { label: 'Export as Markdown', run: () => void actions.exportAs(conversation, 'markdown') },
            { label: 'Export as JSON', run: () => void actions.exportAs(conversation, 'json') },
            { label: 'Delete', isDanger: true, run: () => actions.remove(conversation) },
          ]}
        >
          <EllipsisVertical size={18} aria-hidden />
        </Menu>
      )}
    </header>
  );
}
