import { z } from 'zod';
import { AppError, InvalidRequestError, NotFoundError } from '../../errors.ts';
import { isCustomType, PROVIDER_TYPES, type ProviderType } from '../../providers/chat-model.ts';
import { DEMO_ENTRY, liveModels } from '../../providers/models.ts';
import type { RemoteType } from '../../providers/profiles.ts';
import { isRemoteType, type ProviderRegistry } from '../../providers/registry.ts';
import { missingSetting } from '../../providers/settings/endpoint.ts';
import { SETTINGS_SHAPE } from '../../providers/settings/schema.ts';
import { describeProvider } from '../../providers/status.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, ModelName, Time } from '../schemas.ts';
import { ModelSchema, ProviderName } from './models.ts';

const TAG = 'Models and providers';
const Params = z.object({ type: z.string() });
const Flag = z.enum(['true', 'false']).optional();

const Status = z
  .object({
    type: ProviderName,
    name: z.string(),
    configured: z.boolean(),
    enabled: z.boolean(),
    healthy: z.boolean().nullable().describe('null: not checked yet'),
    message: z.string(),
    latencyMs: z.int().nullable(),
    checkedAt: Time.nullable(),
    defaultModel: z.string().nullable(),
    baseUrl: z.string().nullable(),
    keyFrom: z.enum(['environment', 'stored']).nullable().describe('null: it has no key'),
    stored: z.boolean().describe('There are settings that DELETE would forget.'),
    settings: z
      .object({
        organization: z.string(),
        project: z.string(),
        resourceName: z.string(),
        deploymentName: z.string(),
        apiVersion: z.string(),
        name: z.string(),
        wire: z.string(),
        modelsPath: z.union([z.string(), z.literal(false)]),
        package: z.string(),
        factory: z.string(),
        headerNames: z.array(z.string()),
      })
      .partial()
      .describe('What else is in force, without what may be secret.'),
  })
  .meta({ id: 'Provider' });

/** Every setting may also be null, which clears it. */
type Clearable<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodOptional<z.ZodNullable<S[K]>> };

function clearable<S extends z.ZodRawShape>(shape: S): Clearable<S> {
  const entries = Object.entries(shape).map(([key, type]) => [key, z.nullable(type as z.ZodType).optional()]);
  return Object.fromEntries(entries) as Clearable<S>;
}

const Configure = z.strictObject(clearable(SETTINGS_SHAPE));

/** Providers: status, settings, health, the default. */
export const providerRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/providers',
    scope: 'any',
    tag: TAG,
    summary: 'All providers, the custom ones last, with what is known of their health; never waits for one',
    response: z.object({
      default: ProviderName,
      defaultModel: z.string().nullable().describe('null: only the provider could tell'),
      providers: z.array(Status),
    }),
    handle: ({ services: { providers } }) => {
      const { provider, model } = providers.knownDefault();
      const types = [...PROVIDER_TYPES, ...providers.types().filter(isCustomType)];
      const all = types.map((type) => describeProvider(providers, type));
      return { default: provider, defaultModel: model, providers: all };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/providers/default',
    scope: 'providers:write',
    audit: { action: 'provider.default', target: ({ body }) => body.provider, details: ({ body }) => body },
    tag: TAG,
    summary: 'Set the provider, and model, of requests that name none',
    body: z.strictObject({ provider: ProviderName, model: ModelName.optional() }),
    response: z.object({
      success: z.literal(true),
      message: z.string(),
      provider: ProviderName,
      model: z.string(),
    }),
    errors: ['conflict', 'model_not_found', 'no_provider', 'provider_auth', 'provider_unavailable', 'provider_timeout'],
    handle: async ({ services: { providers }, owner, body }) => {
      const ref = await providers.setDefault(owner, body.provider, body.model);
      return { success: true, message: `The default is ${ref.provider}/${ref.model}`, ...ref };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/chat/providers/{type}/models',
    scope: 'any',
    tag: TAG,
    summary: 'The provider’s own list of models',
    params: Params,
    query: z.strictObject({ refresh: Flag }),
    response: z.object({ models: z.array(ModelSchema.extend({ description: z.string().optional() })) }),
    errors: [
      'not_found',
      'provider_not_configured',
      'provider_auth',
      'provider_unavailable',
      'provider_timeout',
      'provider_protocol',
    ],
    handle: async ({ services: { providers }, params, query }) => {
      const type = providerType(providers, params.type);
      return { models: type === 'demo' ? [DEMO_ENTRY] : await liveModels(providers, type, query.refresh === 'true') };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/providers/{type}/configure',
    scope: 'providers:write',
    audit: {
      action: 'provider.configure',
      target: ({ params }) => params.type,
      // Whoever can set it can have the keys sent there.
      details: ({ body }) => ({ fields: Object.keys(body), baseUrl: body.baseUrl }),
    },
    tag: TAG,
    summary: 'Change a provider’s settings; what is not given stays, null clears',
    description:
      'A type custom:<name> is made by its first settings. Keys are kept encrypted and never returned. With `?verify=true` the settings are tried first and kept only if the provider answers.',
    params: Params,
    query: z.strictObject({ verify: Flag }),
    body: Configure,
    response: z.object({ success: z.literal(true), message: z.string(), provider: Status }),
    errors: [
      'not_found',
      'conflict',
      'provider_auth',
      'provider_unavailable',
      'provider_timeout',
      'provider_protocol',
      'provider_not_configured',
    ],
    handle: async ({ services, owner, params, query, body }) => {
      const type = settableType(params.type);
      if (!services.config.apiPackages) refusePackages(body);
      const { providers } = services;
      if (query.verify === 'true') await providers.verify(type, body);
      await providers.configure(owner, type, body);
      // It has just answered, so it can be asked for what the status says of it.
      if (query.verify === 'true') await providers.live.check(type);
      const missing = missingSetting(type, providers.settings(type));
      const state = providers.isConfigured(type) ? 'is configured' : 'is switched off';
      const message = missing === undefined ? `${type} ${state}` : `Saved; still missing: ${missing}`;
      return { success: true, message, provider: describeProvider(providers, type) };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/providers/{type}/health',
    scope: 'providers:write',
    tag: TAG,
    summary: 'Ask the provider now, with a call that costs nothing',
    params: Params,
    response: z.object({
      provider: ProviderName,
      healthy: z.boolean(),
      message: z.string(),
      latencyMs: z.int().nullable(),
    }),
    errors: ['not_found'],
    handle: async ({ services: { providers }, params }) => {
      const type = providerType(providers, params.type);
      if (type === 'demo') return { provider: type, healthy: true, message: 'OK', latencyMs: 0 };
      const { healthy, message, latencyMs } = await providers.live.check(type);
      return { provider: type, healthy, message, latencyMs };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/chat/providers/{type}',
    scope: 'providers:write',
    audit: { action: 'provider.remove', target: ({ params }) => params.type },
    tag: TAG,
    summary: 'Forget the stored settings of a provider; the environment’s stay',
    params: Params,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async ({ services: { providers }, params }) => {
      const type = settableType(params.type);
      if (!(await providers.remove(type))) throw new NotFoundError('Stored settings of', type);
      return { message: 'Provider settings deleted' };
    },
  }),
];

/** A custom provider that nobody has configured is not there. */
function providerType(providers: ProviderRegistry, name: string): ProviderType {
  if (name === 'demo' || (isRemoteType(name) && providers.types().includes(name))) return name;
  const known = ['demo', ...providers.types()].join(', ');
  throw new NotFoundError('Provider', name, `there are ${known}`);
}

/** A package runs inside the server. @throws InvalidRequestError if the settings say which one does, or with what. */
function refusePackages(body: z.infer<typeof Configure>): void {
  const given = (['package', 'factory', 'options'] as const).filter((field) => (body[field] ?? null) !== null);
  const message = 'cannot be set over the API of this server (PROFCLAW_API_PACKAGES is false)';
  if (given.length > 0) throw new InvalidRequestError(given.map((path) => ({ path, message })));
}

function settableType(name: string): RemoteType {
  if (isRemoteType(name)) return name;
  if (name === 'demo') throw new AppError('invalid_request', 'The demo model has no settings');
  throw new NotFoundError('Provider', name, `the types are ${PROVIDER_TYPES.join(', ')} and custom:<name>`);
}
