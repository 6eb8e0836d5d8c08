import { isCustomType, PROVIDER_TYPES } from '../providers/chat-model.ts';
import type { RemoteType } from '../providers/profiles.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import { missingSetting } from '../providers/settings/endpoint.ts';
import { type OpenProviders, withProviders } from './open-providers.ts';
import { writeJson, writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

interface ProviderView {
  type: string;
  name: string;
  state: 'configured' | 'switched off' | 'not set' | 'unreadable';
  /** The variable that would make it work, if something is missing. */
  missing: string | null;
  /** Where the key is from. */
  key: 'stored' | 'environment' | null;
  defaultModel: string | null;
  baseUrl: string | null;
  isDefault: boolean;
}

/** Lists the providers, the custom ones last. Asks none of them, and shows no key. @throws Error for a person */
export async function listProvidersCommand(terminal: Terminal, { json }: { json?: boolean }): Promise<void> {
  const views = await withProviders(terminal, (open) => Promise.resolve(viewsOf(open)));
  if (json) return writeJson(terminal, views);
  writeTable(
    terminal,
    [
      { heading: 'TYPE', of: ({ type, isDefault }) => (isDefault ? `${type} *` : type) },
      { heading: 'STATE', of: ({ state }) => state },
      { heading: 'KEY', of: ({ key }) => key },
      { heading: 'DEFAULT MODEL', of: ({ defaultModel }) => defaultModel },
      { heading: 'ADDRESS', of: ({ baseUrl }) => baseUrl },
    ],
    views,
    'There are no providers.',
  );
  terminal.error.write('* is the default. `profclaw providers set <type>` sets one up, `test` asks it.\n');
}

function viewsOf({ registry, environment }: OpenProviders): ProviderView[] {
  // Of those that need no key, only an answer tells whether one would be taken.
  const chosen = registry.knownDefault().provider;
  const vendors = PROVIDER_TYPES.filter((type) => type !== 'demo');
  const types: RemoteType[] = [...vendors, ...registry.types().filter(isCustomType)];
  const all = types.map((type) => viewOf(registry, environment, type, chosen));
  const none = { missing: null, key: null, baseUrl: null } as const;
  const demo = { type: 'demo', name: 'Demo', state: 'configured', defaultModel: 'demo', ...none } as const;
  return [...all, { ...demo, isDefault: chosen === 'demo' }];
}

function viewOf(
  registry: ProviderRegistry,
  environment: OpenProviders['environment'],
  type: RemoteType,
  chosen: string,
): ProviderView {
  const isDefault = chosen === type;
  try {
    const settings = registry.settings(type);
    const { name, defaultModel, baseUrl } = registry.profile(type);
    const missing = missingSetting(type, settings) ?? null;
    const isOff = settings.enabled === false;
    const isStored = settings.apiKey !== undefined && settings.apiKey !== environment[type]?.apiKey;
    return {
      type,
      name,
      state: isOff ? 'switched off' : missing === null ? 'configured' : 'not set',
      missing,
      key: settings.apiKey === undefined ? null : isStored ? 'stored' : 'environment',
      defaultModel: settings.defaultModel ?? settings.deploymentName ?? defaultModel ?? null,
      baseUrl: settings.baseUrl ?? baseUrl ?? null,
      isDefault,
    };
  } catch {
    // Stored by another version, under other rules.
    const nothing = { missing: null, key: null, defaultModel: null, baseUrl: null };
    return { type, name: type, state: 'unreadable', ...nothing, isDefault };
  }
}
