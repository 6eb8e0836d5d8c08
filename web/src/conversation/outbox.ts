import { useSyncExternalStore } from 'react';
import { startRun } from '../../../src/client/follow-run.ts';
import type { MessageContent } from '../../../src/client/run-events.ts';
import { SERVER } from '../api/server.ts';
import { keep, keptNames, readKept } from '../login/account-storage.ts';
import { randomId } from '../runs/random-id.ts';
import { deleteMessage } from './delete-message.ts';
import { complainOf, giveBack, type Replaced } from './give-back.ts';
import { patiently } from './patiently.ts';

/** A message on its way to a conversation. */
export interface Outgoing {
  /** Makes it safe to send it again. */
  key: string;
  body: RunRequest;
  /** What is deleted before it is sent. */
  replaces: Replaced | undefined;
  /** That has been deleted. */
  isRemoved: boolean;
  /** The connection is lost; it is being sent again. */
  isLost: boolean;
  /** Undefined until it has begun. */
  runId: string | undefined;
}

/** What a message is sent with. */
export interface RunRequest {
  content: MessageContent;
  securityMode: string;
  effort: string;
}

/** How a message is sent. */
export interface SendingOptions {
  /** Deleted first, with all that followed it. */
  replaces?: Replaced | undefined;
  /** In place of giving it back and saying why; not called after a reload. */
  onFailed?: (why: unknown) => void;
}

/** As kept in this browser, so that a reload does not lose it. */
type Kept = Pick<Outgoing, 'key' | 'body'> & { replaces?: Replaced; sentAt: number };

/** The server knows a key for a day; an older message may have been sent, so it is only given back. In milliseconds. */
const KEY_LIFE_MS = 23 * 3_600_000;

const outgoing = new Map<string, Outgoing>();
const leaving = new Map<string, AbortController>();
const listeners = new Set<() => void>();

/**
 * Sends a message as a run, again and again with the same key until there is an answer; it goes on if the reader goes
 * elsewhere, and after a reload. A conversation has one such message at a time.
 * @returns is it taken? If not, another one is on its way.
 */
export function sendMessage(conversationId: string, body: RunRequest, options: SendingOptions = {}): boolean {
  if (outgoing.has(conversationId)) return false;
  const { replaces, onFailed } = options;
  const key = randomId();
  const kept: Kept = { key, body, ...(replaces ? { replaces } : {}), sentAt: Date.now() };
  keep(nameOf(conversationId), JSON.stringify(kept));
  begin(conversationId, kept, false, onFailed);
  return true;
}

/** Goes on with what was on its way when the page was left. */
export function resumeSending(): void {
  for (const name of keptNames(PLACE)) {
    const conversationId = name.slice(PLACE.length);
    const kept = outgoing.has(conversationId) ? undefined : readOutgoing(name);
    if (!kept) continue;
    if (Date.now() - kept.sentAt < KEY_LIFE_MS) begin(conversationId, kept, true, undefined);
    else {
      keep(name, undefined);
      giveBack(conversationId, kept.body.content);
    }
  }
}

/** The message on its way to a conversation. */
export function useOutgoing(conversationId: string): Outgoing | undefined {
  return useSyncExternalStore(subscribe, () => outgoing.get(conversationId));
}

/** The run shows the message by itself now. */
export function doneSending(conversationId: string, key: string): void {
  if (outgoing.get(conversationId)?.key !== key) return;
  keep(nameOf(conversationId), undefined);
  leaving.delete(conversationId);
  set(conversationId, undefined);
}

/** Sends it no more, and puts it into the composer again. It may have arrived all the same. */
export function takeBack(conversationId: string): void {
  const one = outgoing.get(conversationId);
  if (!one || one.runId !== undefined) return;
  leaving.get(conversationId)?.abort();
  doneSending(conversationId, one.key);
  returnToDraft(conversationId, one);
}

/** @param mayHaveArrived it was being sent before */
function begin(
  conversationId: string,
  kept: Kept,
  mayHaveArrived: boolean,
  onFailed: SendingOptions['onFailed'],
): void {
  const { key, body, replaces } = kept;
  const controller = new AbortController();
  leaving.set(conversationId, controller);
  set(conversationId, { key, body, replaces, isRemoved: false, isLost: false, runId: undefined });
  deliver(conversationId, kept, mayHaveArrived, controller.signal).then(
    (runId) => {
      keep(nameOf(conversationId), undefined);
      change(conversationId, key, { runId, isLost: false });
    },
    (why: unknown) => {
      const one = outgoing.get(conversationId);
      if (controller.signal.aborted || one?.key !== key) return;
      doneSending(conversationId, key);
      if (onFailed) return onFailed(why);
      returnToDraft(conversationId, one);
      complainOf(why);
    },
  );
}

async function deliver(
  conversationId: string,
  { key, body, replaces }: Kept,
  mayHaveArrived: boolean,
  signal: AbortSignal,
): Promise<string> {
  const onLost = (isLost: boolean): void => change(conversationId, key, { isLost });
  if (replaces) {
    const remove = () => deleteMessage(conversationId, replaces.messageId, signal);
    await patiently(remove, { signal, mayHaveArrived, onLost });
    change(conversationId, key, { isRemoved: true, isLost: false });
  }
  return patiently(() => startRun(SERVER, conversationId, body, { signal, key }), { signal, mayHaveArrived, onLost });
}

function returnToDraft(conversationId: string, { body, replaces, isRemoved }: Outgoing): void {
  giveBack(conversationId, body.content, isRemoved ? undefined : replaces);
}

const PLACE = 'outgoing ';

function nameOf(conversationId: string): string {
  return `${PLACE}${conversationId}`;
}

function readOutgoing(name: string): Kept | undefined {
  try {
    return JSON.parse(readKept(name) ?? '') as Kept;
  } catch {
    return undefined;
  }
}

function change(conversationId: string, key: string, to: Partial<Outgoing>): void {
  const before = outgoing.get(conversationId);
  if (before?.key === key) set(conversationId, { ...before, ...to });
}

function set(conversationId: string, one: Outgoing | undefined): void {
  if (one) outgoing.set(conversationId, one);
  else outgoing.delete(conversationId);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
