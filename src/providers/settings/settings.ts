import type { JsonObject } from '../../core/json.ts';
import type { WireName } from '../profiles.ts';
import type { QuirksJson } from './quirks.ts';

/** What can be set for one provider, by the environment or through the API. All optional; the API's wins. */
export interface ProviderSettings {
  apiKey?: string;
  /** The key if it is a token, which travels as `Authorization: Bearer` whatever the vendor's keys do (anthropic). */
  bearerToken?: string;
  baseUrl?: string;
  defaultModel?: string;
  enabled?: boolean;
  /** Sent with every request to the provider. */
  headers?: Record<string, string>;
  /** Azure: the resource, that is the first part of the host name. */
  resourceName?: string;
  /** Azure: the deployment; with `apiVersion` it stands in the URL, else it is the model. */
  deploymentName?: string;
  apiVersion?: string;
  /** OpenAI: sent as `OpenAI-Organization`. */
  organization?: string;
  /** OpenAI: sent as `OpenAI-Project`. */
  project?: string;
  /** Custom: the name for people. */
  name?: string;
  /** Custom: the protocol, `openai-chat` if absent. */
  wire?: WireName;
  /** Custom: where it departs from its wire. */
  quirks?: QuirksJson;
  /** Custom: the model list, below the base URL; false: there is none; absent: where the wire's own vendor has it. */
  modelsPath?: string | false;
  /** Custom: the AI SDK provider package that calls it, in place of a wire. */
  package?: string;
  /** Custom: the package's export to call, if it has several that are named `create…`. */
  factory?: string;
  /** Custom: what the package's `create…` is given; may hold secrets. */
  options?: JsonObject;
}

/** A change of settings: a given field is set, `null` clears it, an absent one stays. */
export type SettingsPatch = { [K in keyof ProviderSettings]?: ProviderSettings[K] | null | undefined };

/** The settings after a change; the arguments stay as they are. */
export function patchSettings(settings: ProviderSettings, patch: SettingsPatch): ProviderSettings {
  const merged: SettingsPatch = { ...settings };
  for (const [key, value] of Object.entries(patch) as [keyof ProviderSettings, never][]) {
    if (value === null) delete merged[key];
    else if (value !== undefined) merged[key] = value;
  }
  return merged as ProviderSettings;
}
