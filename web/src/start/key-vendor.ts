/** How the keys of vendors begin, and whose they then can be; the longer beginnings first. */
const BEGINNINGS: readonly (readonly [string, ...string[]])[] = [
  ['sk-ant-', 'anthropic'],
  ['sk-or-', 'openrouter'],
  ['sk-proj-', 'openai'],
  ['sk-svcacct-', 'openai'],
  ['sk-admin-', 'openai'],
  ['sk-', 'openai', 'deepseek'],
  ['gsk_', 'groq'],
  ['xai-', 'xai'],
  ['AIza', 'google'],
  ['AQ.', 'google'],
  ['pplx-', 'perplexity'],
  ['csk-', 'cerebras'],
  ['fw_', 'fireworks'],
  ['tgp_', 'together'],
];

/** Whose key this may be, by its beginning; nobody's if it begins like no vendor's. @returns types of providers */
export function keyVendors(key: string): readonly string[] {
  const [, ...vendors] = BEGINNINGS.find(([beginning]) => key.trim().startsWith(beginning)) ?? [''];
  return vendors;
}
