import { expect, it } from 'vitest';
import {
  deleteProviderSettings,
  deleteServerSetting,
  getServerSetting,
  listProviderSettings,
  putProviderSettings,
  putServerSetting,
} from '../../../src/storage/settings.ts';
import type { OpenDb } from './backend.ts';

export function settingsTests(db: OpenDb): void {
  it('keeps one row for each provider, the last put', async () => {
    await putProviderSettings(db(), 'anna', 'openai', 'v1.a');
    await putProviderSettings(db(), 'anna', 'groq', 'v1.b');
    await putProviderSettings(db(), 'ben', 'openai', 'v1.c');
    expect((await listProviderSettings(db())).map((row) => ({ ...row }))).toStrictEqual([
      { type: 'groq', owner: 'anna', sealed: 'v1.b' },
      { type: 'openai', owner: 'ben', sealed: 'v1.c' },
    ]);
    expect(await deleteProviderSettings(db(), 'openai')).toBe(true);
    expect(await deleteProviderSettings(db(), 'openai')).toBe(false);
    expect((await listProviderSettings(db())).map((row) => row.type)).toEqual(['groq']);
  });

  it('keeps one value for each key of the server, the last put', async () => {
    expect(await getServerSetting(db(), 'default-provider')).toBeUndefined();
    await putServerSetting(db(), 'anna', 'default-provider', 'openai');
    await putServerSetting(db(), 'anna', 'other', '');
    await putServerSetting(db(), 'ben', 'default-provider', 'groq');
    expect(await getServerSetting(db(), 'default-provider')).toBe('groq');
    expect(await getServerSetting(db(), 'other')).toBe('');
    expect(await deleteServerSetting(db(), 'default-provider')).toBe(true);
    expect(await deleteServerSetting(db(), 'default-provider')).toBe(false);
    expect(await getServerSetting(db(), 'default-provider')).toBeUndefined();
    expect(await getServerSetting(db(), 'other')).toBe('');
  });
}
