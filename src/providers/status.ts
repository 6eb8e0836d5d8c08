import type { ProviderType } from './chat-model.ts';
import { DEMO_MODEL } from './demo.ts';
import type { Health } from './live/live-cache.ts';
import type { RemoteType } from './profiles.ts';
import type { ProviderRegistry } from './registry.ts';
import type { ProviderSettings } from './settings/settings.ts';

/** A provider as a person sees it; never with its key. */
export interface ProviderStatus extends Health {
  type: ProviderType;
  name: string;
  configured: boolean;
  enabled: boolean;
  defaultModel: string | null;
  baseUrl: string | null;
  /** Where its key comes from; null: it has none. */
  keyFrom: 'environment' | 'stored' | null;
  /** Is there anything that can be forgotten? */
  stored: boolean;
  /** What else is set, without what may be secret. */
  settings: ShownSettings;
}

/** Settings that say nothing secret; of headers only their names. */
export type ShownSettings = Partial<Pick<ProviderSettings, (typeof SHOWN)[number]>> & { headerNames?: string[] };

const SHOWN = [
  ...(['organization', 'project', 'resourceName', 'deploymentName', 'apiVersion'] as const),
  ...(['name', 'wire', 'modelsPath', 'package', 'factory'] as const),
] as const;

/** What is known of a provider now. Waits for nobody; health that is old is renewed in the background. */
export function describeProvider(registry: ProviderRegistry, type: ProviderType): ProviderStatus {
  if (type === 'demo') {
    return {
      type,
      name: 'Demo',
      configured: true,
      enabled: true,
      healthy: true,
      message: 'Built in',
      latencyMs: 0,
      checkedAt: null,
      defaultModel: DEMO_MODEL,
      baseUrl: null,
      ...NOTHING_SET,
    };
  }
  try {
    return describeRemote(registry, type);
  } catch {
    // Settings may have been stored by another version, under other rules. One provider must not hide the others.
    const message = `Its stored settings cannot be used: configure it anew, or DELETE /api/chat/providers/${type}`;
    const unknown = { healthy: null, latencyMs: null, checkedAt: null, defaultModel: null, baseUrl: null };
    return { type, name: type, configured: false, enabled: true, message, ...unknown, ...NOTHING_SET, stored: true };
  }
}

function describeRemote(registry: ProviderRegistry, type: RemoteType): ProviderStatus {
  const settings = registry.settings(type);
  const configured = registry.isConfigured(type);
  const profile = registry.profile(type);
  const health = configured
    ? registry.live.knownHealth(type)
    : { healthy: null, message: notConfigured(registry, type), latencyMs: null, checkedAt: null };
  return {
    type,
    name: profile.name,
    configured,
    enabled: settings.enabled ?? true,
    ...health,
    defaultModel: settings.defaultModel ?? settings.deploymentName ?? profile.defaultModel ?? null,
    baseUrl: (configured ? registry.connection(type).baseUrl : (settings.baseUrl ?? profile.baseUrl)) ?? null,
    ...registry.sourceOf(type),
    settings: shown(settings),
  };
}

const NOTHING_SET = { keyFrom: null, stored: false, settings: {} } as const;

function shown(settings: ProviderSettings): ShownSettings {
  const entries = SHOWN.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]]));
  const headerNames = Object.keys(settings.headers ?? {});
  return { ...Object.fromEntries(entries), ...(headerNames.length > 0 ? { headerNames } : {}) };
}

function notConfigured(registry: ProviderRegistry, type: RemoteType): string {
  try {
    registry.connection(type);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
