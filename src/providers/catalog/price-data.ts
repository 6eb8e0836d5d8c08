import type { MatchLogic, ModelInfo, Provider } from '@pydantic/genai-prices';
import type { ProviderType } from '../chat-model.ts';
import { PROFILES, type VendorType } from '../profiles.ts';
import { isVendorType } from '../settings/profile-of.ts';

type Prices = typeof import('@pydantic/genai-prices');

let loading: Promise<Prices> | undefined;

/** The price package. It is 0.8 MB of code that a server that only serves local models never needs. */
export function prices(): Promise<Prices> {
  loading ??= import('@pydantic/genai-prices');
  return loading;
}

/** A model that the package knows, with its provider. */
export interface Known {
  provider: Provider;
  model: ModelInfo;
}

/** Matching a name tries a hundred patterns; the same few names come with every request. Of each vendor, so many. */
const found = new Map<VendorType, Map<string, Known | undefined>>();
const MAX_FOUND = 1000;

/** Finds a model by its name under a provider, by the package's own rules; undefined: it is not known. */
export async function findModel(type: ProviderType, id: string): Promise<Known | undefined> {
  if (!isVendorType(type)) return undefined;
  const models = found.get(type) ?? new Map<string, Known | undefined>();
  const known = models.get(id);
  if (known || models.has(id)) return known;
  const model = await searchModel(type, id);
  if (models.size >= MAX_FOUND) models.clear();
  found.set(type, models.set(id, model));
  return model;
}

async function searchModel(type: VendorType, id: string): Promise<Known | undefined> {
  if (!isServed(type, id)) return undefined;
  const { findProvider } = await prices();
  const provider = findProvider({ providerId: packageName(type) });
  if (!provider) return undefined;
  const own = provider.models.find((model) => matches(model.match, id.toLowerCase()));
  if (own) return only(provider, own);
  for (const fallback of provider.fallback_model_providers ?? []) {
    const other = findProvider({ providerId: fallback });
    const model = other?.models.find((candidate) => matches(candidate.match, id.toLowerCase()));
    if (other && model) return only(other, model);
  }
  return undefined;
}

/** A provider with nothing but the model: what counts the price would go through all of them again, each time. */
function only(provider: Provider, model: ModelInfo): Known {
  return { provider: { ...provider, models: [model] }, model };
}

function matches(logic: MatchLogic, id: string): boolean {
  if ('equals' in logic) return id === logic.equals.toLowerCase();
  if ('starts_with' in logic) return id.startsWith(logic.starts_with.toLowerCase());
  if ('ends_with' in logic) return id.endsWith(logic.ends_with.toLowerCase());
  if ('contains' in logic) return id.includes(logic.contains.toLowerCase());
  if ('regex' in logic) return new RegExp(logic.regex).test(id);
  return 'and' in logic ? logic.and.every((part) => matches(part, id)) : logic.or.some((part) => matches(part, id));
}

/** What the package calls a vendor. */
export function packageName(type: VendorType): string {
  return (PROFILES[type].catalogue || undefined)?.name ?? type;
}

/** Is a model of this name, which the package has, one of the vendor's? */
export function isServed(type: VendorType, id: string): boolean {
  const { catalogue } = PROFILES[type];
  return catalogue !== false && (catalogue?.models?.test(id) ?? true);
}
