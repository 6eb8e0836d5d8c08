import { useEffect } from 'react';
import { useLocation } from 'wouter';
import { conversationName } from './conversation-name.ts';
import { useConversations } from './use-conversations.ts';

/** What the page is called that the address names; '' for a new chat. */
export function usePageName(): string {
  const [location] = useLocation();
  const { conversations } = useConversations('');
  const [, first, id] = location.split('/');
  if (first === 'runs') return 'Runs';
  if (first === 'settings') return 'Settings';
  const open = first === 'chat' ? conversations.find((one) => one.id === id) : undefined;
  return open ? conversationName(open) : '';
}

/** Has the window's title say where one is, and how many approvals wait. */
export function useDocumentTitle(name: string, waiting: number): void {
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${name === '' ? '' : `${name} · `}profclaw`;
  }, [name, waiting]);
}
