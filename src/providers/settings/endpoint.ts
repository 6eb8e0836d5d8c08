import { AppError } from '../../errors.ts';
import { isCustomType } from '../chat-model.ts';
import type { Profile, RemoteType } from '../profiles.ts';
import { profileOf } from './profile-of.ts';
import type { ProviderSettings } from './settings.ts';

/** Where and with what headers a provider is called. */
export interface Endpoint {
  /** Without a slash at the end. */
  baseUrl: string;
  /** Appended to every path: '' or `api-version=…`. */
  query: string;
  /** The model list; undefined: the provider has none. */
  modelsUrl: string | undefined;
  headers: Record<string, string>;
  /** The key and the values of headers, so that they can be struck out of whatever the provider says. */
  secrets: readonly string[];
  /** Azure with an API version: the URL names the deployment, which is the model of the call. */
  namesDeployment: boolean;
}

/** @throws AppError `provider_not_configured` naming the variable to set, if something that a call needs is missing. */
export function requireConfigured(type: RemoteType, settings: ProviderSettings): void {
  const { name } = profileOf(type, settings);
  if (settings.enabled === false) {
    throw notConfigured(type, `${name} is switched off: POST /api/chat/providers/${type}/configure {"enabled": true}`);
  }
  const missing = missingSetting(type, settings);
  if (missing) {
    throw notConfigured(
      type,
      `${name} is not configured: set ${missing}, or POST /api/chat/providers/${type}/configure`,
      missing,
    );
  }
}

/** Puts a profile and its settings together, which `requireConfigured` has found to be complete. */
export function endpointOf(profile: Profile, settings: ProviderSettings): Endpoint {
  const { baseUrl, query } = address(profile, settings);
  return {
    baseUrl,
    query,
    modelsUrl: modelsUrl(profile, baseUrl, query),
    headers: headersOf(profile, settings),
    secrets: secretsOf(settings),
    namesDeployment:
      profile.baseUrl === undefined && settings.apiVersion !== undefined && !/\/deployments\//.test(baseUrl),
  };
}

/** The address of a path below an endpoint. */
export function urlOf(endpoint: Endpoint, path: string): string {
  const url = endpoint.baseUrl + path;
  return endpoint.query === '' ? url : `${url}${path.includes('?') ? '&' : '?'}${endpoint.query}`;
}

/** The variable that would make this provider work, or undefined if nothing is missing. */
export function missingSetting(type: RemoteType, settings: ProviderSettings): string | undefined {
  const profile = profileOf(type, settings);
  if ('package' in profile) return undefined;
  const [variable] = profile.keyVariables;
  if (variable !== undefined && !profile.keyless && !settings.apiKey) return variable;
  if (profile.baseUrl || settings.baseUrl || settings.resourceName) return undefined;
  return isCustomType(type) ? 'PROFCLAW_PROVIDERS' : 'AZURE_OPENAI_ENDPOINT';
}

/** Is there everything that a call needs? Says nothing of whether the provider answers. */
export function isConfigured(type: RemoteType, settings: ProviderSettings): boolean {
  return settings.enabled !== false && missingSetting(type, settings) === undefined;
}

function notConfigured(type: RemoteType, message: string, variable?: string): AppError {
  return new AppError('provider_not_configured', message, {
    details: { provider: type, ...(variable ? { variable } : {}) },
  });
}

function address(profile: Profile, settings: ProviderSettings): Pick<Endpoint, 'baseUrl' | 'query'> {
  if (profile.baseUrl !== undefined) return { baseUrl: withPath(settings.baseUrl, profile.baseUrl), query: '' };
  const resource = settings.baseUrl ?? `https://${settings.resourceName}.openai.azure.com`;
  if (settings.apiVersion === undefined) return { baseUrl: withPath(resource, 'https://azure/openai/v1'), query: '' };
  return {
    baseUrl: withPath(resource, 'https://azure/openai'),
    query: `api-version=${encodeURIComponent(settings.apiVersion)}`,
  };
}

/** The list lies below the base URL, or beside a deployment that the base URL names. `..` is resolved. */
function modelsUrl(profile: Profile, baseUrl: string, query: string): string | undefined {
  if (profile.modelsPath === undefined) return undefined;
  const base = baseUrl.replace(/\/deployments\/[^/]+$/, '');
  // `/..` steps out of the version at the end of the base URL (cohere), and out of nothing else.
  const path = /\/v\d+[a-z]*$/.test(base) ? profile.modelsPath : profile.modelsPath.replace(/^\/\.\.\//, '/');
  const url = new URL(base + path);
  for (const [name, value] of new URLSearchParams(query)) url.searchParams.set(name, value);
  return url.href;
}

/** A base URL that names only a host gets the vendor's own path: that is how the vendors' own variables are used. */
function withPath(given: string | undefined, own: string): string {
  if (given === undefined) return own;
  const url = new URL(given);
  const path = url.pathname === '/' ? new URL(own).pathname : url.pathname;
  return `${url.origin}${path}`.replace(/\/+$/, '');
}

function headersOf(profile: Profile, settings: ProviderSettings): Record<string, string> {
  const headers: Record<string, string> = { ...profile.headers };
  if (settings.organization) headers['openai-organization'] = settings.organization;
  if (settings.project) headers['openai-project'] = settings.project;
  if (settings.apiKey) {
    const isBearer = profile.authentication === 'bearer' || settings.apiKey === settings.bearerToken;
    if (isBearer) headers.authorization = `Bearer ${settings.apiKey}`;
    else headers[profile.authentication] = settings.apiKey;
  }
  for (const [name, value] of Object.entries(settings.headers ?? {})) headers[name.toLowerCase()] = value;
  return headers;
}

/** What is shorter protects nothing, but stands in every other word: messages without those could not be read. */
const MIN_SECRET_CHARS = 6;

/** Options of packages that say where and what, and that an error had better name. */
const NO_SECRETS: ReadonlySet<string> = new Set(['name', 'baseURL', 'region', 'location', 'project', 'apiVersion']);

/** Headers that say who asks for what, in words that stand in other texts too. */
const NO_SECRET_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'anthropic-beta',
  'anthropic-version',
  'http-referer',
  'openai-beta',
  'user-agent',
  'x-title',
]);

/**
 * What must not be seen in any message: the key, and the values of headers and of a package's options. The longest come
 * first: struck out after a shorter one that it contains, a secret would leave its rest behind.
 */
export function secretsOf({ apiKey, headers, options }: ProviderSettings): string[] {
  // Who complains of a header may name what follows its scheme (`Token …`) alone.
  const values = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    NO_SECRET_HEADERS.has(name.toLowerCase()) ? [] : [value, value.replace(/^\S+\s+/, '')],
  );
  const plain = [apiKey ?? '', ...values, ...textsOf(options)];
  const all = plain.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
  const long = all.filter((value) => value.length >= MIN_SECRET_CHARS);
  return [...new Set(long)].toSorted((a, b) => b.length - a.length);
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (NO_SECRETS.has(name) ? [] : textsOf(inner)));
}
