import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import type { Conversation } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask, askRaw } from '../api/server.ts';
import { toast } from '../ui/toast.tsx';
import { conversationName } from './conversation-name.ts';
import { deleteSoon } from './deletions.ts';
import { download } from './download.ts';
import { focusRow } from './focus-row.ts';

/** What can be done with a conversation from the list; what goes wrong is said in a toast. */
export interface ConversationActions {
  rename(conversation: Conversation, title: string): Promise<void>;
  /** Copies it and goes to the copy. */
  fork(conversation: Conversation): Promise<void>;
  /** Stores it as a file. */
  exportAs(conversation: Conversation, format: 'json' | 'markdown'): Promise<void>;
  /** It is gone at once, and can be taken back for a moment. */
  remove(conversation: Conversation): void;
}

export function useConversationActions(): ConversationActions {
  const queries = useQueryClient();
  const [location, go] = useLocation();
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: KEYS.conversations });
  return {
    rename: (conversation, title) =>
      saying(`“${conversationName(conversation)}” could not be renamed`, async () => {
        await ask(`/api/chat/conversations/${conversation.id}`, { method: 'PATCH', body: { title } });
        await Promise.all([
          refresh(),
          queries.invalidateQueries({ queryKey: [...KEYS.conversation, conversation.id] }),
        ]);
      }),
    fork: (conversation) =>
      saying(`“${conversationName(conversation)}” could not be forked`, async () => {
        const path = `/api/chat/conversations/${conversation.id}/fork`;
        const fork = await ask<{ conversation: Conversation }>(path, { method: 'POST', body: {} });
        void refresh();
        go(`/chat/${fork.conversation.id}`);
      }),
    exportAs: (conversation, format) =>
      saying(`“${conversationName(conversation)}” could not be exported`, async () => {
        const path = `/api/chat/conversations/${conversation.id}/export`;
        const response = await askRaw(path, { query: { format } });
        download(await response.blob(), conversationName(conversation), format === 'json' ? 'json' : 'md');
      }),
    remove: (conversation) => {
      const isOpen = location === `/chat/${conversation.id}`;
      deleteSoon(
        { id: conversation.id, title: conversationName(conversation) },
        {
          onUndo: () => {
            if (isOpen && window.location.hash === '#/') go(`/chat/${conversation.id}`);
            // The button that was pressed is gone.
            focusRow(conversation.id);
          },
          onDone: () => void refresh(),
        },
      );
      if (isOpen) go('/');
    },
  };
}

async function saying(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    toast(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
