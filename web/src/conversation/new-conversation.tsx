import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { RequestError } from '../../../src/client/client.ts';
import type { Conversation } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { randomId } from '../runs/random-id.ts';
import { useProviders } from '../settings/provider-status.ts';
import { isFirstStart } from '../start/is-first-start.ts';
import { Problem } from '../ui/problem.tsx';
import { keepSettings, useChatSettings } from './chat-settings.ts';
import { Composer } from './composer.tsx';
import { ComposerOptions } from './composer-options.tsx';
import { changeDraft, draftFor, moveDraft, takeSent } from './drafts.ts';
import { resumeSending, sendMessage } from './outbox.ts';
import { RunLine } from './run-line.tsx';
import { undoStart } from './undo-start.ts';

const FirstStart = lazy(async () => ({ default: (await import('../start/first-start.tsx')).FirstStart }));

const EXAMPLES = [
  'Explain the difference between concurrency and parallelism with an example.',
  'What is in the workspace? Give me an overview of its files.',
  'Write a Markdown table that compares SQLite and PostgreSQL for a small web app.',
  'Read the README and list what is unclear to somebody new.',
];

/** What was chosen for a conversation whose first message was refused, for the next try. */
let refused: { model?: string; presetId?: string } = {};

/** Where a conversation begins: it is made with its first message. */
export function NewConversation(): React.ReactNode {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const focus = (): void => field.current?.focus();
    focus();
    // “New chat” is chosen here, too.
    window.addEventListener('hashchange', focus);
    return () => window.removeEventListener('hashchange', focus);
  }, []);
  useEffect(resumeSending, []);
  const client = useQueryClient();
  const [settings, setSettings] = useChatSettings(undefined);
  const [model, setModel] = useState<string | null>(refused.model ?? null);
  const [presetId, setPresetId] = useState(refused.presetId);
  const { start, isStarting, isLost, error } = useStart();
  const write = (text: string): void => {
    changeDraft(undefined, { text });
    field.current?.focus();
  };
  return (
    <section className="chat" aria-label="New conversation">
      <div className="chat-empty">
        <h1>New conversation</h1>
        <Beginning onReady={() => field.current?.focus()} onTry={write} />
        <Problem error={error} />
      </div>
      <RunLine state={undefined} isSending={isStarting} isLost={isLost} />
      <Composer
        id={undefined}
        field={field}
        isBusy={isStarting}
        isActive={false}
        model={model}
        settings={settings}
        onSettings={setSettings}
        onSend={(content) => {
          const { mode, effort } = settings;
          const about = { ...(model === null ? {} : { model }), ...(presetId === undefined ? {} : { presetId }) };
          const written = draftFor(undefined);
          start(about, (id) => {
            refused = {};
            keepSettings(id, settings);
            const onFailed = (why: unknown): void => {
              refused = about;
              void undoStart(id, content, why, client);
            };
            sendMessage(id, { content, securityMode: mode, effort }, { onFailed });
            takeSent(undefined, written);
            moveDraft(id);
          });
        }}
        onStop={() => {}}
        options={
          <ComposerOptions
            model={model}
            presetId={presetId}
            settings={settings}
            onModel={setModel}
            onPreset={setPresetId}
            onSettings={setSettings}
          />
        }
      />
    </section>
  );
}

function Beginning({ onReady, onTry }: { onReady: () => void; onTry: (text: string) => void }): React.ReactNode {
  const { data } = useProviders();
  if (!data) return null;
  if (isFirstStart(data))
    return (
      <Suspense fallback={<p className="muted">Loading…</p>}>
        <FirstStart onReady={onReady} onTry={onTry} />
      </Suspense>
    );
  return (
    <>
      <p className="muted">Ask anything. Tools may read the workspace; before they change something you are asked.</p>
      <ul className="chat-examples">
        {EXAMPLES.map((text) => (
          <li key={text}>
            <button type="button" onClick={() => onTry(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Makes the conversation, once, and goes there; its first message is on its way by then. */
function useStart(): {
  start: (about: object, onMade: (id: string) => void) => void;
  isStarting: boolean;
  isLost: boolean;
  error: unknown;
} {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const isBusy = useRef(false);
  const [isStarting, setIsStarting] = useState(false);
  const [isLost, setIsLost] = useState(false);
  const [error, setError] = useState<unknown>();
  const start = (about: object, onMade: (id: string) => void): void => {
    if (isBusy.current) return;
    isBusy.current = true;
    setIsStarting(true);
    setError(undefined);
    create(about, () => setIsLost(true))
      .then((id) => {
        onMade(id);
        void client.invalidateQueries({ queryKey: KEYS.conversations });
        navigate(`/chat/${id}`);
      })
      .catch(setError)
      .finally(() => {
        isBusy.current = false;
        setIsStarting(false);
        setIsLost(false);
      });
  };
  return { start, isStarting, isLost, error };
}

const PAUSE_MS = 1000;

async function create(body: object, onLost: () => void): Promise<string> {
  const headers = { 'idempotency-key': randomId() };
  for (;;) {
    try {
      const { conversation } = await ask<{ conversation: Conversation }>('/api/chat/conversations', {
        ...{ method: 'POST', body, headers },
      });
      return conversation.id;
    } catch (error) {
      if (!(error instanceof RequestError) || error.status !== 0) throw error;
      onLost();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
