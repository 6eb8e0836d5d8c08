import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import { isObject, tryParseJson } from '../core/json.ts';
import { hide } from '../core/redactor.ts';
import { AppError } from '../errors.ts';
import type { Schema } from '../storage/schema.ts';
import { sealContext, withSecretKey } from '../storage/sealed.ts';
import { open, seal } from '../storage/secret-box.ts';
import {
  deleteProviderSettings,
  deleteServerSetting,
  getServerSetting,
  listProviderSettings,
  putProviderSettings,
  putServerSetting,
} from '../storage/settings.ts';
import { ALIASES } from './catalog/overrides.ts';
import { type ChatModel, isCustomType, isProviderType, PROVIDER_TYPES, type ProviderType } from './chat-model.ts';
import { type Connection, connect } from './connection.ts';
import { CoolDowns, type Cooling, type Trial } from './cool-down.ts';
import { DEMO_MODEL, demoModel } from './demo.ts';
import { LiveCache } from './live/live-cache.ts';
import type { Profile, RemoteType, VendorType } from './profiles.ts';
import { isConfigured, secretsOf } from './settings/endpoint.ts';
import { requireFitting } from './settings/issues.ts';
import { isVendorType, type PackageProfile, profileOf } from './settings/profile-of.ts';
import { MAX_CUSTOM } from './settings/schema.ts';
import { type ProviderSettings, patchSettings, type SettingsPatch } from './settings/settings.ts';
import type { HttpClient } from './transport/client.ts';

/** What the registry stands on. `environment` is what the process was started with; stored settings go over it. */
export interface RegistryDeps {
  db: Kysely<Schema>;
  secretKey: Buffer;
  environment: Partial<Record<RemoteType, ProviderSettings>>;
  client: HttpClient;
  /** The user's own short names for `provider/model`; they win over the built-in ones. */
  aliases?: Readonly<Record<string, string>>;
  coolDowns?: CoolDowns;
  /** Is called when something was changed, so that other processes on the same database can be told. */
  changed?: () => void;
}

/** A model of a provider; `model` is the provider's own id. */
export interface ModelRef {
  provider: ProviderType;
  model: string;
}

const DEFAULT_KEY = 'default_model';

/** The built-in vendors' types, in the order of preference. */
export const VENDOR_TYPES = PROVIDER_TYPES.filter((type): type is VendorType => type !== 'demo');

/** The providers as configured now: settings, the default, and what answers for each. */
export class ProviderRegistry {
  readonly live: LiveCache;
  /** Short names, in lower case, and the `provider/model` that each stands for. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly #deps: RegistryDeps;
  readonly #coolDowns: CoolDowns;
  readonly #stored = new Map<RemoteType, ProviderSettings>();
  #lastChange: Promise<unknown> = Promise.resolve();
  readonly #demo = demoModel();
  readonly #connections = new Map<RemoteType, Connection>();
  #default: { provider: ProviderType; model: string | undefined } | undefined;

  private constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#coolDowns = deps.coolDowns ?? new CoolDowns();
    this.aliases = { ...ALIASES, ...deps.aliases };
    this.live = new LiveCache(async (type) => await this.connection(type).models());
  }

  /** Reads what is stored. @throws Error if the settings were sealed with another key. */
  static async load(deps: RegistryDeps): Promise<ProviderRegistry> {
    const registry = new ProviderRegistry(deps);
    for (const { type, sealed } of await listProviderSettings(deps.db)) {
      if (isRemoteType(type)) registry.#stored.set(type, registry.#unseal(type, sealed));
    }
    for (const type of registry.types()) registry.#hide(type);
    registry.#default = readDefault(await getServerSetting(deps.db, DEFAULT_KEY));
    return registry;
  }

  /** Every type that has settings: the vendors in the order of preference, then the custom ones by name. */
  types(): RemoteType[] {
    const known = [...Object.keys(this.#deps.environment), ...this.#stored.keys()];
    return [...VENDOR_TYPES, ...[...new Set(known.filter(isCustomType))].toSorted()];
  }

  /** What is known of a type: the vendor's row, or what a custom provider's settings say. */
  profile(type: RemoteType): Profile | PackageProfile {
    return profileOf(type, this.settings(type));
  }

  /** Where what is set for a provider comes from: its key, if it has one, and whether anything is stored. */
  sourceOf(type: RemoteType): { keyFrom: 'environment' | 'stored' | null; stored: boolean } {
    const stored = this.#stored.get(type);
    const given = this.#deps.environment[type]?.apiKey === undefined ? null : 'environment';
    return { keyFrom: stored?.apiKey === undefined ? given : 'stored', stored: stored !== undefined };
  }

  /** The settings in force: the environment's, with the stored ones over them. */
  settings(type: RemoteType): ProviderSettings {
    return { ...this.#deps.environment[type], ...this.#stored.get(type) };
  }

  /** Is there everything that a call needs? The demo model always has. */
  isConfigured(type: ProviderType): boolean {
    return type === 'demo' || isConfigured(type, this.settings(type));
  }

  /** A provider ready to be called. @throws AppError `provider_not_configured`. */
  connection(type: RemoteType): Connection {
    const known = this.#connections.get(type);
    if (known) return known;
    const connection = connect(type, this.settings(type), this.#deps.client);
    this.#connections.set(type, connection);
    return connection;
  }

  /** What answers for a provider. @throws AppError `provider_not_configured`. */
  chatModel(type: ProviderType): ChatModel {
    return type === 'demo' ? this.#demo : this.connection(type).model;
  }

  /** Is this model to be passed over for a while? The demo never is: it fails on order only. */
  cooling({ provider, model }: ModelRef): Cooling | undefined {
    // A provider that was deleted meanwhile is found out when it is asked.
    if (provider === 'demo' || !this.isConfigured(provider)) return undefined;
    return this.#coolDowns.cooling(this.connection(provider), model);
  }

  /** To be told how a call of this model goes that is about to be made. */
  trial({ provider, model }: ModelRef): Trial | undefined {
    return provider === 'demo' ? undefined : this.#coolDowns.start(this.connection(provider), model);
  }

  /** Changes and keeps settings. @throws InvalidRequestError if they do not fit the type, or not together. */
  configure(owner: string, type: RemoteType, patch: SettingsPatch): Promise<void> {
    return this.#inTurn(() => this.#configure(owner, type, patch));
  }

  async #configure(owner: string, type: RemoteType, patch: SettingsPatch): Promise<void> {
    const settings = patchSettings(await this.#readStored(type), patch);
    this.#hide(type, settings);
    await requireFitting(type, { ...this.#deps.environment[type], ...settings });
    const custom = this.types().filter(isCustomType);
    if (isCustomType(type) && custom.length >= MAX_CUSTOM && !custom.includes(type)) {
      throw new AppError('conflict', `There are ${MAX_CUSTOM} custom providers already; delete one first`);
    }
    const { db, secretKey } = this.#deps;
    const sealed = seal(JSON.stringify(settings), secretKey, sealContext('provider_settings', type));
    await withSecretKey(db, secretKey, (tx) => putProviderSettings(tx, owner, type, sealed));
    this.#stored.set(type, settings);
    this.#forget(type);
    this.#deps.changed?.();
  }

  /** Takes over what other processes on the same database have changed. @throws Error if that cannot be read. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#refresh());
  }

  async #refresh(): Promise<void> {
    const { db, secretKey } = this.#deps;
    const rows = await withSecretKey(db, secretKey, listProviderSettings);
    const stored = new Map<RemoteType, ProviderSettings>();
    for (const { type, sealed } of rows) if (isRemoteType(type)) stored.set(type, this.#unseal(type, sealed));
    for (const type of new Set([...this.#stored.keys(), ...stored.keys()])) {
      const settings = stored.get(type);
      if (isDeepStrictEqual(settings, this.#stored.get(type))) continue;
      if (settings) this.#stored.set(type, settings);
      else this.#stored.delete(type);
      this.#hide(type);
      this.#forget(type);
    }
    this.#default = readDefault(await getServerSetting(db, DEFAULT_KEY));
  }

  /** Tries the settings as they would be after a change. @throws AppError what the provider, or its absence, says. */
  async verify(type: RemoteType, patch: SettingsPatch): Promise<void> {
    const stored = await this.#readStored(type);
    const settings = { ...this.#deps.environment[type], ...patchSettings(stored, patch) };
    this.#hide(type, settings);
    await requireFitting(type, settings);
    await connect(type, settings, this.#deps.client).models();
  }

  /** Forgets what was stored for a provider; the environment's settings stay. False if nothing was stored. */
  remove(type: RemoteType): Promise<boolean> {
    return this.#inTurn(() => this.#remove(type));
  }

  async #remove(type: RemoteType): Promise<boolean> {
    const removed = await deleteProviderSettings(this.#deps.db, type);
    this.#stored.delete(type);
    this.#forget(type);
    this.#default = readDefault(await getServerSetting(this.#deps.db, DEFAULT_KEY));
    if (this.#default?.provider === type && !this.isConfigured(type)) {
      await deleteServerSetting(this.#deps.db, DEFAULT_KEY);
      this.#default = undefined;
    }
    this.#deps.changed?.();
    return removed;
  }

  /** Makes a provider the default. @throws AppError `conflict` if it is not configured, `model_not_found` of the demo. */
  async setDefault(owner: string, provider: ProviderType, model: string | undefined): Promise<ModelRef> {
    if (!this.isConfigured(provider)) {
      throw new AppError(
        'conflict',
        `${provider} is not configured; POST /api/chat/providers/${provider}/configure first`,
      );
    }
    if (provider === 'demo' && model !== undefined && model !== DEMO_MODEL) {
      throw new AppError('model_not_found', `The demo provider has one model only: ${DEMO_MODEL}`, {
        details: { suggestions: [DEMO_MODEL] },
      });
    }
    const ref = { provider, model: model ?? (await this.defaultModelOf(provider)) };
    await putServerSetting(this.#deps.db, owner, DEFAULT_KEY, JSON.stringify({ provider, model }));
    this.#default = { provider, model };
    this.#deps.changed?.();
    return ref;
  }

  /**
   * The model for requests that name none: the one that was set, else the first configured provider's (vendors before
   * custom ones), else Ollama's if it answers, since it needs no configuration, else the demo.
   */
  async defaultModel(): Promise<ModelRef> {
    if (this.#default && this.isConfigured(this.#default.provider)) {
      const { provider, model } = this.#default;
      return { provider, model: model ?? (await this.defaultModelOf(provider)) };
    }
    for (const provider of this.#inOrder()) {
      if (!this.isConfigured(provider)) continue;
      if (this.profile(provider).keyless && !(await this.live.answers(provider))) continue;
      return { provider, model: await this.defaultModelOf(provider) };
    }
    return { provider: 'demo', model: DEMO_MODEL };
  }

  /** The default as far as it is known without asking anybody; its model is null if only the provider could tell. */
  knownDefault(): { provider: ProviderType; model: string | null } {
    const set = this.#default && this.isConfigured(this.#default.provider) ? this.#default : undefined;
    const first = this.#inOrder().find(
      (type) =>
        this.isConfigured(type) && (!this.profile(type).keyless || this.live.knownHealth(type).healthy === true),
    );
    const provider = set?.provider ?? first ?? 'demo';
    return { provider, model: set?.model ?? this.#namedDefault(provider) ?? null };
  }

  /** A provider's default model. @throws AppError `no_provider` if it has none and its list is empty. */
  async defaultModelOf(provider: ProviderType): Promise<string> {
    const named = this.#namedDefault(provider);
    if (named !== undefined || provider === 'demo') return named ?? DEMO_MODEL;
    const first = (await this.live.models(provider)).find((model) => !/embed/i.test(model.id))?.id;
    if (first !== undefined) return first;
    throw new AppError(
      'no_provider',
      `${this.profile(provider).name} has no models; name one in "model" or set a defaultModel`,
    );
  }

  /** What somebody has configured comes before what needs no configuration. */
  #inOrder(): RemoteType[] {
    const rank = (type: RemoteType): number => (this.profile(type).keyless ? 1 : 0);
    return this.types().toSorted((a, b) => rank(a) - rank(b));
  }

  /** Changes wait for one another: each reads what the one before has written. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(change, change);
    this.#lastChange = turn;
    return turn;
  }

  /** What is stored now: another process on the same database may have changed it since the start. */
  async #readStored(type: RemoteType): Promise<ProviderSettings> {
    const { db, secretKey } = this.#deps;
    const rows = await withSecretKey(db, secretKey, listProviderSettings);
    const row = rows.find((candidate) => candidate.type === type);
    return row ? this.#unseal(type, row.sealed) : {};
  }

  /** Has the secrets in force, and those that are tried, struck out of errors and logs from now on. */
  #hide(type: RemoteType, tried: ProviderSettings = {}): void {
    // Custom providers come and go under any name: what was known of them before is bounded for all together.
    const types = isCustomType(type) ? this.types().filter(isCustomType) : [type];
    const inForce = types.flatMap((one) => [this.#stored.get(one) ?? {}, this.#deps.environment[one] ?? {}]);
    hide(isCustomType(type) ? 'custom' : type, [tried, ...inForce].flatMap(secretsIfReadable));
  }

  #unseal(type: RemoteType, sealed: string): ProviderSettings {
    const settings = tryParseJson(open(sealed, this.#deps.secretKey, sealContext('provider_settings', type)));
    return isObject(settings) ? settings : {};
  }

  #namedDefault(provider: ProviderType): string | undefined {
    if (provider === 'demo') return DEMO_MODEL;
    const settings = this.settings(provider);
    return settings.defaultModel ?? settings.deploymentName ?? this.profile(provider).defaultModel;
  }

  #forget(type: RemoteType): void {
    this.#connections.delete(type);
    this.live.forget(type);
  }
}

/** Is this the name of a type that has settings, whether or not there is such a custom provider? */
export function isRemoteType(type: string): type is RemoteType {
  return isVendorType(type) || isCustomType(type);
}

/** Stored by another version, under other rules, settings may be beyond reading; no call is made with such. */
function secretsIfReadable(settings: ProviderSettings): string[] {
  try {
    return secretsOf(settings);
  } catch {
    return [];
  }
}

function readDefault(text: string | undefined): { provider: ProviderType; model: string | undefined } | undefined {
  const value = text === undefined ? undefined : tryParseJson(text);
  if (!isObject(value) || typeof value.provider !== 'string' || !isProviderType(value.provider)) return undefined;
  return { provider: value.provider, model: typeof value.model === 'string' ? value.model : undefined };
}
