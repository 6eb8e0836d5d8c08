import { z } from 'zod';
import { AppError, NotFoundError } from '../../errors.ts';
import { missingSetting } from '../../providers/endpoint.ts';
import { DEMO_ENTRY, liveModels } from '../../providers/models.ts';
import type { VendorType } from '../../providers/profiles.ts';
import { isVendorType } from '../../providers/registry.ts';
import { describeProvider } from '../../providers/status.ts';
import { PROVIDER_TYPES, type ProviderType } from '../../providers/types.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, ModelName, Time } from '../schemas.ts';
import { ModelSchema } from './models.ts';

const TAG = 'Models and providers';
const Params = z.object({ type: z.string() });
const Flag = z.enum(['true', 'false']).optional();

const Status = z
  .object({
    type: z.enum(PROVIDER_TYPES),
    name: z.string(),
    configured: z.boolean(),
    enabled: z.boolean(),
    healthy: z.boolean().nullable().describe('null: not checked yet'),
    message: z.string(),
    latencyMs: z.int().nullable(),
    checkedAt: Time.nullable(),
    defaultModel: z.string().nullable(),
    baseUrl: z.string().nullable(),
  })
  .meta({ id: 'Provider' });

/** Headers that frame the message: the client sets them, and a wrong one breaks every call. */
const FRAMING =
  /^(host|content-length|content-type|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer)$/i;
const HeaderName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be the name of an HTTP header')
  .refine((name) => !FRAMING.test(name), 'is set by the server itself');
const HeaderValue = z
  .string()
  .max(8192)
  .regex(/^[\x20-\x7e\t]*$/, 'must be printable ASCII');

const Configure = z.strictObject({
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]{1,8192}$/, 'must be printable characters without spaces')
    .nullable()
    .optional(),
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .refine(
      (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
      'must not hold a name or password',
    )
    .nullable()
    .optional(),
  defaultModel: ModelName.nullable().optional(),
  enabled: z.boolean().nullable().optional(),
  headers: z.record(HeaderName, HeaderValue).nullable().optional(),
  resourceName: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, 'must be the name of an Azure resource')
    .nullable()
    .optional(),
  deploymentName: z
    .string()
    .regex(/^\w[\w.-]{0,99}$/, 'must be letters, digits, _, - or .')
    .nullable()
    .optional(),
  apiVersion: z
    .string()
    .regex(/^[\w.-]{1,40}$/, 'must be like 2024-10-21')
    .nullable()
    .optional(),
  organization: z
    .string()
    .regex(/^[\w-]{1,100}$/, 'must be letters, digits, _ or -')
    .nullable()
    .optional(),
  project: z
    .string()
    .regex(/^[\w-]{1,100}$/, 'must be letters, digits, _ or -')
    .nullable()
    .optional(),
});

/** Providers: status, settings, health, the default. */
export const providerRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/providers',
    tag: TAG,
    summary: 'All provider types with what is known of their health; never waits for one',
    response: z.object({
      default: z.enum(PROVIDER_TYPES),
      defaultModel: z.string().nullable().describe('null: only the provider could tell'),
      providers: z.array(Status),
    }),
    handle: ({ services: { providers } }) => {
      const { provider, model } = providers.knownDefault();
      const all = PROVIDER_TYPES.map((type) => describeProvider(providers, type));
      return { default: provider, defaultModel: model, providers: all };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/providers/default',
    tag: TAG,
    summary: 'Set the provider, and model, of requests that name none',
    body: z.strictObject({ provider: z.enum(PROVIDER_TYPES), model: ModelName.optional() }),
    response: z.object({
      success: z.literal(true),
      message: z.string(),
      provider: z.enum(PROVIDER_TYPES),
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
      const type = providerType(params.type);
      return { models: type === 'demo' ? [DEMO_ENTRY] : await liveModels(providers, type, query.refresh === 'true') };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/providers/{type}/configure',
    tag: TAG,
    summary: 'Change a provider’s settings; what is not given stays, null clears',
    description:
      'Keys are kept encrypted and never returned. With `?verify=true` the settings are tried first and kept only if the provider answers.',
    params: Params,
    query: z.strictObject({ verify: Flag }),
    body: Configure,
    response: z.object({ success: z.literal(true), message: z.string(), provider: Status }),
    errors: [
      'not_found',
      'provider_auth',
      'provider_unavailable',
      'provider_timeout',
      'provider_protocol',
      'provider_not_configured',
    ],
    handle: async ({ services: { providers }, owner, params, query, body }) => {
      const type = vendorType(params.type);
      if (query.verify === 'true') await providers.verify(type, body);
      await providers.configure(owner, type, body);
      const missing = missingSetting(type, providers.settings(type));
      const state = providers.isConfigured(type) ? 'is configured' : 'is switched off';
      const message = missing === undefined ? `${type} ${state}` : `Saved; still missing: ${missing}`;
      return { success: true, message, provider: describeProvider(providers, type) };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/providers/{type}/health',
    tag: TAG,
    summary: 'Ask the provider now, with a call that costs nothing',
    params: Params,
    response: z.object({
      provider: z.enum(PROVIDER_TYPES),
      healthy: z.boolean(),
      message: z.string(),
      latencyMs: z.int().nullable(),
    }),
    errors: ['not_found'],
    handle: async ({ services: { providers }, params }) => {
      const type = providerType(params.type);
      if (type === 'demo') return { provider: type, healthy: true, message: 'OK', latencyMs: 0 };
      const { healthy, message, latencyMs } = await providers.live.check(type);
      return { provider: type, healthy, message, latencyMs };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/chat/providers/{type}',
    tag: TAG,
    summary: 'Forget the stored settings of a provider; the environment’s stay',
    params: Params,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async ({ services: { providers }, params }) => {
      const type = vendorType(params.type);
      if (!(await providers.remove(type))) throw new NotFoundError('Stored settings of', type);
      return { message: 'Provider settings deleted' };
    },
  }),
];

function providerType(name: string): ProviderType {
  if (name === 'demo' || isVendorType(name)) return name;
  throw new NotFoundError('Provider', name, `the types are ${PROVIDER_TYPES.join(', ')}`);
}

function vendorType(name: string): VendorType {
  const type = providerType(name);
  if (type === 'demo') throw new AppError('invalid_request', 'The demo model has no settings');
  return type;
}
