import { existsSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { ACCESS_SETTINGS, type AccessConfig, toAccessConfig } from './access-settings.ts';
import { isObject, tryParseJson } from './core/json.ts';
import { nearest } from './core/nearest.ts';
import { isNestedAtMost } from './core/nesting.ts';
import { isProviderType } from './providers/chat-model.ts';
import { PROFILES, type RemoteType, type VendorType } from './providers/profiles.ts';
import { readCustomProviders } from './providers/settings/custom.ts';
import { BaseUrl } from './providers/settings/schema.ts';
import type { ProviderSettings } from './providers/settings/settings.ts';
import { TOOL_SECRETS, TOOL_SETTINGS, type ToolConfig, toToolConfig } from './tool-settings.ts';
import { readMcpServers } from './tools/mcp/server-config.ts';

/** Everything that can be set from outside, read once at start. Times are in milliseconds, sizes in bytes. */
export interface Config {
  host: string;
  port: number;
  home: string;
  workspace: string;
  tools: ToolConfig;
  databaseUrl: string | undefined;
  /** The same database without a pooler in between, for LISTEN. */
  listenUrl: string | undefined;
  secretKey: string | undefined;
  /** The key that is to take its place, for `profclaw secret rotate`. */
  newSecretKey: string | undefined;
  access: AccessConfig;
  bodyLimit: number;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  timeouts: { connect: number; firstByte: number; idle: number };
  /** How long running requests may go on after the order to stop. */
  stopTimeout: number;
  /** How long a message waits for the one before it in its conversation. */
  turnWait: number;
  /** How long a run may run, without waiting for people. */
  runTimeout: number;
  /** How long a person has to answer an approval. */
  approvalTimeout: number;
  /** The model that makes titles of conversations; undefined: none does. */
  titleModel: string | undefined;
  providers: Partial<Record<RemoteType, ProviderSettings>>;
  /** The user's own short names for `provider/model`. */
  aliases: Record<string, string>;
  /** May callers of the API say which installed packages run, and with what options? */
  apiPackages: boolean;
  /** What commands that talk to a server go by: its address, their key for it, and the program to edit a text with. */
  client: { url: string | undefined; apiKey: string | undefined; editor: string | undefined };
  /** What is odd about the settings but keeps nothing from working; for the log. */
  warnings: string[];
}

/** The settings are wrong; `problems` names every one. */
export class ConfigError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`Wrong settings:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const seconds = z.coerce.number('must be a number of seconds').positive('must be greater than 0').max(86_400);
const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must begin with postgres://');
const days = z.coerce
  .number('must be a number of seconds')
  .positive('must be greater than 0')
  .max(30 * 86_400);
const word = z.string().regex(/^[\w.-]+$/, 'must be letters, digits, _, - or .');
const hostLabel = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, 'must be the name of an Azure resource');
const secretKey = z.string().regex(/^([0-9a-f]{64}|[\w+/-]{43}=?)$/i, 'must be 64 hex digits or base64 of 32 bytes');
const headerValue = z.string().regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');

/** `fast=groq/openai/gpt-oss-120b, best=anthropic/claude-opus-5-5` */
const aliases = z.string().transform((text, context) => {
  const out: Record<string, string> = {};
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name, target, provider = ''] = /^\s*([\w.-]+)\s*=\s*(([\w:-]+)\/\S+)\s*$/.exec(entry) ?? [];
    if (name !== undefined && target !== undefined && isProviderType(provider)) out[name.toLowerCase()] = target;
    else context.addIssue(`${JSON.stringify(entry.trim())} must be like fast=groq/openai/gpt-oss-120b`);
  }
  return out;
});

/** Levels in the settings file: the options of a provider's package are the deepest, and have a limit of their own. */
const MAX_NESTING = 30;

const SETTINGS = z.object({
  ...ACCESS_SETTINGS,
  ...TOOL_SETTINGS,
  PORT: z.coerce
    .number('must be a port number from 0 to 65535 (0 picks a free one)')
    .int('must be a whole number')
    .min(0, 'must be 0 to 65535')
    .max(65_535, 'must be 0 to 65535')
    .default(3000),
  PROFCLAW_HOME: z.string().min(1).default(defaultHome()),
  PROFCLAW_WORKSPACE: z.string().min(1).default('.'),
  PROFCLAW_SECRET_KEY: secretKey.optional(),
  PROFCLAW_NEW_SECRET_KEY: secretKey.optional(),
  PROFCLAW_BODY_LIMIT: z.coerce
    .number('must be a number of bytes')
    .int()
    .min(1024)
    .max(1024 ** 3)
    .default(10 * 1024 ** 2),
  PROFCLAW_ALIASES: aliases.default({}),
  /** JSON, read by `readCustomProviders`. */
  PROFCLAW_PROVIDERS: z.string().default('{}'),
  /** May `configure` name packages and their options? */
  PROFCLAW_API_PACKAGES: z.enum(['true', 'false']).default('true'),
  PROFCLAW_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  PROFCLAW_CONNECT_TIMEOUT: seconds.default(10),
  PROFCLAW_FIRST_BYTE_TIMEOUT: seconds.default(120),
  PROFCLAW_IDLE_TIMEOUT: seconds.default(60),
  PROFCLAW_STOP_TIMEOUT: seconds.default(30),
  PROFCLAW_TURN_WAIT: seconds.default(60),
  PROFCLAW_RUN_TIMEOUT: seconds.default(1800),
  PROFCLAW_APPROVAL_TIMEOUT: days.default(86_400),
  PROFCLAW_TITLE_MODEL: z.string().max(300).optional(),
  PROFCLAW_URL: BaseUrl.optional(),
  VISUAL: z.string().optional(),
  EDITOR: z.string().optional(),
  PROFCLAW_API_KEY: z
    .string()
    .regex(/^profclaw_[\w-]+$/, 'must be an API key of a server, which begins with profclaw_')
    .optional(),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_LISTEN_URL: postgresUrl.optional(),
  OLLAMA_HOST: z
    .string()
    .refine(
      (host) => BaseUrl.safeParse(ollamaHost(host)).success,
      'must be a host, host:port or http URL, without a name, password, query or hash',
    )
    .optional(),
  OPENAI_ORGANIZATION: word.optional(),
  OPENAI_ORG_ID: word.optional(),
  OPENAI_PROJECT_ID: word.optional(),
  AZURE_OPENAI_ENDPOINT: BaseUrl.optional(),
  AZURE_OPENAI_RESOURCE_NAME: hostLabel.optional(),
  AZURE_RESOURCE_NAME: hostLabel.optional(),
  AZURE_OPENAI_DEPLOYMENT_NAME: word.optional(),
  AZURE_OPENAI_API_VERSION: word.optional(),
  OR_SITE_URL: headerValue.optional(),
  OR_APP_NAME: headerValue.optional(),
});

type Values = z.infer<typeof SETTINGS>;

const VENDORS = Object.keys(PROFILES) as VendorType[];
const KEY_VARIABLES = VENDORS.flatMap((type) => PROFILES[type].keyVariables);
const BASE_URL_VARIABLES = VENDORS.map(baseUrlVariable);
/** Objects in the settings file. */
const JSON_SETTINGS = ['PROFCLAW_PROVIDERS', 'PROFCLAW_MCP_SERVERS'];
/** Their value may also be the content of the file that `NAME_FILE` names. */
const SECRETS = [
  ...KEY_VARIABLES,
  ...TOOL_SECRETS,
  'PROFCLAW_ACCESS_KEY',
  'PROFCLAW_API_KEY',
  'PROFCLAW_SECRET_KEY',
  'PROFCLAW_NEW_SECRET_KEY',
  'DATABASE_URL',
  'DATABASE_LISTEN_URL',
];
const KNOWN = new Set([...Object.keys(SETTINGS.shape), ...SECRETS, ...BASE_URL_VARIABLES]);

/**
 * Reads the environment and the settings file (`PROFCLAW_CONFIG`, else `profclaw.config.json` in the home folder:
 * a JSON object with the same names). The environment wins; an empty variable counts as absent.
 * @throws ConfigError with every wrong value at once.
 */
export function loadConfig(environment: Environment = process.env): Config {
  const problems: string[] = [];
  const fromFile = readSecretFiles(readSettingsFile(environment, problems), problems);
  const raw = { ...fromFile, ...readSecretFiles(nonEmpty(environment), problems) };
  const parsed = SETTINGS.safeParse(raw);
  for (const issue of parsed.error?.issues ?? []) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  const providers = readProviders(raw, problems);
  const mcpServers = readMcpServers(
    raw.PROFCLAW_MCP_SERVERS ?? '{}',
    (name) => readSecret(name, raw, problems),
    problems,
  );
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const config = toConfig(parsed.data, withVendorSettings(providers, parsed.data));
  const tools = toToolConfig(parsed.data, mcpServers, environment);
  return deepFreeze({ ...config, tools, warnings: misspelt(environment) });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

const PREFIX = 'PROFCLAW_';

/** Variables that look like settings of ours with a slip in their name. Others with our prefix may be anybody's. */
function misspelt(environment: Environment): string[] {
  const ours = ['PROFCLAW_CONFIG', ...KNOWN].filter((name) => name.startsWith(PREFIX));
  const words = ours.map((name) => name.slice(PREFIX.length));
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith(PREFIX) || ours.includes(name) || isKnown(name)) return [];
    const [meant] = nearest(name.slice(PREFIX.length), words, 1);
    return meant === undefined ? [] : [`${name}: there is no such setting; did you mean ${PREFIX}${meant}?`];
  });
}

function isKnown(name: string): boolean {
  return KNOWN.has(name) || SECRETS.some((secret) => name === `${secret}_FILE`);
}

function toConfig(values: Values, providers: Config['providers']): Omit<Config, 'tools' | 'warnings'> {
  return {
    host: values.HOST,
    port: values.PORT,
    home: resolve(values.PROFCLAW_HOME),
    workspace: resolve(values.PROFCLAW_WORKSPACE),
    databaseUrl: values.DATABASE_URL,
    listenUrl: values.DATABASE_LISTEN_URL ?? values.DATABASE_URL,
    secretKey: values.PROFCLAW_SECRET_KEY,
    newSecretKey: values.PROFCLAW_NEW_SECRET_KEY,
    access: toAccessConfig(values),
    bodyLimit: values.PROFCLAW_BODY_LIMIT,
    logLevel: values.PROFCLAW_LOG_LEVEL,
    aliases: values.PROFCLAW_ALIASES,
    apiPackages: values.PROFCLAW_API_PACKAGES === 'true',
    timeouts: {
      connect: values.PROFCLAW_CONNECT_TIMEOUT * 1000,
      firstByte: values.PROFCLAW_FIRST_BYTE_TIMEOUT * 1000,
      idle: values.PROFCLAW_IDLE_TIMEOUT * 1000,
    },
    stopTimeout: values.PROFCLAW_STOP_TIMEOUT * 1000,
    turnWait: values.PROFCLAW_TURN_WAIT * 1000,
    runTimeout: values.PROFCLAW_RUN_TIMEOUT * 1000,
    approvalTimeout: values.PROFCLAW_APPROVAL_TIMEOUT * 1000,
    titleModel: values.PROFCLAW_TITLE_MODEL,
    client: {
      url: values.PROFCLAW_URL?.replace(/\/+$/, ''),
      apiKey: values.PROFCLAW_API_KEY,
      editor: values.VISUAL ?? values.EDITOR,
    },
    providers,
  };
}

function readSettingsFile(environment: Environment, problems: string[]): Record<string, string> {
  const named = environment.PROFCLAW_CONFIG || undefined;
  const file = named ?? join(environment.PROFCLAW_HOME || defaultHome(), 'profclaw.config.json');
  const text = readText(file);
  if (text === undefined) {
    if (named) problems.push(`PROFCLAW_CONFIG: cannot read ${JSON.stringify(named)}`);
    else if (existsSync(file)) problems.push(`${file}: cannot be read`);
    return {};
  }
  const values = tryParseJson(text);
  if (!isObject(values) || !isNestedAtMost(values, MAX_NESTING)) {
    problems.push(`${file}: is ${isObject(values) ? `nested over ${MAX_NESTING} levels deep` : 'not a JSON object'}`);
    return {};
  }
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (!isKnown(name)) problems.push(`${name}: ${file} has it, but there is no such setting`);
    else if (JSON_SETTINGS.includes(name) && isObject(value)) out[name] = JSON.stringify(value);
    else if (typeof value !== 'string' && typeof value !== 'number')
      problems.push(`${name}: ${file} must give it as text or a number`);
    else out[name] = String(value);
  }
  return out;
}

function nonEmpty(environment: Environment): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && value.trim() !== '') out[name] = value;
  return out;
}

function readSecretFiles(raw: Record<string, string>, problems: string[]): Record<string, string> {
  for (const name of SECRETS) {
    const value = readSecret(name, raw, problems);
    if (value !== undefined) raw[name] = value;
  }
  return raw;
}

/** A setting's value, or else the content of the file that `NAME_FILE` names. */
function readSecret(name: string, raw: Record<string, string>, problems: string[]): string | undefined {
  // A custom provider's variable may have any name, such as one that every object has.
  if (Object.hasOwn(raw, name)) return raw[name];
  const file = raw[`${name}_FILE`];
  if (file === undefined) return undefined;
  const text = readText(file)?.trim();
  if (!text) problems.push(`${name}_FILE: ${JSON.stringify(file)} ${text === '' ? 'is empty' : 'cannot be read'}`);
  return text || undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function baseUrlVariable(type: VendorType): string {
  return `${type.toUpperCase()}_BASE_URL`;
}

function readProviders(raw: Record<string, string>, problems: string[]): Config['providers'] {
  const providers: Config['providers'] = {};
  for (const type of VENDORS) {
    const settings: ProviderSettings = {};
    const key = PROFILES[type].keyVariables.find((name) => raw[name] !== undefined);
    const apiKey = key === undefined ? undefined : raw[key]?.trim();
    if (key !== undefined && apiKey !== undefined) {
      if (!/^[\x21-\x7e]+$/.test(apiKey)) {
        problems.push(`${key}: holds characters that no key has (spaces, line ends or the like)`);
      } else {
        settings.apiKey = apiKey;
        if (PROFILES[type].tokenVariables?.includes(key)) settings.bearerToken = apiKey;
      }
    }
    const base = raw[baseUrlVariable(type)];
    if (base !== undefined) {
      const parsed = BaseUrl.safeParse(base);
      if (parsed.success) settings.baseUrl = base;
      else problems.push(`${baseUrlVariable(type)}: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
    }
    providers[type] = settings;
  }
  const custom = raw.PROFCLAW_PROVIDERS;
  const secret = (name: string): string | undefined => readSecret(name, raw, problems);
  return custom === undefined ? providers : { ...providers, ...readCustomProviders(custom, secret, problems) };
}

/** Settings that only one vendor has, under the names that its own tools use. */
function withVendorSettings(providers: Config['providers'], values: Values): Config['providers'] {
  const add = (type: VendorType, extra: { [K in keyof ProviderSettings]?: ProviderSettings[K] | undefined }): void => {
    const given = Object.entries(extra).filter(([, value]) => value !== undefined);
    providers[type] = { ...Object.fromEntries(given), ...providers[type] };
  };
  add('ollama', { baseUrl: values.OLLAMA_HOST === undefined ? undefined : ollamaUrl(values.OLLAMA_HOST) });
  add('openai', {
    organization: values.OPENAI_ORGANIZATION ?? values.OPENAI_ORG_ID,
    project: values.OPENAI_PROJECT_ID,
  });
  add('azure', {
    baseUrl: values.AZURE_OPENAI_ENDPOINT,
    resourceName: values.AZURE_OPENAI_RESOURCE_NAME ?? values.AZURE_RESOURCE_NAME,
    deploymentName: values.AZURE_OPENAI_DEPLOYMENT_NAME,
    apiVersion: values.AZURE_OPENAI_API_VERSION,
  });
  const attribution = {
    ...(values.OR_SITE_URL ? { 'http-referer': values.OR_SITE_URL } : {}),
    ...(values.OR_APP_NAME ? { 'x-title': values.OR_APP_NAME } : {}),
  };
  add('openrouter', { headers: Object.keys(attribution).length > 0 ? attribution : undefined });
  return providers;
}

/**
 * `OLLAMA_HOST` as Ollama itself reads it: the scheme, the host or the port may be absent. It is what the server binds
 * to, so it may mean every address of the machine; then ours is this one.
 */
function ollamaUrl(host: string): string {
  const full = new URL(ollamaHost(host));
  if (full.hostname === '0.0.0.0') full.hostname = '127.0.0.1';
  if (full.hostname === '[::]') full.hostname = '[::1]';
  return full.href.replace(/\/+$/, '');
}

/** With a scheme the port is the scheme's own, without one Ollama's. */
function ollamaHost(host: string): string {
  if (/^https?:\/\//.test(host)) return host;
  const [, name, port = ':11434', path] = /^(\[[^\]]*\]|[^:/]*)(:\d+)?(\/.*)?$/.exec(host) ?? [];
  return `http://${name === undefined ? host : `${name || '127.0.0.1'}${port}${path ?? ''}`}`;
}

/** Cron, containers and services may have no `HOME`, or an empty one: nothing of it may land in the current folder. */
function defaultHome(): string {
  const home = homedir();
  return join(isAbsolute(home) ? home : userInfo().homedir, '.profclaw');
}
