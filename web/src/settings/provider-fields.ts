import type { Provider } from './provider-status.ts';

/** A setting of a provider as a form has it. */
export interface ProviderField {
  /** Its name in the API. */
  name: string;
  label: string;
  hint: string;
  /**
   * `secret` and `json` are never shown again: empty, they stay as they are. The others are shown; emptied, they are
   * cleared. `headers` has a `name: value` in each line, but of those that are set only the names.
   */
  kind: 'secret' | 'text' | 'url' | 'headers' | 'json' | 'wire';
  isRequired?: boolean;
  /** Seldom needed: behind a fold. */
  isFolded?: boolean;
}

const STAYS = 'Empty: stays as it is.';

const KEY: ProviderField = { name: 'apiKey', label: 'API key', hint: '', kind: 'secret' };
const MODEL: ProviderField = {
  name: 'defaultModel',
  label: 'Its own default model',
  hint: 'For requests that only name this provider. Emptied: chosen by itself.',
  kind: 'text',
  isFolded: true,
};
const ADDRESS: ProviderField = {
  name: 'baseUrl',
  label: 'Base URL',
  hint: 'Emptied: the vendor’s own.',
  kind: 'url',
  isFolded: true,
};
const HEADERS: ProviderField = {
  name: 'headers',
  label: 'Headers',
  hint: 'Sent with every request, one “name: value” a line. Values that are set are not shown.',
  kind: 'headers',
  isFolded: true,
};
const AZURE: readonly ProviderField[] = [
  {
    name: 'resourceName',
    label: 'Resource name',
    hint: 'The first part of the host’s name; or give the base URL instead.',
    kind: 'text',
  },
  { ...ADDRESS, label: 'Base URL', hint: 'In place of the resource’s name. Emptied: made of that.', isFolded: false },
  {
    name: 'deploymentName',
    label: 'Deployment',
    hint: 'Azure calls models by the names of deployments.',
    kind: 'text',
  },
  {
    name: 'apiVersion',
    label: 'API version',
    hint: 'Such as 2024-10-21, for resources without /openai/v1. Mostly not needed.',
    kind: 'text',
    isFolded: true,
  },
];
const OPENAI: readonly ProviderField[] = [
  { name: 'organization', label: 'Organization', hint: 'Its id, org-…', kind: 'text', isFolded: true },
  { name: 'project', label: 'Project', hint: 'Its id, proj_…', kind: 'text', isFolded: true },
];
const NAME: ProviderField = { name: 'name', label: 'Name', hint: 'For people.', kind: 'text' };
const ON_WIRE: readonly ProviderField[] = [
  { ...ADDRESS, hint: 'Such as https://api.example.com/v1.', isRequired: true, isFolded: false },
  {
    name: 'wire',
    label: 'Protocol',
    hint: 'Most vendors speak OpenAI’s Chat Completions.',
    kind: 'wire',
    isRequired: true,
  },
  {
    name: 'modelsPath',
    label: 'Path of the list of models',
    hint: 'Below the base URL; “false” if there is no list. Emptied: where the protocol has it.',
    kind: 'text',
    isFolded: true,
  },
  {
    name: 'quirks',
    label: 'Where it departs from its protocol',
    hint: `A JSON object, as docs/custom-providers.md says. ${STAYS}`,
    kind: 'json',
    isFolded: true,
  },
];
const IN_PACKAGE: readonly ProviderField[] = [
  {
    name: 'package',
    label: 'Package',
    hint: 'Of npm, such as @ai-sdk/amazon-bedrock; it must be installed beside the server.',
    kind: 'text',
    isRequired: true,
  },
  { name: 'options', label: 'Options', hint: 'A JSON object for the package, such as {"region": "…"}.', kind: 'json' },
  {
    name: 'factory',
    label: 'Export',
    hint: 'The create… function to call, if the package has several.',
    kind: 'text',
    isFolded: true,
  },
];

/** The protocols that a custom provider can speak. */
export const WIRES: readonly { value: string; text: string }[] = [
  { value: 'openai-chat', text: 'OpenAI Chat Completions' },
  { value: 'openai-responses', text: 'OpenAI Responses' },
  { value: 'anthropic-messages', text: 'Anthropic Messages' },
  { value: 'gemini', text: 'Gemini' },
  { value: 'ollama-chat', text: 'Ollama' },
  { value: 'cohere-chat', text: 'Cohere v2' },
];

/** The fields that a new custom provider has: of a vendor on a known protocol, or of a package of the AI SDK. */
export function newCustomFields(kind: 'wire' | 'package'): readonly ProviderField[] {
  const fields = kind === 'wire' ? [...ON_WIRE, KEY] : [...IN_PACKAGE, KEY];
  // A package has no list, so only a model that is named makes it fit to be the default.
  const model = { ...MODEL, isFolded: kind === 'wire' };
  const all = [{ ...NAME, isFolded: true }, ...fields, model, HEADERS];
  return all.map((field) => ({ ...field, hint: field.hint.replace(` ${STAYS}`, '') }));
}

/** The fields that a provider has: docs/providers.md and docs/custom-providers.md say which takes what. */
export function fieldsOf({ type, settings }: Provider): readonly ProviderField[] {
  if (type.startsWith('custom:')) {
    const own = settings.package === undefined ? ON_WIRE : IN_PACKAGE;
    return [KEY, NAME, ...own, MODEL, HEADERS];
  }
  if (type === 'azure') return [KEY, ...AZURE, { ...MODEL, hint: 'Only if it is not the deployment.' }, HEADERS];
  if (type === 'ollama') {
    const address = { ...ADDRESS, hint: 'Where Ollama listens. Emptied: on this machine.', isFolded: false };
    return [address, MODEL, { ...KEY, hint: 'For Ollama’s cloud only.', isFolded: true }, HEADERS];
  }
  return type === 'openai' ? [KEY, ADDRESS, MODEL, ...OPENAI, HEADERS] : [KEY, ADDRESS, MODEL, HEADERS];
}

/** What a provider's fields are now, as far as the API tells. */
export function shownOf({ type, settings, baseUrl, defaultModel }: Provider): Readonly<Record<string, string>> {
  const { headerNames = [], ...others } = settings;
  const texts = Object.entries(others).map(([name, value]) => [name, `${value ?? ''}`]);
  return {
    ...(type.startsWith('custom:') ? { wire: 'openai-chat' } : {}),
    ...Object.fromEntries(texts),
    baseUrl: baseUrl ?? '',
    defaultModel: defaultModel ?? '',
    headers: headerNames.map((name) => `${name}: ${HIDDEN}`).join('\n'),
  };
}

/** Stands for the value of a header. */
export const HIDDEN = '…';
