import type { MatchLogic, ModelInfo, ModelPrice } from '@pydantic/genai-prices';
import { PROVIDER_TYPES, type ProviderType } from '../chat-model.ts';
import { isVendorType } from '../settings/profile-of.ts';
import { ABILITIES } from './overrides.ts';
import { findModel, isServed, packageName, prices } from './price-data.ts';

/** One model as `GET /models` shows it. What nobody knows is null, never a guess. Prices are USD per million tokens. */
export interface CatalogModel {
  id: string;
  name: string;
  provider: ProviderType;
  contextWindow: number | null;
  maxOutput: number | null;
  supportsVision: boolean | null;
  supportsTools: boolean | null;
  supportsReasoning: boolean | null;
  costPer1MInput: number | null;
  costPer1MOutput: number | null;
}

/** What is not a chat model: the package prices these too. */
const NOT_CHAT =
  /embed|whisper|tts|realtime|transcribe|image|voice|ocr|audio|computer-use|guard|live|moderation|^(ada|babbage|curie|davinci)|text-/i;

/** Every chat model that the catalogue knows, of one provider or of all; what vendors have retired is left out. */
export async function catalogModels(only?: ProviderType): Promise<CatalogModel[]> {
  const { findProvider } = await prices();
  return PROVIDER_TYPES.filter(isVendorType)
    .filter((type) => only === undefined || only === type)
    .flatMap((type) =>
      (findProvider({ providerId: packageName(type) })?.models ?? [])
        .filter((model) => !model.deprecated && !NOT_CHAT.test(model.id) && isServed(type, model.id))
        .map((model) => toCatalogModel(type, sendableId(model), model)),
    );
}

/** What the catalogue knows of one model, also of one under a dated name; all null if nothing. */
export async function describeModel(provider: ProviderType, id: string): Promise<CatalogModel> {
  const known = await findModel(provider, id);
  return toCatalogModel(provider, id, known?.model);
}

/** Does the catalogue know this model of this provider? Matches by the package's own rules, aliases and dates included. */
export async function isCatalogued(provider: ProviderType, id: string): Promise<boolean> {
  return (await findModel(provider, id)) !== undefined;
}

/** The package's own id is not always one that the vendor takes (fireworks): then the match says which is. */
function sendableId(model: ModelInfo): string {
  const exact = exactNames(model.match);
  return exact.length === 0 || exact.includes(model.id) ? model.id : (exact[0] ?? model.id);
}

function exactNames(logic: MatchLogic): string[] {
  if ('equals' in logic) return [logic.equals];
  return 'or' in logic ? logic.or.flatMap((part) => ('equals' in part ? [part.equals] : [])) : [];
}

function toCatalogModel(provider: ProviderType, id: string, model: ModelInfo | undefined): CatalogModel {
  const rates = model && currentPrices(model);
  const abilities = ABILITIES.find(([pattern]) => pattern.test(id))?.[1];
  return {
    id,
    name: model?.name ?? id,
    provider,
    contextWindow: model?.context_window ?? null,
    maxOutput: abilities?.maxOutput ?? null,
    supportsVision: abilities?.vision ?? null,
    supportsTools: abilities?.tools ?? null,
    supportsReasoning: abilities?.reasoning ?? null,
    costPer1MInput: rates ? basePrice(rates.input_mtok) : null,
    costPer1MOutput: rates ? basePrice(rates.output_mtok) : null,
  };
}

/** A model may have several price lists; the last one that has begun holds. */
function currentPrices(model: ModelInfo): ModelPrice {
  if (!Array.isArray(model.prices)) return model.prices;
  const today = new Date().toISOString().slice(0, 10);
  const begun = model.prices.filter(
    ({ constraint }) => !constraint || (constraint.type === 'start_date' && constraint.start_date <= today),
  );
  return begun.at(-1)?.prices ?? {};
}

function basePrice(price: ModelPrice[string]): number | null {
  if (price === undefined) return null;
  return typeof price === 'number' ? price : price.base;
}
