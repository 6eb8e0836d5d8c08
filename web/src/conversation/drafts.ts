import { useCallback, useSyncExternalStore } from 'react';
import { keep, readKept, storageName } from '../login/account-storage.ts';
import type { Attachment } from './attachments.ts';

/** What a message is made of. */
export interface Written {
  text: string;
  attachments: readonly Attachment[];
}

/** What is written and not sent yet. Its text outlives a reload; what is attached, and a change of a message, do not. */
export interface Draft extends Written {
  /** Undefined: it will be a new message. */
  editing: Editing | undefined;
}

/** A message that is being changed. */
export interface Editing {
  messageId: string;
  /** What was written before, which comes back. */
  before: Written;
}

const EMPTY: Written = { text: '', attachments: [] };

const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();

/** The draft of a conversation, and how to change it. @param id of the conversation; undefined: the next new one */
export function useDraft(id: string | undefined): [Draft, (change: Partial<Draft>) => void] {
  const draft = useSyncExternalStore(subscribe, () => draftFor(id));
  return [draft, useCallback((change: Partial<Draft>) => changeDraft(id, change), [id])];
}

/** What is written for a conversation. */
export function draftFor(id: string | undefined): Draft {
  const name = storageName(nameOf(id));
  const known = drafts.get(name);
  if (known) return known;
  const draft = { text: readKept(nameOf(id)) ?? '', attachments: [], editing: undefined };
  drafts.set(name, draft);
  return draft;
}

/** Changes what is written for a conversation, from wherever. */
export function changeDraft(id: string | undefined, change: Partial<Draft>): void {
  const draft = { ...draftFor(id), ...change };
  drafts.set(storageName(nameOf(id)), draft);
  const { text } = draft.editing?.before ?? draft;
  keep(nameOf(id), text === '' ? undefined : text);
  for (const listener of listeners) listener();
}

/** Nothing is written any more. */
export function clearDraft(id: string | undefined): void {
  changeDraft(id, { ...EMPTY, editing: undefined });
}

/** Has a message changed in place of what is written, which waits until that is sent or cancelled. */
export function startEditing(id: string, messageId: string, message: Written): void {
  const { editing, text, attachments } = draftFor(id);
  changeDraft(id, { ...message, editing: { messageId, before: editing?.before ?? { text, attachments } } });
}

/** What was written before a message was changed is back. */
export function endEditing(id: string): void {
  changeDraft(id, { ...(draftFor(id).editing?.before ?? EMPTY), editing: undefined });
}

/** Takes out what has been sent; what was written since stays. */
export function takeSent(id: string | undefined, sent: Written): void {
  const { text, attachments } = draftFor(id);
  const ids = new Set(sent.attachments.map((one) => one.id));
  changeDraft(id, {
    text: text.startsWith(sent.text) ? text.slice(sent.text.length).trimStart() : text,
    attachments: attachments.filter((one) => !ids.has(one.id)),
  });
}

/** What was written on for a new conversation is for this one, now that it is made. */
export function moveDraft(id: string): void {
  const { text, attachments } = draftFor(undefined);
  changeDraft(id, { text, attachments });
  clearDraft(undefined);
}

function nameOf(id: string | undefined): string {
  return `draft ${id ?? 'new'}`;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
