import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createPreset, deletePreset, getPreset, listPresets, updatePreset } from '../../../src/storage/presets.ts';
import { newOwner, type OpenDb } from './backend.ts';

export function presetTests(db: OpenDb): void {
  it('creates with defaults and gives exactly the promised fields', async () => {
    const owner = newOwner();
    const preset = await createPreset(db(), owner, { name: 'N', systemPrompt: 'You are.' });
    expect(preset).toStrictEqual({
      id: expect.stringMatching(/^preset_[0-9a-z]{24}$/),
      name: 'N',
      description: '',
      systemPrompt: 'You are.',
      model: null,
      temperature: null,
      maxTokens: null,
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: preset.createdAt,
    });
    expect(await getPreset(db(), owner, preset.id)).toStrictEqual(preset);
  });

  it('keeps numbers exactly', async () => {
    const owner = newOwner();
    for (const [temperature, maxTokens] of [
      [0, 1],
      [0.1, 4096],
      [0.7, 2 ** 31],
      [1 / 3, 2 ** 33],
      [2, Number.MAX_SAFE_INTEGER],
    ] as const) {
      const preset = await createPreset(db(), owner, { name: 'N', systemPrompt: '', temperature, maxTokens });
      expect(await getPreset(db(), owner, preset.id)).toMatchObject({ temperature, maxTokens });
    }
  });

  it('changes the given fields only, and null clears', async () => {
    const owner = newOwner();
    const full = { name: 'N', description: 'D', systemPrompt: 'S', model: 'openai/gpt', temperature: 1, maxTokens: 9 };
    const preset = await createPreset(db(), owner, full);
    expect(preset).toMatchObject(full);
    await sleep(5);
    const changed = await updatePreset(db(), owner, preset.id, { systemPrompt: 'S2', name: 'N2' });
    expect(changed).toStrictEqual({ ...preset, systemPrompt: 'S2', name: 'N2', updatedAt: changed?.updatedAt });
    expect(changed?.updatedAt.localeCompare(preset.updatedAt)).toBe(1);
    const cleared = await updatePreset(db(), owner, preset.id, { model: null, temperature: null, maxTokens: null });
    expect(cleared).toMatchObject({ description: 'D', model: null, temperature: null, maxTokens: null });
    expect(await getPreset(db(), owner, preset.id)).toStrictEqual(cleared);
  });

  it('lists newest first, in pages, with the total', async () => {
    const owner = newOwner();
    for (const name of ['a', 'b', 'c']) await createPreset(db(), owner, { name, systemPrompt: '' });
    const { presets, total } = await listPresets(db(), owner, { limit: 2, offset: 0 });
    expect([total, ...presets.map((preset) => preset.name)]).toEqual([3, 'c', 'b']);
    expect((await listPresets(db(), owner, { limit: 2, offset: 2 })).presets.map((p) => p.name)).toEqual(['a']);
  });

  it('orders by the time of creation, and by id within a millisecond', async () => {
    const owner = newOwner();
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) ids.push((await createPreset(db(), owner, { name, systemPrompt: '' })).id);
    const at = (created_at: string, of: string[]) =>
      db().updateTable('presets').set({ created_at }).where('id', 'in', of).execute();
    await at('2026-01-02T00:00:00.000Z', ids.slice(0, 2));
    await at('2026-01-01T00:00:00.000Z', ids.slice(2));
    const { presets } = await listPresets(db(), owner, { limit: 10, offset: 0 });
    expect(presets.map((preset) => preset.name)).toEqual(['b', 'a', 'd', 'c']);
  });

  it('shows, changes and deletes nothing for a foreign owner', async () => {
    const owner = newOwner();
    const stranger = newOwner();
    const preset = await createPreset(db(), owner, { name: 'N', systemPrompt: 'S' });
    expect(await getPreset(db(), stranger, preset.id)).toBeUndefined();
    expect(await listPresets(db(), stranger, { limit: 10, offset: 0 })).toEqual({ presets: [], total: 0 });
    expect(await listPresets(db(), stranger, { limit: 10, offset: 1 })).toEqual({ presets: [], total: 0 });
    expect(await updatePreset(db(), stranger, preset.id, { name: 'stolen' })).toBeUndefined();
    expect(await deletePreset(db(), stranger, preset.id)).toBe(false);
    expect(await getPreset(db(), owner, preset.id)).toStrictEqual(preset);
    expect(await deletePreset(db(), owner, preset.id)).toBe(true);
    expect(await deletePreset(db(), owner, preset.id)).toBe(false);
  });
}
