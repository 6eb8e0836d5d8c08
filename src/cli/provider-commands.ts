import { readFileSync } from 'node:fs';
import type { Kysely } from 'kysely';
import type { AuditAction } from '../audit/actions.ts';
import type { JsonObject } from '../core/json.ts';
import { hide } from '../core/redactor.ts';
import { toAppError } from '../errors.ts';
import { missingSetting } from '../providers/settings/endpoint.ts';
import { SETTINGS_SHAPE } from '../providers/settings/schema.ts';
import type { SettingsPatch } from '../providers/settings/settings.ts';
import { appendAudit, COMMAND_LINE } from '../storage/audit.ts';
import type { Schema } from '../storage/schema.ts';
import { askSecret, readSecretInput } from './ask.ts';
import { wrongUse } from './exit-codes.ts';
import { knownType, settableType, withProviders } from './open-providers.ts';
import { CLEARABLE, type ProviderOptions } from './provider-options.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** Who is filed as having set it: the server itself. */
const OWNER = 'local';

/** Changes the settings of a provider, which is asked first unless that is refused. @throws Error for a person, AppError */
export async function setProviderCommand(terminal: Terminal, name: string, options: ProviderOptions): Promise<void> {
  const type = settableType(name);
  const patch = await patchOf(terminal, type, options);
  await withProviders(terminal, async ({ registry, db }) => {
    const asks = patch.apiKey !== undefined || patch.baseUrl !== undefined || patch.enabled === true;
    const isTried = options.verify && asks;
    const details = { fields: Object.keys(patch), ...(patch.baseUrl ? { baseUrl: patch.baseUrl } : {}) };
    await audited(db, 'provider.configure', type, details, async () => {
      if (isTried) await registry.verify(type, patch).catch((error: unknown) => Promise.reject(notKept(error)));
      await registry.configure(OWNER, type, patch);
    });
    const missing = missingSetting(type, registry.settings(type));
    if (missing !== undefined) writeLine(terminal, `saved; ${type} still needs ${missing}`);
    else if (!registry.isConfigured(type)) writeLine(terminal, `${type} is switched off`);
    else writeLine(terminal, `${type} is configured${isTried ? ' and answers' : ''}`);
  });
}

/** Sets the default, or says which it is. @param given `<type>` or `<type>/<model>`. @throws Error for a person, AppError */
export async function defaultCommand(terminal: Terminal, given: string | undefined): Promise<void> {
  await withProviders(terminal, async ({ registry, db }) => {
    if (given === undefined) {
      const { provider, model } = await registry.defaultModel();
      return writeLine(terminal, `${provider}/${model}`);
    }
    const [name = '', ...rest] = given.split('/');
    const model = rest.join('/') || undefined;
    const type = knownType(registry, name);
    if (!registry.isConfigured(type))
      throw new Error(`${type} is not configured; \`profclaw providers set ${type}\` does that`);
    const body = { provider: type, ...(model === undefined ? {} : { model }) };
    const ref = await audited(db, 'provider.default', type, body, () => registry.setDefault(OWNER, type, model));
    writeLine(terminal, `the default is ${ref.provider}/${ref.model}`);
  });
}

/** Forgets what is stored of a provider. @throws Error for a person */
export async function removeProviderCommand(terminal: Terminal, name: string): Promise<void> {
  const type = settableType(name);
  await withProviders(terminal, async ({ registry, db }) => {
    await audited(db, 'provider.remove', type, {}, async () => {
      if (!(await registry.remove(type))) throw new Error(`nothing is stored of ${type}`);
    });
    const rest = registry.isConfigured(type) ? '; what the environment says of it stays' : '';
    writeLine(terminal, `what was stored of ${type} is forgotten${rest}`);
  });
}

/** Writes a deed down before it is done, and once more if it fails, as the routes do. */
async function audited<T>(
  db: Kysely<Schema>,
  action: AuditAction,
  target: string,
  details: JsonObject,
  work: () => Promise<T>,
): Promise<T> {
  const deed = { ...COMMAND_LINE, action, target };
  await appendAudit(db, { ...deed, outcome: 'begun', details });
  try {
    return await work();
  } catch (error) {
    await appendAudit(db, { ...deed, outcome: 'failed', details: { code: toAppError(error).code } });
    throw error;
  }
}

async function patchOf(terminal: Terminal, type: string, options: ProviderOptions): Promise<SettingsPatch> {
  const { baseUrl, model: defaultModel, name, wire, resourceName, deployment: deploymentName, apiVersion } = options;
  const given = { baseUrl, defaultModel, name, wire, resourceName, deploymentName, apiVersion };
  const settings = Object.entries(given).filter(([, value]) => value !== undefined);
  const switched = options.disable ? false : options.enable ? true : undefined;
  const cleared = (options.clear ?? []).map((word) => [CLEARABLE[word], null] as const);
  const isKeyOnly = settings.length === 0 && switched === undefined && cleared.length === 0;
  const apiKey = await keyOf(terminal, type, options, isKeyOnly);
  if (apiKey !== undefined) hide('command line', [apiKey]);
  const patch: SettingsPatch = {
    ...Object.fromEntries(cleared),
    ...Object.fromEntries(settings),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(switched === undefined ? {} : { enabled: switched }),
  };
  for (const [field, value] of Object.entries(patch)) if (value !== null) requireFine(field, value);
  return patch;
}

async function keyOf(
  terminal: Terminal,
  type: string,
  { key, keyStdin, keyFile }: ProviderOptions,
  isKeyOnly: boolean,
): Promise<string | undefined> {
  if (keyStdin) return await readSecretInput(terminal);
  if (keyFile !== undefined) return readKeyFile(keyFile);
  return key || isKeyOnly ? await askSecret(terminal, `The key of ${type} (it is not shown): `) : undefined;
}

function readKeyFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new Error(`cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (text === '') throw new Error(`${path} is empty`);
  return text;
}

/** Options by the settings that they stand for; the others are called alike. */
const OPTIONS: Readonly<Record<string, string>> = {
  apiKey: 'the key',
  baseUrl: '--base-url',
  defaultModel: '--model',
  resourceName: '--resource-name',
  deploymentName: '--deployment',
  apiVersion: '--api-version',
};

/** @throws Error for a person, without the value: it may be a secret */
function requireFine(field: string, value: unknown): void {
  const schema = Object.entries(SETTINGS_SHAPE).find(([name]) => name === field)?.[1];
  const problem = schema?.safeParse(value).error?.issues.map(({ message }) => message);
  if (problem !== undefined) throw wrongUse(`${OPTIONS[field] ?? `--${field}`} ${problem.join('; ')}`);
}

function notKept(error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return new Error(`${why}\nNothing was changed; with --no-verify it is kept without asking.`, { cause: error });
}
