import type { QueryClient } from '@tanstack/react-query';
import type { MessageContent } from '../../../src/client/run-events.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { complainOf, giveBack } from './give-back.ts';
import type { HistoryPage } from './history.ts';

/** A conversation whose first message was refused is not left behind: everything is as before it was sent. */
export async function undoStart(id: string, content: MessageContent, why: unknown, client: QueryClient): Promise<void> {
  complainOf(why);
  const path = `/api/chat/conversations/${id}`;
  const isHere = window.location.hash === `#/chat/${id}`;
  giveBack(isHere ? undefined : id, content);
  if (!isHere) return;
  window.location.hash = '#/';
  try {
    const { messages } = await ask<HistoryPage>(path, { query: { limit: 1 } });
    if (messages.length === 0) await ask(path, { method: 'DELETE' });
  } catch {
    // It stays, and can be deleted by hand.
  }
  void client.invalidateQueries({ queryKey: KEYS.conversations });
}
