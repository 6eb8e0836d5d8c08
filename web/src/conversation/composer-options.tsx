import { useQuery } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { ModelPicker } from '../settings/model-picker.tsx';
import { Field } from '../ui/field.tsx';
import type { ChatSettings } from './chat-settings.ts';
import { EFFORTS } from './modes.ts';

interface Presets {
  default: string;
  presets: { id: string; name: string; description: string }[];
}

/** What a conversation is answered with: model, effort, preset. */
export function ComposerOptions({
  model,
  presetId,
  settings,
  onModel,
  onPreset,
  onSettings,
}: {
  model: string | null;
  /** Undefined: the default one. */
  presetId: string | undefined;
  settings: ChatSettings;
  onModel: (model: string | null) => void;
  onPreset: (presetId: string) => void;
  onSettings: (change: Partial<ChatSettings>) => void;
}): React.ReactNode {
  const { data } = useQuery({
    queryKey: KEYS.presets,
    queryFn: ({ signal }) => ask<Presets>('/api/chat/presets', { query: { limit: 100 }, signal }),
  });
  const chosen = presetId ?? data?.default ?? '';
  return (
    <>
      <ModelPicker label="Model" value={model} onChange={onModel} />
      <Field label="Effort">
        {(attributes) => (
          <select
            {...attributes}
            value={settings.effort}
            onChange={({ target }) =>
              onSettings({ effort: EFFORTS.find(({ value }) => value === target.value)?.value ?? 'medium' })
            }
          >
            {EFFORTS.map(({ value, name }) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Preset" hint={data?.presets.find(({ id }) => id === chosen)?.description}>
        {(attributes) => (
          <select {...attributes} value={chosen} onChange={({ target }) => onPreset(target.value)}>
            {!data?.presets.some(({ id }) => id === chosen) && <option value={chosen}>{chosen}</option>}
            {data?.presets.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}
