import type { MessageContent } from '../../../src/client/run-events.ts';
import { toast } from '../ui/toast.tsx';
import { draftOf } from './attachments.ts';
import { changeDraft, draftFor, startEditing } from './drafts.ts';

/** A message that another one was to be replaced with. */
export interface Replaced {
  messageId: string;
  /** False: the same is said again. */
  isEdited: boolean;
}

/** Says why a message was not sent. */
export function complainOf(why: unknown): void {
  toast(`Not sent: ${why instanceof Error ? why.message : String(why)}`);
}

/**
 * Puts a message that could not be sent into the composer again.
 * @param id of the conversation; undefined: the next new one.
 * @param replaced what it should have replaced, and still stands in the conversation.
 */
export function giveBack(id: string | undefined, content: MessageContent, replaced?: Replaced): void {
  const back = draftOf(content);
  if (id !== undefined && replaced) {
    if (replaced.isEdited) startEditing(id, replaced.messageId, back);
    return;
  }
  const { text, attachments } = draftFor(id);
  const joined = text.trim() === '' ? back.text : `${back.text}\n${text}`;
  changeDraft(id, { text: joined, attachments: [...back.attachments, ...attachments] });
}
