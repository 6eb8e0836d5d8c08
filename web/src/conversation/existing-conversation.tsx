import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import { RequestError } from '../../../src/client/client.ts';
import type { MessageContent } from '../../../src/client/run-events.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';
import { useChatSettings } from './chat-settings.ts';
import { Composer } from './composer.tsx';
import { ComposerOptions } from './composer-options.tsx';
import { ConversationHeader } from './conversation-header.tsx';
import { clearDraft, draftFor } from './drafts.ts';
import { EntryView } from './entry-view.tsx';
import type { Replaced } from './give-back.ts';
import { MessageList } from './message-list.tsx';
import { resumeSending, sendMessage, takeBack } from './outbox.ts';
import { RunLine } from './run-line.tsx';
import { useConversation } from './use-conversation.ts';
import { useSteer } from './use-steer.ts';
import { useTurnActions } from './use-turn-actions.ts';

/** A conversation: what was said, what is going on, and where the next message is written. */
export function ExistingConversation({ id }: { id: string }): React.ReactNode {
  const view = useConversation(id);
  const { history, error, isDeleted, entries, active, outgoing, isLost, loadOlder, isLoadingOlder, lastRunId, reload } =
    view;
  const [settings, setSettings] = useChatSettings(id);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(resumeSending, []);
  const { mode, effort } = settings;
  const send = useCallback(
    (content: MessageContent, replaces?: Replaced) =>
      sendMessage(id, { content, securityMode: mode, effort }, { replaces }),
    [id, mode, effort],
  );
  const steer = useSteer(id);
  const focus = useCallback(() => field.current?.focus(), []);
  const actions = useTurnActions(id, view, send, focus);
  const change = useChange(id, reload);
  const conversation = history?.conversation;
  return (
    <section className="chat" aria-label="Conversation">
      <ConversationHeader conversation={conversation} lastRunId={lastRunId} onFork={() => actions.fork(undefined)} />
      {history ? (
        <MessageList entries={entries} loadOlder={loadOlder} isLoadingOlder={isLoadingOlder}>
          {(entry) => <EntryView entry={entry} actions={actions} />}
        </MessageList>
      ) : (
        <div className="chat-empty">
          {error ? <NotLoaded error={error} onRetry={() => void reload()} /> : <p className="muted">Loading…</p>}
        </div>
      )}
      {isDeleted && (
        <p role="alert" className="chat-deleted muted">
          This conversation was deleted. <a href="#/">Begin a new one</a>
        </p>
      )}
      <RunLine state={active?.state} isSending={outgoing !== undefined} isLost={isLost} />
      <Composer
        id={id}
        field={field}
        isBusy={!history || isDeleted || (active ? steer.isBusy : outgoing !== undefined)}
        isActive={active !== undefined}
        model={conversation?.model ?? null}
        settings={settings}
        onSettings={setSettings}
        onSend={(content) => {
          const { editing, ...written } = draftFor(id);
          if (editing) actions.sendEdited(editing.messageId, content);
          else if (active) steer.say(active.id, written);
          else if (send(content)) clearDraft(id);
        }}
        onStop={() => active && steer.stop(active.id)}
        onTakeBack={outgoing?.isLost ? () => takeBack(id) : undefined}
        options={
          <ComposerOptions
            model={conversation?.model ?? null}
            presetId={conversation?.presetId}
            settings={settings}
            onModel={(model) => change({ model })}
            onPreset={(presetId) => change({ presetId })}
            onSettings={setSettings}
          />
        }
      />
      {actions.asked && (
        <Confirm
          title="Send the changed message?"
          action="Delete and send"
          onConfirm={actions.asked.run}
          onClose={actions.dropAsked}
        >
          The message and all that followed it are deleted, and the changed one is sent in its place.
        </Confirm>
      )}
    </section>
  );
}

function NotLoaded({ error, onRetry }: { error: unknown; onRetry: () => void }): React.ReactNode {
  if (!(error instanceof RequestError) || error.status !== 404) return <Problem error={error} onRetry={onRetry} />;
  return (
    <p role="alert" className="muted">
      There is no such conversation, or it is not yours. <a href="#/">Begin a new one</a>
    </p>
  );
}

function useChange(id: string, reload: () => Promise<void>): (change: object) => void {
  const client = useQueryClient();
  return (body) => {
    ask(`/api/chat/conversations/${id}`, { method: 'PATCH', body })
      .then(() => Promise.all([reload(), client.invalidateQueries({ queryKey: KEYS.conversations })]))
      .catch((problem: unknown) => toast(problem instanceof Error ? problem.message : String(problem)));
  };
}
