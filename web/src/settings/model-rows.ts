import type { Provider } from './provider-status.ts';

/** A model as `GET /api/chat/models` lists it; what is unknown is null. */
export interface Model {
  id: string;
  name: string;
  provider: string;
  contextWindow: number | null;
  costPer1MInput: number | null;
  costPer1MOutput: number | null;
}

/** All models, and the short names of some. */
export interface Models {
  models: Model[];
  aliases: Record<string, string>;
}

/** Something to choose. */
export interface ModelOption {
  /** What a request has as its model; null is the default. */
  value: string | null;
  text: string;
  /** Window and price, or what a short name stands for. */
  about: string;
}

/** Options under a heading; '' for those that have none. */
export interface ModelGroup {
  heading: string;
  options: ModelOption[];
}

/** What fits, and how many more would have. */
export interface ModelRows {
  groups: ModelGroup[];
  left: number;
}

/** More than this nobody reads; typing narrows. */
const MOST_OPTIONS = 150;

/**
 * What can be chosen, grouped by provider: the configured ones in their order, the default one first, those that do
 * not answer and the demo last. A name that nobody lists can be chosen too.
 * @param lists the providers' own lists, as far as they are known: in place of the catalogue, which has more than is served.
 * @param typed every word of it must be in an option.
 */
export function modelRows(
  all: Models,
  lists: Readonly<Record<string, readonly Model[]>>,
  providers: readonly Provider[],
  defaultText: string,
  typed: string,
): ModelRows {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (...texts: string[]): boolean => {
    const text = texts.join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const usable = ranked(providers, defaultText);
  const groups: ModelGroup[] = [];
  if (fits('default', defaultText)) {
    groups.push({ heading: '', options: [{ value: null, text: `Default (${defaultText})`, about: '' }] });
  }
  for (const { type, name, defaultModel } of usable) {
    const own = lists[type] ?? [];
    const models = own.length > 0 ? own : all.models.filter(({ provider }) => provider === type);
    const options = models
      .toSorted((a, b) => Number(b.id === defaultModel) - Number(a.id === defaultModel))
      .filter((model) => fits(`${type}/${model.id}`, name, model.name))
      .map(optionOf);
    if (options.length > 0) groups.push({ heading: name, options });
  }
  const short = Object.entries(all.aliases)
    .filter(([alias, target]) => usable.some(({ type }) => target.startsWith(`${type}/`)) && fits(alias, target))
    .map(([alias, target]) => ({ value: alias, text: alias, about: target }));
  if (short.length > 0) groups.push({ heading: 'Short names', options: short });
  const cut = cutTo(MOST_OPTIONS, groups);
  const name = typed.trim();
  const isListed = groups.some(({ options }) => options.some(({ value, text }) => value === name || text === name));
  if (name !== '' && !/\s/.test(name) && !isListed) {
    cut.groups.push({ heading: '', options: [{ value: name, text: name, about: 'use this name' }] });
  }
  return cut;
}

function ranked(providers: readonly Provider[], defaultText: string): Provider[] {
  const rank = ({ type, healthy }: Provider): number => {
    if (defaultText.startsWith(`${type}/`)) return 0;
    if (type === 'demo') return 3;
    return healthy === false ? 2 : 1;
  };
  return providers
    .filter(({ type, configured, healthy }) => configured && (type !== 'ollama' || healthy === true))
    .toSorted((a, b) => rank(a) - rank(b));
}

function optionOf({ id, name, provider, contextWindow, costPer1MInput, costPer1MOutput }: Model): ModelOption {
  const isNamed = name !== '' && name !== id;
  const parts = [isNamed ? name : '', windowText(contextWindow), priceText(costPer1MInput, costPer1MOutput)];
  return { value: `${provider}/${id}`, text: id, about: parts.filter(Boolean).join(' · ') };
}

/** A context window for a person, such as `128k`; '' if it is not known. */
export function windowText(tokens: number | null): string {
  if (tokens === null) return '';
  if (tokens >= 1_000_000) return `${Number((tokens / 1_000_000).toFixed(1))}M`;
  return tokens >= 1000 ? `${Math.round(tokens / 1000)}k` : `${tokens}`;
}

/** Prices in USD for a million tokens, such as `$3 / $15`; '' if one is not known. */
export function priceText(input: number | null, output: number | null): string {
  if (input === null || output === null) return '';
  return input === 0 && output === 0 ? 'free' : `$${shortNumber(input)} / $${shortNumber(output)}`;
}

function shortNumber(amount: number): string {
  return `${Number(amount.toPrecision(3))}`;
}

function cutTo(most: number, groups: readonly ModelGroup[]): ModelRows {
  const kept: ModelGroup[] = [];
  let room = most;
  let left = 0;
  for (const { heading, options } of groups) {
    const some = options.slice(0, room);
    room -= some.length;
    left += options.length - some.length;
    if (some.length > 0) kept.push({ heading, options: some });
  }
  return { groups: kept, left };
}
