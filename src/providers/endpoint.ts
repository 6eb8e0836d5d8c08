import { AppError } from '../errors.ts';
import { PROFILES, type Profile, type VendorType } from './profiles.ts';
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

/**
 * Puts a vendor's row and its settings together.
 * @throws AppError `provider_not_configured` naming the variable to set.
 */
export function endpointOf(type: VendorType, settings: ProviderSettings): Endpoint {
  const profile = PROFILES[type];
  if (settings.enabled === false) {
    throw notConfigured(
      type,
      `${profile.name} is switched off: POST /api/chat/providers/${type}/configure {"enabled": true}`,
    );
  }
  const missing = missingSetting(type, settings);
  if (missing) {
    throw notConfigured(
      type,
      `${profile.name} is not configured: set ${missing}, or POST /api/chat/providers/${type}/configure`,
      missing,
    );
  }
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

/** The variable that would make this provider work, or undefined if nothing is missing. */
export function missingSetting(type: VendorType, settings: ProviderSettings): string | undefined {
  const profile = PROFILES[type];
  if (!profile.keyless && !settings.apiKey) return profile.keyVariables[0];
  if (!profile.baseUrl && !settings.baseUrl && !settings.resourceName) return 'AZURE_OPENAI_ENDPOINT';
  return undefined;
}

/** Is there all that a call needs? Says nothing of whether the provider answers. */
export function isConfigured(type: VendorType, settings: ProviderSettings): boolean {
  return settings.enabled !== false && missingSetting(type, settings) === undefined;
}

function notConfigured(type: VendorType, message: string, variable?: string): AppError {
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
  const url = new URL(baseUrl.replace(/\/deployments\/[^/]+$/, '') + profile.modelsPath);
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
    if (profile.authentication === 'bearer') headers.authorization = `Bearer ${settings.apiKey}`;
    else headers[profile.authentication] = settings.apiKey;
  }
  for (const [name, value] of Object.entries(settings.headers ?? {})) headers[name.toLowerCase()] = value;
  return headers;
}

const MIN_SECRET_CHARS = 6;

function secretsOf(settings: ProviderSettings): string[] {
  const values = Object.values(settings.headers ?? {}).map((value) => value.replace(/^(bearer|basic) /i, ''));
  const long = values.filter((value) => value.length >= MIN_SECRET_CHARS);
  return settings.apiKey ? [settings.apiKey, ...long] : long;
}
