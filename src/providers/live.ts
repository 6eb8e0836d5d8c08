import { asArray, asNumber, asObject, asString, isObject, tryParseJson } from '../core/json.ts';
import { AppError } from '../errors.ts';
import type { HttpClient } from './client.ts';
import type { Endpoint } from './endpoint.ts';
import type { Profile } from './profiles.ts';
import { readRefusal, urlOf } from './wire-model.ts';

/** A model as a provider's own list gives it; undefined where the list does not say. */
export interface LiveModel {
  id: string;
  name: string;
  contextWindow: number | undefined;
  maxOutput: number | undefined;
}

const LIMIT_MS = 5000;
const MAX_LIST_BYTES = 16 * 1024 * 1024;

/**
 * Asks a provider for its models: a real call that costs nothing. One try, 5 s at most.
 * A provider without a list is sent an empty request instead, which it refuses: with 401 if the key is bad.
 * @throws AppError as a chat call would.
 */
export async function fetchModels(profile: Profile, endpoint: Endpoint, client: HttpClient): Promise<LiveModel[]> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const upstream = await client.send(requestFor(profile, endpoint), signal, {
      connect: LIMIT_MS,
      firstByte: LIMIT_MS,
    });
    if (upstream.status >= 300) {
      const { error } = await readRefusal(profile, endpoint, upstream);
      if (endpoint.modelsUrl === undefined && error.code === 'provider_rejected') return [];
      throw error;
    }
    const body = tryParseJson(await upstream.text(MAX_LIST_BYTES));
    if (body === undefined) throw new AppError('provider_protocol', `${profile.name}: the model list is not JSON`);
    return readList(body);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new AppError('provider_timeout', `${profile.name} did not answer within ${LIMIT_MS / 1000} s`);
  }
}

function requestFor(profile: Profile, endpoint: Endpoint): Parameters<HttpClient['send']>[0] {
  const { headers } = endpoint;
  if (endpoint.modelsUrl !== undefined)
    return { method: 'GET', url: endpoint.modelsUrl, headers, provider: profile.name };
  const body = JSON.stringify({ model: profile.defaultModel, messages: [] });
  const url = urlOf(endpoint, '/chat/completions');
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    body,
    provider: profile.name,
  };
}

/** Reads `{data: […]}` (openai-like, anthropic), `{models: […]}` (google, ollama, cohere) or a bare list (together). */
function readList(body: unknown): LiveModel[] {
  const { data, models } = asObject(body);
  return asArray(data ?? models ?? body)
    .filter(isObject)
    .map((item) => {
      const id = (asString(item.id) || asString(item.name) || asString(item.model)).replace(/^models\//, '');
      return {
        id,
        name:
          asString(item.display_name) ||
          asString(item.displayName) ||
          asString(item.name).replace(/^models\//, '') ||
          id,
        contextWindow:
          asNumber(item.context_length) ??
          asNumber(item.context_window) ??
          asNumber(item.max_input_tokens) ??
          asNumber(item.inputTokenLimit) ??
          asNumber(item.max_context_length),
        maxOutput: asNumber(item.outputTokenLimit) ?? asNumber(item.max_completion_tokens) ?? asNumber(item.max_tokens),
      };
    })
    .filter((model) => model.id !== '');
}
