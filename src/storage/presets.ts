import type { Kysely, Selectable } from 'kysely';
import { newId } from '../core/ids.ts';
import { deleteRow, type Page, readPage, requireExisting, timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { isStorable, requireStorable } from './text.ts';

/** A user's own way of talking to a model; `null` leaves the choice to the request or the server. Times are ISO-8601 UTC. */
export interface Preset {
  id: string;
  name: string;
  description: string;
  systemPrompt: string;
  model: string | null;
  temperature: number | null;
  maxTokens: number | null;
  createdAt: string;
  updatedAt: string;
}

/** A new preset, already validated. Left out: an empty description, null for the rest. */
export interface PresetInput {
  name: string;
  description?: string | undefined;
  systemPrompt: string;
  model?: string | null | undefined;
  temperature?: number | null | undefined;
  maxTokens?: number | null | undefined;
}

/** What to change of a preset, already validated; what is left out stays, `null` clears. */
export type PresetPatch = { [Field in keyof PresetInput]?: PresetInput[Field] | undefined };

/**
 * Stores a preset; if the owner has one of that id already, gives that one as it is. Throws InvalidRequestError for
 * text that cannot be stored.
 */
export async function createPreset(
  db: Kysely<Schema>,
  owner: string,
  input: PresetInput,
  id: string = newId('preset'),
): Promise<Preset> {
  requireStorable(input);
  const now = timestamp();
  const row = await db
    .insertInto('presets')
    .values({
      id,
      owner,
      name: input.name,
      description: input.description ?? '',
      system_prompt: input.systemPrompt,
      model: input.model ?? null,
      temperature: input.temperature ?? null,
      max_tokens: input.maxTokens ?? null,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ? toPreset(row) : requireExisting(await getPreset(db, owner, id), id);
}

/** One page of the owner's presets, newest first, and how many there are in all. */
export async function listPresets(
  db: Kysely<Schema>,
  owner: string,
  page: Page,
): Promise<{ presets: Preset[]; total: number }> {
  const query = db.selectFrom('presets').selectAll().where('owner', '=', owner);
  const { rows, total } = await readPage(query.orderBy('created_at', 'desc').orderBy('id', 'desc'), page);
  return { presets: rows.map(toPreset), total };
}

/** The owner's preset of that id, undefined if there is none. */
export async function getPreset(db: Kysely<Schema>, owner: string, id: string): Promise<Preset | undefined> {
  if (!isStorable(id)) return undefined;
  const row = await db
    .selectFrom('presets')
    .selectAll()
    .where('owner', '=', owner)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toPreset(row);
}

/** Changes the owner's preset and gives it as it is then, undefined if there is none. Throws InvalidRequestError like `createPreset`. */
export async function updatePreset(
  db: Kysely<Schema>,
  owner: string,
  id: string,
  patch: PresetPatch,
): Promise<Preset | undefined> {
  requireStorable(patch);
  if (!isStorable(id)) return undefined;
  const row = await db
    .updateTable('presets')
    .set({
      name: patch.name,
      description: patch.description,
      system_prompt: patch.systemPrompt,
      model: patch.model,
      temperature: patch.temperature,
      max_tokens: patch.maxTokens,
      updated_at: timestamp(),
    })
    .where('owner', '=', owner)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row && toPreset(row);
}

/** Deletes the owner's preset; false if there is none. */
export function deletePreset(db: Kysely<Schema>, owner: string, id: string): Promise<boolean> {
  return deleteRow(db, 'presets', owner, id);
}

function toPreset(row: Selectable<Schema['presets']>): Preset {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    systemPrompt: row.system_prompt,
    model: row.model,
    temperature: row.temperature,
    maxTokens: row.max_tokens,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
