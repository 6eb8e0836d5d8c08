import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { RequestError } from '../../../src/client/client.ts';
import type { MessageContent } from '../../../src/client/run-events.ts';
import type { Conversation, Message } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { randomId } from '../runs/random-id.ts';
import { toast } from '../ui/toast.tsx';
import { draftOf } from './attachments.ts';
import { endEditing, startEditing } from './drafts.ts';
import type { Replaced } from './give-back.ts';
import type { ConversationView } from './use-conversation.ts';

/** What can be done with what stands in a conversation. */
export interface TurnActions {
  /** Puts a message into the composer, to be changed; nothing is deleted yet. */
  edit: (messageId: string, content: MessageContent) => void;
  regenerate: (userMessageId: string) => void;
  /** @param messageId the last message of the copy; undefined: all of it */
  fork: (messageId: string | undefined) => void;
  retry: () => void;
  isRetrying: boolean;
  /** Sends what the message being changed has become, in its place. */
  sendEdited: (messageId: string, content: MessageContent) => void;
  /** An edited message that takes more than its own turn with it waits for a yes. */
  asked: { run: () => void } | undefined;
  dropAsked: () => void;
}

/**
 * @param send sends a message, in place of another one; false if one is on its way.
 * @param onEdit called when a message is in the composer.
 */
export function useTurnActions(
  id: string,
  { history, reload, expectRun }: ConversationView,
  send: (content: MessageContent, replaces: Replaced) => boolean,
  onEdit: () => void,
): TurnActions {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [asked, setAsked] = useState<TurnActions['asked']>();
  const { retry, isRetrying } = useRetry(id, reload, expectRun);
  const messages = history?.messages;

  const edit = useCallback(
    (messageId: string, content: MessageContent) => {
      startEditing(id, messageId, draftOf(content));
      onEdit();
    },
    [id, onEdit],
  );
  const sendEdited = useCallback(
    (messageId: string, content: MessageContent) => {
      const run = (): void => {
        if (send(content, { messageId, isEdited: true })) endEditing(id);
      };
      if (isLastTurn(messages, messageId)) run();
      else setAsked({ run });
    },
    [id, messages, send],
  );
  const regenerate = useCallback(
    (messageId: string) => {
      const content = messages?.find((message) => message.id === messageId)?.content;
      if (content !== undefined) send(content, { messageId, isEdited: false });
    },
    [messages, send],
  );
  const isForking = useRef(false);
  const fork = useCallback(
    (messageId: string | undefined) => {
      if (isForking.current) return;
      isForking.current = true;
      const headers = { 'idempotency-key': randomId() };
      const body = messageId === undefined ? {} : { messageId };
      ask<{ conversation: Conversation }>(`/api/chat/conversations/${id}/fork`, { method: 'POST', body, headers })
        .then(({ conversation }) => {
          void client.invalidateQueries({ queryKey: KEYS.conversations });
          navigate(`/chat/${conversation.id}`);
          toast('This is a copy. What you say here does not change the other one.');
        })
        .catch(complain)
        .finally(() => {
          isForking.current = false;
        });
    },
    [id, client, navigate],
  );
  const dropAsked = useCallback(() => setAsked(undefined), []);
  return useMemo(
    () => ({ edit, sendEdited, regenerate, fork, retry, isRetrying, asked, dropAsked }),
    [edit, sendEdited, regenerate, fork, retry, isRetrying, asked, dropAsked],
  );
}

/** Has what failed tried again; its run is found as one that somebody else has begun. */
function useRetry(
  id: string,
  reload: () => Promise<void>,
  expectRun: (isExpected: boolean) => void,
): { retry: () => void; isRetrying: boolean } {
  const [isRetrying, setIsRetrying] = useState(false);
  const retry = useCallback(() => {
    setIsRetrying(true);
    expectRun(true);
    const headers = { 'idempotency-key': randomId() };
    ask(`/api/chat/conversations/${id}/retry`, { method: 'POST', body: {}, headers })
      .catch((problem: unknown) => {
        // What a turn failed with stands in the conversation; a refusal does not.
        const isKept =
          problem instanceof RequestError && ('messageId' in problem.details || 'runId' in problem.details);
        if (!isKept) complain(problem);
      })
      .finally(() => {
        setIsRetrying(false);
        expectRun(false);
        void reload();
      });
  }, [id, reload, expectRun]);
  return { retry, isRetrying };
}

function isLastTurn(messages: readonly Message[] | undefined, messageId: string): boolean {
  const users = messages?.filter(({ role }) => role === 'user') ?? [];
  const at = users.findIndex((message) => message.id === messageId);
  // A run's own message is shown before it is known here.
  return at === -1 || at === users.length - 1;
}

function complain(problem: unknown): void {
  toast(problem instanceof Error ? problem.message : String(problem));
}
