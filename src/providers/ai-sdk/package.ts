import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { AppError } from '../../errors.ts';

/** A model of an AI SDK provider package, in any version of its interface that we know. */
export type SdkModel = LanguageModelV2 | LanguageModelV3 | LanguageModelV4;

/** A package's `create…`: options in, a provider out. */
export type SdkFactory = (options: JsonObject) => unknown;

const VERSIONS: readonly string[] = ['v2', 'v3', 'v4'] satisfies SdkModel['specificationVersion'][];

/**
 * Why this package cannot be used, undefined if it can: it must be installed where this server is, and depend on
 * `@ai-sdk/provider`, which the providers of the AI SDK do. Nothing of it is loaded, and nothing is ever installed.
 * @param name an npm name, checked by the settings' schema.
 */
export function packageProblem(name: string): string | undefined {
  const manifest = readManifest(name);
  if (!manifest) return `${name} is not installed: npm install ${name} in the folder of this server, then try again`;
  const needs = { ...dependencies(manifest.peerDependencies), ...dependencies(manifest.dependencies) };
  if (Object.hasOwn(needs, '@ai-sdk/provider')) return undefined;
  return `${name} is not an AI SDK provider package: it does not depend on @ai-sdk/provider`;
}

/**
 * Loads a package and finds its `create…`.
 * @param factory the export's name; undefined: the only one that is named like that.
 * @throws AppError `provider_not_configured` saying what is wrong with the package.
 */
export async function loadFactory(name: string, factory: string | undefined): Promise<SdkFactory> {
  const problem = packageProblem(name);
  if (problem !== undefined) throw unusable(problem);
  return factoryOf(await importPackage(name), name, factory);
}

/** Finds the `create…` among what a package exports. One function under several names, as packages keep old ones, is one. */
export function factoryOf(exported: JsonObject, name: string, factory: string | undefined): SdkFactory {
  const found = Object.entries(exported).filter(
    (entry): entry is [string, SdkFactory] => /^create\w/.test(entry[0]) && typeof entry[1] === 'function',
  );
  const names = found.map(([key]) => key).join(', ') || 'none';
  const fitting = factory === undefined ? found : found.filter(([key]) => key === factory);
  const [only, ...more] = new Set(fitting.map(([, create]) => create));
  if (only && more.length === 0) return only;
  if (only) throw unusable(`${name} has several exports named create…; name one as factory: ${names}`);
  throw unusable(`${name} has no export named ${factory ?? 'create…'}; those named so: ${names}`);
}

/**
 * Looks at what a `create…` has made before anything of it is called: helper packages of the AI SDK export functions
 * of such names too. Every provider of its interface has one of the two.
 * @throws AppError `provider_not_configured`.
 */
export function requireProvider(made: unknown, name: string): void {
  const { languageModel, chat } = Object(made) as Record<string, unknown>;
  if (typeof languageModel === 'function' || typeof chat === 'function') return;
  throw unusable(`what ${name} creates is not a provider: it has neither languageModel nor chat`);
}

/**
 * Makes a model. @throws AppError `provider_not_configured` if the provider is none, or speaks a version of the
 * interface that we do not know; whatever the package itself throws.
 */
export function modelOf(provider: unknown, name: string, model: string): SdkModel {
  const { languageModel, chat } = Object(provider) as Record<string, unknown>;
  const make = [languageModel, provider, chat].find((candidate) => typeof candidate === 'function');
  if (typeof make !== 'function') throw unusable(`what ${name} creates has no language models`);
  const made: unknown = make.call(provider, model);
  if (isSdkModel(made)) return made;
  // A promise is no model; should it fail, nobody waits for it, and that would end the process.
  if (made instanceof Promise) made.catch(() => undefined);
  const version = isObject(made) ? String(made.specificationVersion ?? 'v1') : typeof made;
  throw unusable(`${name} speaks version ${version} of the AI SDK’s interface; known are ${VERSIONS.join(', ')}`);
}

function isSdkModel(value: unknown): value is SdkModel {
  return isObject(value) && VERSIONS.includes(String(value.specificationVersion));
}

function unusable(message: string): AppError {
  return new AppError('provider_not_configured', message);
}

async function importPackage(name: string): Promise<JsonObject> {
  try {
    return (await import(name)) as JsonObject;
  } catch (cause) {
    // The message has paths of this machine; it goes to the log with the cause.
    const why = isObject(cause) ? String(cause.code ?? cause.name) : typeof cause;
    throw new AppError('provider_not_configured', `${name} cannot be loaded (${why})`, { cause });
  }
}

function readManifest(name: string): JsonObject | undefined {
  try {
    const file = findPackageJSON(name, import.meta.url);
    const manifest = file === undefined ? undefined : tryParseJson(readFileSync(file, 'utf8'));
    return isObject(manifest) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function dependencies(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
