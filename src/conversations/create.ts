import { contextBlocks } from '../chat/complete.ts';
import { DEFAULT_PRESET, findPreset } from '../chat/presets.ts';
import type { JsonObject } from '../core/json.ts';
import { NotFoundError } from '../errors.ts';
import { chooseModel } from '../providers/choose.ts';
import {
  type ConversationInput,
  type ConversationRow,
  createConversation,
  lockConversation,
  writeConversation,
} from '../storage/conversations.ts';
import { timestamp } from '../storage/rows.ts';
import { requireStorable } from '../storage/text.ts';
import { ticketIdOf } from '../storage/tickets.ts';
import type { ConversationContext } from './context.ts';
import { type Conversation, toConversation } from './stored.ts';

/** What a conversation begins with, already validated. */
export interface ConversationFields {
  title?: string | undefined;
  presetId?: string | undefined;
  taskId?: string | undefined;
  ticketId?: string | undefined;
  /** Absent: the preset's; null: none. */
  model?: string | null | undefined;
  systemPrompt?: string | null | undefined;
  temperature?: number | null | undefined;
  maxTokens?: number | null | undefined;
  metadata?: JsonObject | undefined;
}

/** What to change of it; what is left out stays, `null` clears. */
export interface ConversationPatch {
  title?: string | undefined;
  presetId?: string | undefined;
  model?: string | null | undefined;
  systemPrompt?: string | null | undefined;
  temperature?: number | null | undefined;
  maxTokens?: number | null | undefined;
  metadata?: JsonObject | undefined;
}

/**
 * Begins a conversation. A preset is applied now: what becomes of it later changes nothing here.
 * @throws NotFoundError for a preset, task or ticket that is not there, AppError for a model that is none.
 */
export async function beginConversation(
  context: ConversationContext,
  fields: ConversationFields,
): Promise<Conversation> {
  const { db, owner, providers } = context;
  const { taskId, ticketId, model } = fields;
  await contextBlocks(context, { taskId, ticketId });
  if (typeof model === 'string') await chooseModel(providers, model);
  const row = await createConversation(db, owner, await toInput(context, fields), context.newId('conv'));
  return toConversation(row);
}

/** The row that fields make, with their preset applied. @throws NotFoundError for a preset that is not there. */
export async function toInput(
  { db, owner }: Pick<ConversationContext, 'db' | 'owner'>,
  fields: ConversationFields,
): Promise<ConversationInput> {
  const { title, presetId = DEFAULT_PRESET, taskId, ticketId, metadata = {} } = fields;
  const { model, systemPrompt, temperature, maxTokens } = fields;
  const preset = await findPreset(db, owner, presetId);
  return {
    title: title ?? '',
    titleBy: title === undefined ? 'nobody' : 'client',
    presetId,
    taskId: taskId ?? null,
    ticketId: ticketId === undefined ? null : await ticketIdOf(db, owner, ticketId),
    model: model === undefined ? preset.model : model,
    systemPrompt: systemPrompt === undefined ? preset.systemPrompt : systemPrompt,
    temperature: temperature === undefined ? preset.temperature : temperature,
    maxTokens: maxTokens === undefined ? preset.maxTokens : maxTokens,
    metadata: JSON.stringify(metadata),
  };
}

/** Changes a conversation. A preset is applied as at the beginning. @throws NotFoundError, AppError as `beginConversation`. */
export async function changeConversation(
  { db, owner, providers }: ConversationContext,
  id: string,
  { title, presetId, model, systemPrompt, temperature, maxTokens, metadata }: ConversationPatch,
): Promise<Conversation> {
  requireStorable({ title, model, systemPrompt });
  if (typeof model === 'string') await chooseModel(providers, model);
  const preset = presetId === undefined ? undefined : await findPreset(db, owner, presetId);
  const row = await db.transaction().execute(async (tx): Promise<ConversationRow | undefined> => {
    const locked = await lockConversation(tx, owner, { id });
    return (
      locked &&
      (await writeConversation(tx, locked, {
        updated_at: timestamp(),
        ...(title === undefined ? {} : { title, title_by: 'client' as const }),
        ...(preset
          ? {
              preset_id: preset.id,
              model: preset.model,
              system_prompt: preset.systemPrompt,
              temperature: preset.temperature,
              max_tokens: preset.maxTokens,
            }
          : {}),
        ...(model === undefined ? {} : { model }),
        ...(systemPrompt === undefined ? {} : { system_prompt: systemPrompt }),
        ...(temperature === undefined ? {} : { temperature }),
        ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
        ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
      }))
    );
  });
  if (!row) throw new NotFoundError('Conversation', id);
  return toConversation(row);
}
