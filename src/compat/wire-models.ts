import { z } from 'zod';
import { AppError } from '../errors.ts';
import { defineRoute } from '../http/route.ts';
import type { Wire } from '../http/wire.ts';
import { chooseModel } from '../providers/choose.ts';
import { listModels } from '../providers/models.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import { ANTHROPIC_WIRE } from './anthropic-wire.ts';

/** A model by a name that can be asked for as it is. */
interface NamedModel {
  /** `provider/model`, or an alias. */
  id: string;
  name: string;
  provider: string;
}

/** When a model was made is not known: both wires want a time. */
const UNKNOWN_TIME = 0;

const OpenAiModel = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int().describe('Not known: 0.'),
  owned_by: z.string().describe('The provider.'),
});
const AnthropicModel = z.object({
  type: z.literal('model'),
  id: z.string(),
  display_name: z.string(),
  created_at: z.iso.datetime().describe('Not known: the beginning of 1970.'),
});
const Model = z.union([OpenAiModel, AnthropicModel]).meta({ id: 'WireModel' });

const ModelList = z
  .union([
    z.object({ object: z.literal('list'), data: z.array(OpenAiModel) }),
    z.object({
      data: z.array(AnthropicModel),
      has_more: z.boolean(),
      first_id: z.string().nullable(),
      last_id: z.string().nullable(),
    }),
  ])
  .meta({ id: 'WireModelList' });

const Page = z.strictObject({
  client_version: z.string().optional().describe('Of the client that asks; not read.'),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
  beta: z.string().optional(),
});

/** The models that can be called, in the form of the wire that asks. */
export const wireModelRoutes = [
  defineRoute({
    method: 'get',
    path: '/v1/models',
    scope: 'any',
    tag: 'OpenAI',
    summary: 'The models of the configured providers; with the header anthropic-version as Anthropic lists them',
    query: Page,
    response: ModelList,
    handle: async ({ services, wire, query }) => {
      const models = await callableModels(services.providers);
      if (wire !== ANTHROPIC_WIRE) return { object: 'list', data: models.map((model) => toWire(model, wire)) };
      const { page, hasMore } = pageOf(models, query);
      return {
        data: page.map((model) => toWire(model, wire)),
        has_more: hasMore,
        first_id: page[0]?.id ?? null,
        last_id: page.at(-1)?.id ?? null,
      };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/v1/models/{id+}',
    scope: 'any',
    tag: 'OpenAI',
    summary: 'One of these models, by any name that can be asked for; it may be percent-encoded or not',
    params: z.object({ id: z.string().min(1).max(300) }),
    query: z.strictObject({ beta: z.string().optional() }),
    response: Model,
    errors: ['model_not_found'],
    handle: async ({ services, wire, params }) => {
      const models = await callableModels(services.providers);
      const found =
        models.find(({ id }) => id === params.id) ?? (await calledFor(services.providers, params.id, models));
      if (found) return toWire({ ...found, id: params.id }, wire);
      const asked = JSON.stringify(params.id);
      throw new AppError('model_not_found', `No model is called ${asked}. GET /v1/models lists them`);
    },
  }),
];

/** The model that a call by a shorter name would go to, if it is one of these. */
async function calledFor(
  providers: ProviderRegistry,
  name: string,
  models: readonly NamedModel[],
): Promise<NamedModel | undefined> {
  const ref = await chooseModel(providers, name).catch(() => undefined);
  return ref && models.find(({ id }) => id === `${ref.provider}/${ref.model}`);
}

async function callableModels(providers: ProviderRegistry): Promise<NamedModel[]> {
  const isCallable = ({ provider }: { provider: NamedModel['provider'] }): boolean =>
    provider === 'demo' || configured.has(provider);
  const configured = new Set<string>(providers.types().filter((type) => providers.isConfigured(type)));
  const models = (await listModels(providers)).filter(isCallable);
  const aliases = Object.entries(providers.aliases).flatMap(([alias, target]): NamedModel[] => {
    const [provider = ''] = target.split('/', 1);
    return isCallable({ provider }) ? [{ id: alias, name: `${alias} (${target})`, provider }] : [];
  });
  return [...models.map(({ id, name, provider }) => ({ id: `${provider}/${id}`, name, provider })), ...aliases];
}

function toWire({ id, name, provider }: NamedModel, wire: Wire): z.output<typeof Model> {
  if (wire !== ANTHROPIC_WIRE) return { id, object: 'model', created: UNKNOWN_TIME, owned_by: provider };
  return { type: 'model', id, display_name: name, created_at: new Date(UNKNOWN_TIME).toISOString() };
}

/** As Anthropic pages; without a limit all of them. An id that is not there leads to an empty page. */
function pageOf(
  models: readonly NamedModel[],
  { limit = models.length, after_id: after, before_id: before }: z.output<typeof Page>,
): { page: readonly NamedModel[]; hasMore: boolean } {
  const at = (id: string): number => models.findIndex((model) => model.id === id);
  if (before !== undefined) {
    const end = Math.max(0, at(before));
    const start = Math.max(0, end - limit);
    return { page: models.slice(start, end), hasMore: start > 0 };
  }
  const start = after === undefined ? 0 : at(after) === -1 ? models.length : at(after) + 1;
  return { page: models.slice(start, start + limit), hasMore: start + limit < models.length };
}
