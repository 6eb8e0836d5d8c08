import { type CatalogModel, catalogModels, describeModel } from './catalog/catalog.ts';
import type { ProviderType } from './chat-model.ts';
import { DEMO_MODEL } from './demo.ts';
import { DEMO_DESCRIPTION } from './demo-script.ts';
import type { LiveModel } from './live/read-list.ts';
import type { RemoteType } from './profiles.ts';
import type { ModelRef, ProviderRegistry } from './registry.ts';

/** The demo model, with the grammar of its orders. */
export const DEMO_ENTRY: CatalogModel & { description: string } = {
  id: DEMO_MODEL,
  name: 'Demo',
  provider: 'demo',
  contextWindow: null,
  maxOutput: null,
  supportsVision: false,
  supportsTools: true,
  supportsReasoning: true,
  costPer1MInput: 0,
  costPer1MOutput: 0,
  description: DEMO_DESCRIPTION,
};

/**
 * The catalogue together with what is known of the live lists; nothing is waited for. A live list that is not there
 * yet, or old, is asked for in the background.
 */
export async function listModels(registry: ProviderRegistry, only?: ProviderType): Promise<CatalogModel[]> {
  const models = new Map<string, CatalogModel>();
  for (const model of await catalogModels(only)) models.set(`${model.provider}/${model.id}`, model);
  for (const type of registry.types().filter((candidate) => only === undefined || candidate === only)) {
    if (!registry.isConfigured(type)) continue;
    registry.live.knownHealth(type);
    for (const live of registry.live.knownModels(type)) models.set(`${type}/${live.id}`, await merge(type, live));
  }
  const { description: _, ...demo } = DEMO_ENTRY;
  return only === undefined || only === 'demo' ? [...models.values(), demo] : [...models.values()];
}

/**
 * A provider's own list, asked for if it is not fresh, with what the catalogue knows of each; the catalogue's where
 * it has none. @throws AppError
 */
export async function liveModels(
  registry: ProviderRegistry,
  type: RemoteType,
  refresh: boolean,
): Promise<CatalogModel[]> {
  if (registry.profile(type).modelsPath === undefined) return await catalogModels(type);
  const models = await registry.live.models(type, refresh);
  return await Promise.all(models.map((model) => merge(type, model)));
}

/**
 * A model's context window in tokens, null if nobody knows it. The provider is not waited for: what its list says is
 * asked for in the background, and known the next time.
 */
export async function contextWindow(registry: ProviderRegistry, { provider, model }: ModelRef): Promise<number | null> {
  if (provider === 'demo') return DEMO_ENTRY.contextWindow;
  const live = registry.live.knownModels(provider).find(({ id }) => id === model)?.contextWindow;
  const window = live ?? (await describeModel(provider, model)).contextWindow;
  if (window === null) registry.live.knownHealth(provider);
  return window;
}

async function merge(type: RemoteType, live: LiveModel): Promise<CatalogModel> {
  const known = await describeModel(type, live.id);
  return {
    ...known,
    name: live.name,
    contextWindow: live.contextWindow ?? known.contextWindow,
    maxOutput: live.maxOutput ?? known.maxOutput,
    supportsVision: live.supportsVision ?? known.supportsVision,
    supportsTools: live.supportsTools ?? known.supportsTools,
    supportsReasoning: live.supportsReasoning ?? known.supportsReasoning,
  };
}
