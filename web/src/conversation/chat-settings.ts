import { useCallback, useState } from 'react';
import { keep, readKept } from '../login/account-storage.ts';
import { EFFORTS, type Effort, MODES, type Mode } from './modes.ts';

/** How messages of a conversation are sent; kept in this browser. That all is done unasked is chosen anew for each. */
export interface ChatSettings {
  mode: Mode;
  effort: Effort;
}

const USUAL: ChatSettings = { mode: 'ask', effort: 'medium' };

/** The settings of a conversation, and how to change them. @param id of the conversation; undefined: the next new one */
export function useChatSettings(id: string | undefined): [ChatSettings, (change: Partial<ChatSettings>) => void] {
  const [settings, setSettings] = useState(() => readSettings(id));
  const change = useCallback(
    (to: Partial<ChatSettings>) =>
      setSettings((before) => {
        const next = { ...before, ...to };
        keepSettings(id, next);
        return next;
      }),
    [id],
  );
  return [settings, change];
}

/** Keeps them for a conversation. */
export function keepSettings(id: string | undefined, settings: ChatSettings): void {
  keep(nameOf(id), JSON.stringify(settings));
}

function readSettings(id: string | undefined): ChatSettings {
  try {
    const kept = JSON.parse(readKept(nameOf(id)) ?? '{}') as Partial<Record<keyof ChatSettings, unknown>>;
    const mode = MODES.find(({ value }) => value === kept.mode)?.value ?? USUAL.mode;
    const effort = EFFORTS.find(({ value }) => value === kept.effort)?.value ?? USUAL.effort;
    return { mode: id === undefined && mode === 'full' ? USUAL.mode : mode, effort };
  } catch {
    return USUAL;
  }
}

function nameOf(id: string | undefined): string {
  return `chat ${id ?? 'new'}`;
}
