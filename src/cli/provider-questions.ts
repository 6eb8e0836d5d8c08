import type { CatalogModel } from '../providers/catalog/catalog.ts';
import { DEMO_ENTRY, liveModels } from '../providers/models.ts';
import type { RemoteType } from '../providers/profiles.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import { knownType, withProviders } from './open-providers.ts';
import { writeJson, writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

interface Answer {
  provider: string;
  healthy: boolean;
  message: string;
  latencyMs: number | null;
  models: number | null;
}

/** Asks one provider, or all that are configured. Ends with 1 if one does not answer. @throws Error for a person */
export async function testProvidersCommand(
  terminal: Terminal,
  name: string | undefined,
  { json }: { json?: boolean },
): Promise<void> {
  const answers = await withProviders(terminal, async ({ registry }) => {
    const named = name === undefined ? undefined : knownType(registry, name);
    if (named === 'demo') return [{ provider: 'demo', healthy: true, message: 'Built in', latencyMs: 0, models: 1 }];
    const types = named === undefined ? registry.types().filter((type) => registry.isConfigured(type)) : [named];
    return await Promise.all(types.map((type) => ask(registry, type)));
  });
  // One that needs no key is not expected to be there.
  const failed = answers.filter(({ healthy, provider }) => !healthy && (name !== undefined || provider !== 'ollama'));
  if (failed.length > 0) terminal.exitCode(1);
  if (json) return writeJson(terminal, answers);
  writeTable(
    terminal,
    [
      { heading: 'PROVIDER', of: ({ provider }) => provider },
      { heading: 'ANSWERS', of: ({ healthy }) => (healthy ? 'yes' : 'no') },
      { heading: 'TIME', of: ({ latencyMs }) => (latencyMs === null ? null : `${latencyMs} ms`) },
      { heading: 'MODELS', of: ({ models }) => models },
      { heading: 'SAYS', of: ({ message }) => message },
    ],
    answers,
    'No provider is configured; `profclaw providers set <type>` does that.',
  );
}

async function ask(registry: ProviderRegistry, type: RemoteType): Promise<Answer> {
  const { healthy, message, latencyMs } = await registry.live.check(type);
  const models = healthy === true ? registry.live.knownModels(type).length : null;
  return { provider: type, healthy: healthy === true, message, latencyMs, models };
}

/** Lists the models of a provider. @throws Error for a person, AppError */
export async function listModelsCommand(terminal: Terminal, name: string, { json }: { json?: boolean }): Promise<void> {
  const models = await withProviders(terminal, async ({ registry }): Promise<CatalogModel[]> => {
    const type = knownType(registry, name);
    return type === 'demo' ? [DEMO_ENTRY] : await liveModels(registry, type, true);
  });
  if (json) return writeJson(terminal, models);
  writeTable(
    terminal,
    [
      { heading: 'MODEL', of: ({ id }) => id, isWhole: true },
      { heading: 'WINDOW', of: ({ contextWindow }) => contextWindow },
      { heading: '$/M IN', of: ({ costPer1MInput }) => costPer1MInput },
      { heading: '$/M OUT', of: ({ costPer1MOutput }) => costPer1MOutput },
      { heading: 'TOOLS', of: ({ supportsTools }) => yesOrNo(supportsTools) },
      { heading: 'THINKS', of: ({ supportsReasoning }) => yesOrNo(supportsReasoning) },
    ],
    models,
    `${name} has no models.`,
  );
}

function yesOrNo(flag: boolean | null): string | null {
  return flag === null ? null : flag ? 'yes' : 'no';
}
