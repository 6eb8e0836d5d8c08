import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { VList, type VListHandle } from 'virtua';
import { useRoute } from 'wouter';
import type { Conversation } from '../../../src/client/types.ts';
import { ConversationRow } from './conversation-row.tsx';
import { dayGroup } from './day-groups.ts';
import { focusRow } from './focus-row.ts';
import { ListItem } from './list-item.tsx';
import { MoreRow } from './more-row.tsx';
import type { Activity } from './use-activity.ts';
import { useConversationActions } from './use-conversation-actions.ts';
import './conversation-list.css';

/**
 * Conversations by day, of which only those are in the page that are seen. Tab comes to one of them, arrow keys go on
 * from there, F2 renames, Delete deletes.
 * @param more there are more of them at the server; called as the end comes near.
 */
export function ConversationList({
  conversations,
  activity,
  more,
}: {
  conversations: readonly Conversation[];
  activity: Activity;
  more: { fetch: () => void; error: Error | null } | undefined;
}): ReactNode {
  const [, route] = useRoute('/chat/:id');
  const actions = useConversationActions();
  const rows = useRows(conversations, route?.id);
  const now = new Date();
  return (
    <VList
      ref={rows.list}
      role="list"
      aria-label="Conversations"
      className="conversation-list"
      item={ListItem}
      keepMounted={rows.kept}
      onKeyDown={rows.onKeyDown}
      onFocus={rows.onFocus}
    >
      {conversations.map((conversation, index) => {
        const group = dayGroup(conversation.updatedAt, now);
        const before = conversations[index - 1];
        const isFirst = before === undefined || dayGroup(before.updatedAt, now) !== group;
        return (
          <div key={conversation.id} data-row={conversation.id}>
            {isFirst && <h2 className="conversation-group">{group}</h2>}
            <ConversationRow
              conversation={conversation}
              state={stateOf(conversation, activity)}
              isCurrent={conversation.id === route?.id}
              isReached={index === rows.reached}
              actions={actions}
              onRemove={() => {
                rows.leave(index);
                actions.remove(conversation);
              }}
            />
          </div>
        );
      })}
      {more ? <MoreRow key="more" count={conversations.length} {...more} /> : []}
    </VList>
  );
}

function stateOf({ id }: Conversation, { asking, running }: Activity): 'asking' | 'running' | undefined {
  if (asking.has(id)) return 'asking';
  return running.has(id) ? 'running' : undefined;
}

/** Which row the keyboard has reached, and how it goes on from there. */
function useRows(conversations: readonly Conversation[], current: string | undefined) {
  const list = useRef<VListHandle>(null);
  const [reachedId, setReachedId] = useState<string>();
  const from = useRef<string>(undefined);
  const indexOf = (id: string | undefined): number => conversations.findIndex((one) => one.id === id);
  // The one of the keyboard, else the one that is open, else the first.
  const reached =
    [indexOf(reachedId), indexOf(current), Math.min(0, conversations.length - 1)].find((at) => at >= 0) ?? -1;
  const moveTo = (index: number): void => {
    const target = conversations[index];
    if (!target) return;
    from.current = reachedId;
    setReachedId(target.id);
    list.current?.scrollToIndex(index, { align: 'nearest' });
    focusRow(target.id);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!(event.target instanceof HTMLAnchorElement)) return;
    const last = conversations.length - 1;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: Math.min(reached + 1, last),
      ArrowUp: Math.max(reached - 1, 0),
      PageDown: Math.min(reached + 10, last),
      PageUp: Math.max(reached - 10, 0),
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    moveTo(next);
  };
  const onFocus = ({ target }: { target: EventTarget }): void => {
    const id = target instanceof HTMLElement ? target.closest<HTMLElement>('[data-row]')?.dataset.row : undefined;
    if (id !== undefined) setReachedId(id);
  };
  /** The row there is about to go: the keyboard goes to its neighbour. */
  const leave = (index: number): void => moveTo(index + 1 < conversations.length ? index + 1 : index - 1);
  // Neither the row that has the focus nor the one that gets it may be taken away meanwhile.
  const kept = [...new Set([reached, indexOf(from.current)])].filter((at) => at >= 0);
  return { list, reached, kept, onKeyDown, onFocus, leave };
}
