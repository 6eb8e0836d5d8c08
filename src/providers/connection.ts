import { aiSdkModel, sdkProvider } from './ai-sdk/model.ts';
import type { ChatModel } from './chat-model.ts';
import { fetchModels } from './live/fetch-models.ts';
import type { LiveModel } from './live/read-list.ts';
import type { RemoteType } from './profiles.ts';
import { endpointOf, requireConfigured, secretsOf } from './settings/endpoint.ts';
import { profileOf } from './settings/profile-of.ts';
import type { ProviderSettings } from './settings/settings.ts';
import type { HttpClient } from './transport/client.ts';
import { wireModel } from './wire/wire-model.ts';

/** A configured provider, ready to be called, be it over a wire or by a package. */
export interface Connection {
  /** Undefined: the package's own affair. */
  baseUrl: string | undefined;
  model: ChatModel;
  /**
   * Its models, by a call that costs nothing; empty if it has no list. Tells whether it is well too, as far as that
   * can be told: a package cannot be asked anything, so it is well if it loads.
   * @throws AppError as a chat call would.
   */
  models(): Promise<LiveModel[]>;
}

/** Puts a type and its settings together. @throws AppError `provider_not_configured` naming what to set. */
export function connect(type: RemoteType, settings: ProviderSettings, client: HttpClient): Connection {
  const profile = profileOf(type, settings);
  requireConfigured(type, settings);
  if (!('package' in profile)) {
    const endpoint = endpointOf(profile, settings);
    return {
      baseUrl: endpoint.baseUrl,
      model: wireModel(type, profile, endpoint, client),
      models: () => fetchModels(profile, endpoint, client),
    };
  }
  const source = { name: profile.name, secrets: secretsOf(settings) };
  const provider = sdkProvider(profile, settings, source);
  return {
    baseUrl: undefined,
    model: aiSdkModel(type, profile, provider, source, client.timeouts),
    models: async () => {
      await provider();
      return [];
    },
  };
}
