import { ArrowUp, Paperclip, SlidersHorizontal, Square } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { MessageContent } from '../../../src/client/run-events.ts';
import { defaultName, useProviders } from '../settings/provider-status.ts';
import { useMedia } from '../ui/use-media.ts';
import { AttachmentChips } from './attachment-chips.tsx';
import { contentOf } from './attachments.ts';
import type { ChatSettings } from './chat-settings.ts';
import { ComposerNote } from './composer-note.tsx';
import { endEditing, useDraft } from './drafts.ts';
import { MODES } from './modes.ts';
import { OptionsPanel } from './options-panel.tsx';
import { useAttach } from './use-attach.ts';
import './composer.css';

/**
 * Where a message is written: Enter sends it, Shift+Enter begins a line (without a keyboard, Enter does), Escape twice stops what goes on.
 * @param id of the conversation; undefined: the next new one.
 * @param isBusy a message is on its way; another cannot be sent yet.
 * @param isActive a run goes on: what is sent is said to it.
 * @param onTakeBack there while a message cannot get through.
 * @param model that answers; null: the default one.
 * @param options what is seldom changed, shown on demand.
 */
export function Composer({
  id,
  field,
  isBusy,
  isActive,
  model,
  settings,
  onSettings,
  onSend,
  onStop,
  onTakeBack,
  options,
}: {
  id: string | undefined;
  field: RefObject<HTMLTextAreaElement | null>;
  isBusy: boolean;
  isActive: boolean;
  model: string | null;
  settings: ChatSettings;
  onSettings: (change: Partial<ChatSettings>) => void;
  onSend: (content: MessageContent) => void;
  onStop: () => void;
  onTakeBack?: (() => void) | undefined;
  options: ReactNode;
}): ReactNode {
  const [draft, setDraft] = useDraft(id);
  const attach = useAttach(id);
  const [isShown, setIsShown] = useState(false);
  const [isStopping, setIsStopping] = useState(false);
  useGrow(field, draft.text);
  const isEmpty = draft.text.trim() === '' && draft.attachments.length === 0;
  const send = (): void => {
    if (!isEmpty && !isBusy && !attach.isReading) onSend(contentOf(draft.text, draft.attachments));
  };
  const isTouch = useMedia('(pointer: coarse)');
  const goOn = (): void => {
    // On a phone that would bring the keyboard up.
    if (!isTouch) field.current?.focus();
  };
  const isSteering = isActive && !draft.editing;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && id !== undefined && draft.editing) {
      endEditing(id);
      return;
    }
    const isEscape = event.key === 'Escape' && isActive;
    setIsStopping(isEscape && !isStopping);
    if (isEscape && isStopping) onStop();
    if (event.key !== 'Enter' || isTouch || event.shiftKey || event.ctrlKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const mode = MODES.find(({ value }) => value === settings.mode);
  return (
    <form
      className="composer"
      aria-label="Message"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onPaste={attach.onPaste}
      onDragOver={attach.onDragOver}
      onDrop={attach.onDrop}
    >
      {id !== undefined && draft.editing && (
        <ComposerNote
          text="Editing a message: sending it replaces what followed."
          action="Cancel"
          onAction={() => {
            endEditing(id);
            goOn();
          }}
        />
      )}
      {onTakeBack && (
        <ComposerNote text="Your message has not got through yet." action="Take it back" onAction={onTakeBack} />
      )}
      <AttachmentChips attachments={draft.attachments} onRemove={attach.remove} />
      {attach.problems.map((problem) => (
        <p key={problem} role="alert" className="composer-problem small bad">
          {problem}
        </p>
      ))}
      {isShown && <OptionsPanel {...{ field, setIsShown }}>{options}</OptionsPanel>}
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        enterKeyHint={isTouch ? 'enter' : 'send'}
        aria-label={isSteering ? 'Say something to the run' : 'Message'}
        placeholder={isSteering ? 'Say something to what is running' : 'Message'}
        value={draft.text}
        onChange={(event) => setDraft({ text: event.target.value })}
        onKeyDown={onKeyDown}
      />
      <div className="composer-bar">
        <AttachButton onFiles={attach.add} />
        <select
          className="composer-mode"
          aria-label="What tools may do"
          title={mode?.means}
          value={settings.mode}
          onChange={({ target }) =>
            onSettings({ mode: MODES.find(({ value }) => value === target.value)?.value ?? 'ask' })
          }
        >
          {MODES.map(({ value, name }) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
        <OptionsButton model={model} isShown={isShown} onToggle={() => setIsShown(!isShown)} />
        <span className="composer-means small muted" role="status">
          {isStopping ? 'Press Escape once more to stop.' : mode?.means}
        </span>
        {isActive && (
          <StopButton
            onStop={() => {
              onStop();
              goOn();
            }}
          />
        )}
        <button
          type="submit"
          className="primary icon"
          aria-label={isSteering ? 'Say it to the run' : 'Send'}
          title={isSteering ? 'Say it to the run' : 'Send'}
          disabled={isEmpty || isBusy || attach.isReading}
        >
          <ArrowUp size={18} aria-hidden />
        </button>
      </div>
    </form>
  );
}

function StopButton({ onStop }: { onStop: () => void }): ReactNode {
  return (
    <button type="button" className="icon" aria-label="Stop" title="Stop (Escape twice)" onClick={onStop}>
      <Square size={16} aria-hidden />
    </button>
  );
}

/** Says which model answers. */
function OptionsButton({
  model,
  isShown,
  onToggle,
}: {
  model: string | null;
  isShown: boolean;
  onToggle: () => void;
}): ReactNode {
  const { data } = useProviders();
  return (
    <button
      type="button"
      className="quiet composer-model"
      title="Model and more"
      aria-expanded={isShown}
      onClick={onToggle}
    >
      <SlidersHorizontal size={18} aria-hidden />
      <span className="visually-hidden">Model and more:</span>
      <span className="composer-model-name">{model ?? defaultName(data) ?? 'the default'}</span>
    </button>
  );
}

function AttachButton({ onFiles }: { onFiles: (files: readonly File[]) => void }): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to attach"
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          target.value = '';
        }}
      />
      <button
        type="button"
        className="quiet icon"
        aria-label="Attach files"
        title="Attach files"
        onClick={() => input.current?.click()}
      >
        <Paperclip size={18} aria-hidden />
      </button>
    </>
  );
}

/** Makes it as high as its text, up to what its style allows. */
function useGrow(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is of the text
  useLayoutEffect(() => {
    const { current } = field;
    if (!current) return;
    current.style.height = 'auto';
    current.style.height = `${current.scrollHeight + 2}px`;
  }, [field, text]);
}
