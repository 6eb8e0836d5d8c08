import type { Provider, Providers } from '../settings/provider-status.ts';

/**
 * Is there nothing but the demo model, or an Ollama that nobody has chosen a model of? False while nothing is known
 * yet, so that nothing appears that goes away again.
 */
export function isFirstStart(providers: Providers | undefined): boolean {
  if (providers === undefined) return false;
  const { default: type, defaultModel } = providers;
  const isChosen = type !== 'demo' && (type !== 'ollama' || defaultModel !== null);
  return !isChosen && !providers.providers.some(isSetUp);
}

/** By somebody: the demo is there anyway, and so is Ollama wherever it runs. */
function isSetUp({ type, configured, healthy }: Provider): boolean {
  return type !== 'demo' && type !== 'ollama' && configured && healthy !== false;
}
