import { tryParseJson } from '../../core/json.ts';
import { AppError } from '../../errors.ts';
import type { Profile } from '../profiles.ts';
import { type Endpoint, urlOf } from '../settings/endpoint.ts';
import type { HttpClient } from '../transport/client.ts';
import { modelFacts } from '../wire/model-facts.ts';
import { readRefusal } from '../wire/refusal.ts';
import { type LiveModel, readList } from './read-list.ts';

const LIMIT_MS = 5000;
/** Within the limit above: a list without facts is better than none. */
const FACTS_LIMIT_MS = 2000;
const MAX_LIST_BYTES = 16 * 1024 * 1024;
/** The longest list known (openrouter's) has some hundreds. */
const MAX_MODELS = 2000;
/** Of the questions for single models. */
const ASKED_AT_ONCE = 8;

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
    const limit = AbortSignal.any([signal, AbortSignal.timeout(FACTS_LIMIT_MS)]);
    const models = readList(body).slice(0, MAX_MODELS);
    for (let at = 0; at < models.length && !limit.aborted; at += ASKED_AT_ONCE) {
      const some = models.slice(at, at + ASKED_AT_ONCE);
      const known = await Promise.all(some.map((model) => withFacts(model, profile, endpoint, client, limit)));
      models.splice(at, known.length, ...known);
    }
    return models;
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new AppError('provider_timeout', `${profile.name} did not answer within ${LIMIT_MS / 1000} s`);
  }
}

/** What the list leaves open and the provider says of the single model (ollama). */
async function withFacts(
  model: LiveModel,
  profile: Profile,
  endpoint: Endpoint,
  client: HttpClient,
  signal: AbortSignal,
): Promise<LiveModel> {
  const facts = await modelFacts(profile, endpoint, client, model.id, signal);
  return {
    ...model,
    contextWindow: model.contextWindow ?? facts.contextWindow,
    supportsVision: model.supportsVision ?? facts.supportsVision,
    supportsTools: model.supportsTools ?? facts.supportsTools,
    supportsReasoning: model.supportsReasoning ?? facts.supportsReasoning,
  };
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
