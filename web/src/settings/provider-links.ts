/** Where one gets a key of a vendor, by its type: pages of the vendors, for people. */
export const KEY_PAGES: Readonly<Record<string, string>> = {
  anthropic: 'https://platform.claude.com/settings/keys',
  openai: 'https://platform.openai.com/api-keys',
  azure: 'https://ai.azure.com',
  google: 'https://aistudio.google.com/apikey',
  groq: 'https://console.groq.com/keys',
  xai: 'https://console.x.ai',
  mistral: 'https://console.mistral.ai/api-keys',
  deepseek: 'https://platform.deepseek.com/api_keys',
  together: 'https://api.together.ai/settings/api-keys',
  fireworks: 'https://app.fireworks.ai/settings/users/api-keys',
  cerebras: 'https://cloud.cerebras.ai',
  openrouter: 'https://openrouter.ai/settings/keys',
  cohere: 'https://dashboard.cohere.com/api-keys',
  perplexity: 'https://www.perplexity.ai/account/api/keys',
  ollama: 'https://ollama.com/download',
};
