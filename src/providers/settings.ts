/** What can be set for one provider, by the environment or through the API. All optional; the API's wins. */
export interface ProviderSettings {
  apiKey?: string;
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
