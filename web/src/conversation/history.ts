import type { Conversation, Message } from '../../../src/client/types.ts';

/** What is known of a conversation: its last messages, down to where somebody has scrolled. */
export interface History {
  conversation: Conversation;
  /** Oldest first. */
  messages: readonly Message[];
  /** The `seq` before which there are more; null: these are all. */
  before: number | null;
}

/** The server's answer: a page of it. */
export interface HistoryPage {
  conversation: Conversation;
  messages: Message[];
  hasMore: boolean;
  nextBefore: number | null;
}

/** The newest page, with the older messages that are known and still join on to it. */
export function withNewest(known: History | undefined, page: HistoryPage): History {
  const { conversation, messages } = page;
  const before = page.hasMore ? page.nextBefore : null;
  const first = messages[0];
  const last = known?.messages.at(-1);
  // Between what is known and this page others may have come: then it begins anew.
  if (!known || !first || !last || before === null || last.seq < first.seq) return { conversation, messages, before };
  const older = known.messages.filter(({ seq }) => seq < first.seq);
  if (older.length === 0) return { conversation, messages, before };
  return { conversation, messages: [...older, ...messages], before: known.before };
}

/** The same with an older page before it. */
export function withOlder(known: History, page: HistoryPage): History {
  return {
    ...known,
    messages: [...page.messages, ...known.messages],
    before: page.hasMore ? page.nextBefore : null,
  };
}
