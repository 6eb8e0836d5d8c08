import { z } from 'zod';
import { BUILT_IN_PRESETS, DEFAULT_PRESET, findPreset } from '../../chat/presets.ts';
import { AppError, NotFoundError } from '../../errors.ts';
import { createPreset, deletePreset, listPresets, updatePreset } from '../../storage/presets.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, IdParams, MaxTokens, ModelName, Paging, Temperature, Time, text } from '../schemas.ts';

const Preset = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    systemPrompt: z.string(),
    model: z.string().nullable(),
    temperature: z.number().nullable(),
    maxTokens: z.int().nullable(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Preset' });

const Fields = z.strictObject({
  name: text(200),
  description: z.string().max(10_000).optional(),
  systemPrompt: text(1_000_000),
  model: ModelName.nullable().optional(),
  temperature: Temperature.nullable().optional(),
  maxTokens: MaxTokens.nullable().optional(),
});

const One = z.object({ preset: Preset });

/** Presets: the built-in ones, and the user's own. */
export const presetRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/presets',
    scope: 'any',
    tag: 'Presets',
    summary: 'The built-in presets, and a page of one’s own',
    query: z.strictObject(Paging),
    response: z.object({ default: z.string(), presets: z.array(Preset), total: z.int() }),
    handle: async ({ services, owner, query }) => {
      const own = await listPresets(services.database.db, owner, query);
      const builtIn = query.offset === 0 ? BUILT_IN_PRESETS : [];
      return {
        default: DEFAULT_PRESET,
        presets: [...builtIn, ...own.presets],
        total: BUILT_IN_PRESETS.length + own.total,
      };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/presets',
    scope: 'chat',
    tag: 'Presets',
    summary: 'Create a preset of one’s own',
    body: Fields,
    status: 201,
    response: One,
    creates: true,
    handle: async ({ services, owner, body, newId }) => ({
      preset: await createPreset(services.database.db, owner, body, newId('preset')),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/chat/presets/{id}',
    scope: 'any',
    tag: 'Presets',
    summary: 'Read a preset',
    params: IdParams,
    response: One,
    errors: ['not_found'],
    handle: async ({ services, owner, params: { id } }) => ({
      preset: await findPreset(services.database.db, owner, id),
    }),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/chat/presets/{id}',
    scope: 'chat',
    tag: 'Presets',
    summary: 'Change a preset of one’s own; what is not given stays',
    params: IdParams,
    body: Fields.partial(),
    response: One,
    errors: ['not_found', 'conflict'],
    handle: async ({ services, owner, params: { id }, body }) => {
      refuseBuiltIn(id);
      const preset = await updatePreset(services.database.db, owner, id, body);
      if (!preset) throw new NotFoundError('Preset', id);
      return { preset };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/chat/presets/{id}',
    scope: 'chat',
    audit: { action: 'preset.delete', target: ({ params }) => params.id },
    tag: 'Presets',
    summary: 'Delete a preset of one’s own',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found', 'conflict'],
    handle: async ({ services, owner, params: { id } }) => {
      refuseBuiltIn(id);
      if (!(await deletePreset(services.database.db, owner, id))) throw new NotFoundError('Preset', id);
      return { message: 'Preset deleted' };
    },
  }),
];

function refuseBuiltIn(id: string): void {
  if (BUILT_IN_PRESETS.some((preset) => preset.id === id)) {
    throw new AppError(
      'conflict',
      `The preset ${id} is built in and cannot be changed; create one of your own with its text`,
    );
  }
}
