import type { z } from 'zod';
import { isObject, tryParseJson } from '../../core/json.ts';
import { type CustomType, isCustomType } from '../chat-model.ts';
import { settingIssues } from './issues.ts';
import { CustomSettings, MAX_CUSTOM } from './schema.ts';
import type { ProviderSettings } from './settings.ts';

type Providers = Partial<Record<CustomType, ProviderSettings>>;

/**
 * Reads the custom providers that the operator has written down: a JSON object of settings by type. No problem that it
 * names shows a value that could be a secret.
 * @param secret gives the value of a variable or of the file that it names; undefined if there is none.
 * @param problems takes a line for everything that is wrong.
 */
export function readCustomProviders(
  text: string,
  secret: (variable: string) => string | undefined,
  problems: string[],
): Providers {
  const written = tryParseJson(text);
  if (!isObject(written)) {
    problems.push('PROFCLAW_PROVIDERS: must be a JSON object like {"custom:acme": {"baseUrl": "https://…"}}');
    return {};
  }
  if (Object.keys(written).length > MAX_CUSTOM) {
    problems.push(`PROFCLAW_PROVIDERS: has over ${MAX_CUSTOM} providers`);
    return {};
  }
  const providers: Providers = {};
  for (const [type, settings] of Object.entries(written)) {
    const complain = (path: string, message: string): void => {
      problems.push(`PROFCLAW_PROVIDERS: ${[type, path].filter((part) => part !== '').join('.')}: ${message}`);
    };
    if (isCustomType(type)) providers[type] = readSettings(type, settings, secret, complain);
    else complain('', 'must be custom:<name>; the name is of a-z, 0-9, _ and -, and of at most 40 characters');
  }
  return providers;
}

type Complain = (path: string, message: string) => void;

function readSettings(
  type: CustomType,
  written: unknown,
  secret: (variable: string) => string | undefined,
  complain: Complain,
): ProviderSettings {
  const parsed = CustomSettings.safeParse(written);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) complainOf(issue, complain);
    return {};
  }
  const { apiKeyVariable, ...rest } = parsed.data;
  const settings = rest as ProviderSettings;
  if (apiKeyVariable !== undefined) {
    if (settings.apiKey !== undefined) complain('apiKeyVariable', 'does not go together with apiKey');
    const key = CustomSettings.shape.apiKey.safeParse(secret(apiKeyVariable)?.trim());
    if (!key.success) complain('apiKeyVariable', `${apiKeyVariable} holds characters that no key has`);
    else if (key.data === undefined)
      complain('apiKeyVariable', `neither ${apiKeyVariable} nor ${apiKeyVariable}_FILE gives a key`);
    else settings.apiKey = key.data;
  }
  for (const { path, message } of settingIssues(type, settings)) complain(path, message);
  return settings;
}

function complainOf(issue: z.core.$ZodIssue, complain: Complain): void {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) complain([...path, key].join('.'), 'there is no such setting');
  } else complain(path.join('.'), issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message);
}
