import { z } from 'zod';
import { CUSTOM_TYPE, PROVIDER_TYPES } from '../../providers/chat-model.ts';
import { listModels } from '../../providers/models.ts';
import { defineRoute } from '../route.ts';

const CUSTOM_NAME = new RegExp(CUSTOM_TYPE.source.replace('^custom:', ''));

/** The type of a provider: a built-in one, or `custom:<name>`. */
export const ProviderName = z.union([
  z.enum(PROVIDER_TYPES, `must be one of ${PROVIDER_TYPES.join(', ')}`),
  z.templateLiteral(['custom:', z.string().regex(CUSTOM_NAME)], 'custom:<name>'),
]);

/** A model as the lists show it. */
export const ModelSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: ProviderName,
    contextWindow: z.int().nullable(),
    maxOutput: z.int().nullable(),
    supportsVision: z.boolean().nullable(),
    supportsTools: z.boolean().nullable(),
    supportsReasoning: z.boolean().nullable(),
    costPer1MInput: z.number().nullable().describe('USD'),
    costPer1MOutput: z.number().nullable().describe('USD'),
  })
  .meta({ id: 'Model' });

/** The list of all models. */
export const modelRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/models',
    scope: 'any',
    tag: 'Models and providers',
    summary: 'All models: the catalogue, with what the providers’ own lists add. Unknown is null',
    query: z.strictObject({ provider: ProviderName.optional() }),
    response: z.object({ models: z.array(ModelSchema), aliases: z.record(z.string(), z.string()) }),
    handle: async ({ services, query }) => ({
      models: await listModels(services.providers, query.provider),
      aliases: services.providers.aliases,
    }),
  }),
];
