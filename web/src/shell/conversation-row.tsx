import { Download, Ellipsis, GitFork, Pencil, Trash2 } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Conversation } from '../../../src/client/types.ts';
import { Menu } from '../ui/menu.tsx';
import { conversationName } from './conversation-name.ts';
import { RenameForm } from './rename-form.tsx';
import type { ConversationActions } from './use-conversation-actions.ts';

/** How a conversation stands at the moment. */
export type RowState = 'asking' | 'running' | undefined;

/**
 * One conversation of the list: a link to it, how it stands, and what can be done with it.
 * @param isReached it is the one of the list that Tab comes to. @param onRemove deletes it.
 */
export function ConversationRow({
  conversation,
  state,
  isCurrent,
  isReached,
  actions,
  onRemove,
}: {
  conversation: Conversation;
  state: RowState;
  isCurrent: boolean;
  isReached: boolean;
  actions: ConversationActions;
  onRemove: () => void;
}): ReactNode {
  const name = conversationName(conversation);
  const [isRenaming, setRenaming] = useState(false);
  const [newName, setNewName] = useState<string>();
  const link = useRef<HTMLAnchorElement>(null);
  const wantsFocus = useRef(false);
  useEffect(() => {
    if (!isRenaming && wantsFocus.current) link.current?.focus();
    wantsFocus.current = false;
  }, [isRenaming]);
  const rename = async (title: string): Promise<void> => {
    setNewName(title);
    await actions.rename(conversation, title);
    setNewName(undefined);
  };
  if (isRenaming)
    return (
      <div className="conversation-row">
        <RenameForm
          title={conversation.title}
          onRename={rename}
          onClose={(isByKey) => {
            wantsFocus.current = isByKey;
            setRenaming(false);
          }}
        />
      </div>
    );
  const items = [
    { label: 'Rename', icon: <Pencil size={16} aria-hidden="true" />, run: () => setRenaming(true) },
    { label: 'Fork', icon: <GitFork size={16} aria-hidden="true" />, run: () => void actions.fork(conversation) },
    {
      label: 'Export as Markdown',
      icon: <Download size={16} aria-hidden="true" />,
      run: () => void actions.exportAs(conversation, 'markdown'),
    },
    {
      label: 'Export as JSON',
      icon: <Download size={16} aria-hidden="true" />,
      run: () => void actions.exportAs(conversation, 'json'),
    },
    { label: 'Delete', icon: <Trash2 size={16} aria-hidden="true" />, isDanger: true, run: onRemove },
  ];
  return (
    <div className="conversation-row" data-current={isCurrent}>
      <a
        ref={link}
        className="grow"
        href={`#/chat/${conversation.id}`}
        aria-current={isCurrent ? 'page' : undefined}
        tabIndex={isReached ? 0 : -1}
        onKeyDown={(event) => {
          if (event.key === 'F2') setRenaming(true);
          else if (event.key === 'Delete') onRemove();
          else return;
          event.preventDefault();
        }}
      >
        <bdi title={name.length > 30 ? name : undefined}>{newName ?? name}</bdi>
        <State state={state} />
      </a>
      <Menu label={`More for “${name}”`} items={items} tabIndex={isReached ? 0 : -1}>
        <Ellipsis size={16} aria-hidden="true" />
      </Menu>
    </div>
  );
}

function State({ state }: { state: RowState }): ReactNode {
  if (state === undefined) return null;
  return (
    <span className={`conversation-state ${state}`} title={state === 'asking' ? 'Waits for your answer' : 'Running'}>
      <span className="visually-hidden">{state === 'asking' ? '(waits for your answer)' : '(running)'}</span>
    </span>
  );
}
