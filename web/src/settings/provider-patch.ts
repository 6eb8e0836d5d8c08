import { RequestError } from '../../../src/client/client.ts';
import { HIDDEN, type ProviderField } from './provider-fields.ts';

/** What is wrong, by the name of the field; '' for what is nobody's. */
export type FieldProblems = Readonly<Record<string, string>>;

/** A change of settings as `POST …/configure` takes it. */
export type SettingsChange = Record<string, unknown>;

/**
 * What a form changes: what was never shown and is empty stays, what was shown and is emptied is cleared (null).
 * @param before what the fields had that are shown.
 */
export function patchOf(
  fields: readonly ProviderField[],
  form: FormData,
  before: Readonly<Record<string, string>>,
): { patch: SettingsChange; problems: FieldProblems } {
  const patch: SettingsChange = {};
  const problems: Record<string, string> = {};
  for (const { name, kind } of fields) {
    const value = form.get(name);
    const text = typeof value === 'string' ? value.trim() : '';
    const wasShown = kind !== 'secret' && kind !== 'json';
    if (text === (wasShown ? (before[name] ?? '') : '')) continue;
    if (text === '') patch[name] = null;
    else {
      const read = readValue(kind, text, name);
      if (read.problem === undefined) patch[name] = read.value;
      else problems[name] = read.problem;
    }
  }
  return { patch, problems };
}

function readValue(
  kind: ProviderField['kind'],
  text: string,
  name: string,
): { value?: unknown; problem?: string | undefined } {
  if (kind === 'headers') return readHeaders(text);
  if (name === 'modelsPath' && text === 'false') return { value: false };
  if (kind !== 'json') return { value: text };
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { value } : { problem: 'must be a JSON object' };
  } catch (error) {
    return { problem: `is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function readHeaders(lines: string): { value?: Record<string, string>; problem?: string } {
  const value: Record<string, string> = {};
  for (const line of lines.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1) return { problem: `“${line}” has no colon: write “name: value”` };
    const header = line.slice(0, colon).trim();
    const text = line.slice(colon + 1).trim();
    if (text === HIDDEN) return { problem: `Write the value of ${header} again: it is not shown` };
    value[header] = text;
  }
  return { value };
}

/** Where an error belongs: beside the fields that it names, or that it is most likely about. */
export function problemsOf(error: unknown, fields: readonly ProviderField[]): FieldProblems {
  if (!(error instanceof RequestError)) return { '': String(error) };
  const has = (name: string): boolean => fields.some((field) => field.name === name);
  const { issues } = error.details;
  if (Array.isArray(issues)) {
    const problems: Record<string, string> = {};
    for (const { path, message } of issues as { path: string; message: string }[]) {
      const [first = ''] = path.split('.');
      const name = has(first) ? first : '';
      const said = name === '' || path !== first ? `${path} ${message}` : message;
      problems[name] = problems[name] === undefined ? said : `${problems[name]}; ${said}`;
    }
    return problems;
  }
  if (error.code === 'provider_auth' && has('apiKey')) return { apiKey: error.message };
  if (error.code === 'provider_unavailable' && has('baseUrl')) return { baseUrl: error.message };
  return { '': error.message };
}
