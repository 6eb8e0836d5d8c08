import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Config } from '../../config.ts';
import { nearest } from '../../core/nearest.ts';
import { AppError } from '../../errors.ts';
import type { RemoteType } from '../../providers/profiles.ts';
import { ProviderRegistry } from '../../providers/registry.ts';
import { HttpClient } from '../../providers/transport/client.ts';
import { openDatabase } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { loadSecretKey } from '../../storage/secret-key.ts';
import { withExistingDatabase } from '../existing-database.ts';
import { examineClock } from './clock.ts';
import { type Finding, failed, none, ok, reasonOf, warning } from './finding.ts';
import { keyProblem } from './key-problem.ts';

const SLOW_MS = 3000;

/**
 * Asks every provider that is configured, all at once.
 * @param isUsable can the database be worked with? Else only the environment's are known.
 */
export async function examineProviders(config: Config, isUsable: boolean): Promise<Finding[]> {
  const client = new HttpClient(config.timeouts);
  const { providers: environment, aliases } = config;
  const look = async (db: Kysely<Schema>, secretKey: Buffer): Promise<Finding[]> => {
    const registry = await ProviderRegistry.load({ db, secretKey, environment, client, aliases });
    return await examineAll(registry, config, client);
  };
  try {
    if (isUsable && hasKey(config)) {
      const key = loadSecretKey(config.home, config.secretKey);
      return await withExistingDatabase(config, 'provider_settings', (db) => look(db, key));
    }
    const memory = await openDatabase({ file: ':memory:' });
    try {
      return await look(memory.db, randomBytes(32));
    } finally {
      await memory.close();
    }
  } catch (error) {
    const fix = 'put the right secret key in place; if it is lost, `profclaw secret forget` deletes what it sealed';
    return [failed('stored keys', `cannot be opened: ${reasonOf(error)}`, fix)];
  } finally {
    await client.close();
  }
}

/** Loading it would make it. */
function hasKey({ home, secretKey }: Config): boolean {
  return secretKey !== undefined || existsSync(join(home, 'secret.key'));
}

async function examineAll(registry: ProviderRegistry, config: Config, client: HttpClient): Promise<Finding[]> {
  const types = registry.types().filter((type) => registry.isConfigured(type));
  const asked = await Promise.all(types.map((type) => examineOne(registry, type)));
  const findings = [...asked];
  const isSet = types.some((type) => !registry.profile(type).keyless);
  if (!isSet) {
    const fix = '`profclaw providers set <type>` sets one up; or start Ollama';
    findings.push(none('keys', 'no provider has a key', fix));
  }
  const answering = types.filter((type) => registry.live.knownModels(type).length > 0);
  findings.push(await examineDefault(registry, types));
  const urls = answering.flatMap((type) => registry.connection(type).baseUrl ?? []);
  return [...findings, ...(await examineClock(client, urls)), ...examineKeys(registry, config)];
}

async function examineOne(registry: ProviderRegistry, type: RemoteType): Promise<Finding> {
  const begun = performance.now();
  try {
    const models = await registry.live.models(type, true);
    const ms = Math.round(performance.now() - begun);
    const listed = registry.profile(type).modelsPath === undefined ? '' : `, ${counted(models.length)}`;
    const says = `answers in ${ms} ms${listed}`;
    return ms > SLOW_MS ? warning(type, says, 'look at the network to it') : ok(type, says);
  } catch (error) {
    return unanswered(registry, type, error);
  }
}

function counted(models: number): string {
  return models === 1 ? '1 model' : `${models} models`;
}

function unanswered(registry: ProviderRegistry, type: RemoteType, error: unknown): Finding {
  const { keyless } = registry.profile(type);
  const says = reasonOf(error);
  if (keyless && registry.settings(type).baseUrl === undefined)
    return none(type, 'does not run here', 'install and start it for models of your own; it needs no key');
  const code = error instanceof AppError ? error.code : '';
  if (code === 'provider_auth') return failed(type, says, `give it a good key: \`profclaw providers set ${type}\``);
  if (code === 'provider_unavailable' || code === 'provider_timeout') {
    const where = registry.connection(type).baseUrl;
    const fix = `see that ${where ?? 'it'} is right and can be reached from here`;
    return keyless ? warning(type, says, fix) : failed(type, says, fix);
  }
  return failed(type, says, `look at its settings: \`profclaw providers set ${type} --help\``);
}

/** Is the default model one that its provider has? */
async function examineDefault(registry: ProviderRegistry, types: readonly RemoteType[]): Promise<Finding> {
  const name = 'default model';
  try {
    const { provider, model } = await registry.defaultModel();
    const full = `${provider}/${model}`;
    if (provider === 'demo')
      return warning(
        name,
        types.length > 0 ? `${full}, as nothing else was chosen or answers` : `${full}: only the built-in demo answers`,
        'set up a provider: `profclaw providers set <type>`, `profclaw providers default <type>`',
      );
    const ids = registry.live.knownModels(provider).map(({ id }) => id);
    if (ids.length === 0) return none(name, `${full}; there is no list to look it up in`);
    const tagged = registry.profile(provider).taggedModels && !model.includes(':') ? `${model}:latest` : model;
    if (ids.includes(model) || ids.includes(tagged)) return ok(name, full);
    const near = nearest(model, ids, 3);
    const meant = near.length > 0 ? near.map((id) => `${provider}/${id}`).join(', ') : 'one of its list';
    return warning(
      name,
      `${full} is not in the list of ${provider}`,
      `\`profclaw providers default\` with ${meant}, or see \`profclaw providers models ${provider}\``,
    );
  } catch (error) {
    return failed(name, reasonOf(error), '`profclaw providers default <type>/<model>` sets one that answers');
  }
}

/** Keys that cannot be right, whatever their provider says. */
function examineKeys(registry: ProviderRegistry, { providers: environment, tools, access }: Config): Finding[] {
  const others = { 'search key': tools.webSearch?.key, 'access key': access.accessKey };
  const ofOthers = Object.entries(others).flatMap(([name, key]) => {
    const problem = key === undefined ? undefined : keyProblem(key);
    return problem === undefined ? [] : [failed(name, problem, 'correct it in the environment or the settings file')];
  });
  const ofProviders = registry.types().flatMap((type) => {
    const { apiKey } = registry.settings(type);
    const problem = apiKey === undefined ? undefined : keyProblem(apiKey);
    if (problem === undefined) return [];
    const profile = registry.profile(type);
    const [variable] = 'keyVariables' in profile ? profile.keyVariables : [];
    const isTheirs = apiKey === environment[type]?.apiKey && variable !== undefined;
    const fix = isTheirs ? `correct ${variable}` : `\`profclaw providers set ${type}\` takes another one`;
    return [failed(`key of ${type}`, problem, fix)];
  });
  return [...ofProviders, ...ofOthers];
}
