import { nearest } from '../core/nearest.ts';
import { AppError } from '../errors.ts';
import { catalogModels, isCatalogued } from './catalog/catalog.ts';
import { isProviderType, type ProviderType } from './chat-model.ts';
import { DEMO_MODEL } from './demo.ts';
import { PROFILES, type RemoteType, type VendorType } from './profiles.ts';
import { type ModelRef, type ProviderRegistry, VENDOR_TYPES } from './registry.ts';

const SUGGESTIONS = 5;

/**
 * Finds the provider and model for what a caller named: nothing (the default), `provider/model`, an alias, a known
 * id, or a family of names, in this order. Never picks a different model than the one named.
 * @throws AppError `model_not_found` with suggestions, `provider_not_configured` naming the variable to set.
 */
export async function chooseModel(registry: ProviderRegistry, name: string | undefined): Promise<ModelRef> {
  const ref = name === undefined ? await registry.defaultModel() : await find(registry, name);
  if (ref.provider === 'demo' && ref.model !== DEMO_MODEL) throw await notFound(registry, `demo/${ref.model}`);
  // Throws with the variable to set: better now than when the call is under way.
  if (ref.provider !== 'demo') registry.connection(ref.provider);
  return ref;
}

async function find(registry: ProviderRegistry, name: string): Promise<ModelRef> {
  const found =
    splitName(name) ??
    splitName(aliasOf(registry, name) ?? '') ??
    (await byTag(registry, name)) ??
    (await inCatalogue(registry, name)) ??
    configuredFamily(registry, name) ??
    (await inLiveLists(registry, name)) ??
    (await unconfigured(name));
  if (!found) throw await notFound(registry, name);
  return found;
}

function aliasOf({ aliases }: ProviderRegistry, name: string): string | undefined {
  const alias = name.toLowerCase();
  return Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
}

/** Only the first slash counts, and only after the name of a provider: `openrouter/anthropic/claude-…`. */
function splitName(name: string): ModelRef | undefined {
  const slash = name.indexOf('/');
  const provider = name.slice(0, slash);
  if (slash === -1 || slash === name.length - 1 || !isProviderType(provider)) return undefined;
  return { provider, model: name.slice(slash + 1) };
}

/** A name with a tag is a local model's; the catalogue would take `deepseek-r1:14b` for the vendor's own. */
async function byTag(registry: ProviderRegistry, name: string): Promise<ModelRef | undefined> {
  if (!/^[^/]+:/.test(name)) return undefined;
  for (const provider of registry.types()) {
    if (!registry.isConfigured(provider) || !hasTags(registry, provider)) continue;
    const models = await registry.live.models(provider).catch(() => []);
    if (models.some(({ id }) => id === name)) return { provider, model: name };
  }
  return undefined;
}

function hasTags(registry: ProviderRegistry, provider: RemoteType): boolean {
  return registry.profile(provider).taggedModels === true;
}

/**
 * The first configured holder of a name. A model that its own vendor has, by name and catalogue, is that vendor's: of
 * others only a live list counts, for the catalogue also has what they resell elsewhere or under other names.
 */
async function inCatalogue(registry: ProviderRegistry, name: string): Promise<ModelRef | undefined> {
  if (name === DEMO_MODEL) return { provider: 'demo', model: DEMO_MODEL };
  const family: readonly RemoteType[] = familyTypes(name);
  const isOwn = (await Promise.all(family.map((type) => isCatalogued(type, name)))).includes(true);
  for (const provider of new Set([...family, ...registry.types()])) {
    if (!registry.isConfigured(provider)) continue;
    if (registry.live.knownModels(provider).some((model) => model.id === name)) return { provider, model: name };
    const mayBe = !isOwn || family.includes(provider);
    if (mayBe && (await isCatalogued(provider, name))) return { provider, model: name };
  }
  return undefined;
}

function familyTypes(name: string): readonly VendorType[] {
  return VENDOR_TYPES.filter((type) => PROFILES[type].family?.test(name));
}

function configuredFamily(registry: ProviderRegistry, name: string): ModelRef | undefined {
  const provider = familyTypes(name).find((type) => registry.isConfigured(type));
  return provider && { provider, model: name };
}

async function inLiveLists(registry: ProviderRegistry, name: string): Promise<ModelRef | undefined> {
  const types = registry.types().filter((type) => registry.isConfigured(type));
  const lists = await Promise.all(
    types.map(async (provider) => ({ provider, models: await registry.live.models(provider).catch(() => []) })),
  );
  for (const { provider, models } of lists) {
    const latest = hasTags(registry, provider) ? `${name}:latest` : undefined;
    const model = models.find(({ id }) => id === name || id === latest);
    if (model) return { provider, model: model.id };
  }
  return undefined;
}

function notAModel(registry: ProviderRegistry, provider: ProviderType): AppError {
  const model = provider === 'demo' ? DEMO_MODEL : registry.profile(provider).defaultModel;
  const suggestions = model === undefined ? [] : [`${provider}/${model}`];
  const like = suggestions.map((one) => `, such as ${one}`).join('');
  return new AppError(
    'model_not_found',
    `${provider} is a provider; name one of its models: ${provider}/<model>${like}`,
    {
      details: { suggestions },
    },
  );
}

/** Nobody who is configured has it; if somebody is known to, the caller is told whose key is missing. */
async function unconfigured(name: string): Promise<ModelRef | undefined> {
  const [vendor] = familyTypes(name);
  if (vendor) return { provider: vendor, model: name };
  for (const provider of VENDOR_TYPES) if (await isCatalogued(provider, name)) return { provider, model: name };
  return undefined;
}

async function notFound(registry: ProviderRegistry, name: string): Promise<AppError> {
  if (isProviderType(name)) return notAModel(registry, name);
  const known = [
    ...Object.keys(registry.aliases),
    DEMO_MODEL,
    ...(await catalogModels())
      .filter((model) => registry.isConfigured(model.provider) || !model.id.includes('/'))
      .map((model) => model.id),
    ...registry.types().flatMap((type) => registry.live.knownModels(type).map((model) => model.id)),
  ];
  const suggestions = nearest(name, known, SUGGESTIONS);
  const hint = suggestions.length > 0 ? `; near to it: ${suggestions.join(', ')}` : '';
  return new AppError(
    'model_not_found',
    `No model is called ${JSON.stringify(name)}${hint}. GET /api/chat/models lists them`,
    {
      details: { suggestions },
    },
  );
}
