import { AppError, InvalidRequestError, type Issue } from '../../errors.ts';
import { loadFactory, packageProblem } from '../ai-sdk/package.ts';
import { isCustomType } from '../chat-model.ts';
import type { Quirks, RemoteType } from '../profiles.ts';
import { PROTOCOLS } from '../wire/wires.ts';
import type { ProviderSettings } from './settings.ts';

const CUSTOM_ONLY = ['name', 'wire', 'quirks', 'modelsPath', 'package', 'factory', 'options'] as const;
const VENDOR_ONLY = ['resourceName', 'deploymentName', 'apiVersion', 'organization', 'project'] as const;
const WIRE_ONLY = ['wire', 'quirks', 'modelsPath', 'baseUrl'] as const;
const PACKAGE_ONLY = ['factory', 'options'] as const;

/**
 * What is wrong with a provider's settings as a whole, each field for itself being right: fields that its type does
 * not take, or that do not go together. Looks for the package of a provider that is not switched off.
 */
export function settingIssues(type: RemoteType, settings: ProviderSettings): Issue[] {
  const refuse = (fields: readonly (keyof ProviderSettings)[], message: (field: string) => string): Issue[] =>
    fields.filter((field) => settings[field] !== undefined).map((path) => ({ path, message: message(path) }));
  if (!isCustomType(type)) return refuse(CUSTOM_ONLY, () => 'is for providers of type custom:<name> only');
  const issues = refuse(VENDOR_ONLY, () => 'is not for providers of type custom:<name>');
  if (settings.package !== undefined) {
    const problem = settings.enabled === false ? undefined : packageProblem(settings.package);
    if (problem !== undefined) issues.push({ path: 'package', message: problem });
    const instead = (field: string): string => (field === 'baseUrl' ? '; put it into options, mostly as baseURL' : '');
    return [...issues, ...refuse(WIRE_ONLY, (field) => `does not go together with package${instead(field)}`)];
  }
  issues.push(...refuse(PACKAGE_ONLY, () => 'is only for a package'));
  if (settings.baseUrl === undefined) issues.push({ path: 'baseUrl', message: 'is required, unless package is given' });
  const { quirks } = PROTOCOLS[settings.wire ?? 'openai-chat'];
  for (const quirk of Object.keys(settings.quirks ?? {}) as (keyof Quirks)[]) {
    if (!quirks.includes(quirk)) issues.push({ path: `quirks.${quirk}`, message: 'is not for this wire' });
  }
  if (settings.modelsPath === false && (settings.wire ?? 'openai-chat') !== 'openai-chat') {
    issues.push({ path: 'modelsPath', message: 'cannot be false on this wire: the list is how its health is asked' });
  }
  return issues;
}

/**
 * Refuses settings that do not fit their type, or not together, or whose package does not have what it should.
 * @throws InvalidRequestError with every issue.
 */
export async function requireFitting(type: RemoteType, settings: ProviderSettings): Promise<void> {
  const issues = settingIssues(type, settings);
  if (issues.length > 0) throw new InvalidRequestError(issues);
  if (settings.package === undefined || settings.enabled === false) return;
  try {
    await loadFactory(settings.package, settings.factory);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new InvalidRequestError([
      { path: settings.factory === undefined ? 'package' : 'factory', message: error.message },
    ]);
  }
}
