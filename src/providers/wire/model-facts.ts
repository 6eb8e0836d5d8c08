import { tryParseJson } from '../../core/json.ts';
import type { Profile } from '../profiles.ts';
import type { ModelFacts } from '../protocols/protocol.ts';
import { type Endpoint, urlOf } from '../settings/endpoint.ts';
import type { HttpClient } from '../transport/client.ts';
import { PROTOCOLS } from './wires.ts';

const MAX_FACTS_BYTES = 16 * 1024 * 1024;
const MAX_MODELS = 1000;

/**
 * Ollama unloads a model that nobody used for 5 minutes (its default): then another window costs no reload any more,
 * and the model may be another one under the same name.
 */
const IDLE_MS = 5 * 60_000;

interface Entry {
  asked: Promise<ModelFacts> | undefined;
  lastWindow: number | undefined;
  usedAt: number;
}

/** What is known of the models of one endpoint; forgotten when a model was idle. */
export class ModelFactsCache {
  readonly #entries = new Map<string, Entry>();

  /** @param ask must not throw; callers at the same time share one question. Absent: what is known without asking. */
  async of(model: string, ask: (() => Promise<ModelFacts>) | undefined): Promise<ModelFacts> {
    const entry = this.#entry(model);
    if (ask) entry.asked ??= ask();
    const { asked } = entry;
    const facts = await asked;
    // Who told nothing, or not in time, may do so next time.
    if (entry.asked === asked && Object.values(facts ?? {}).every((fact) => fact === undefined))
      entry.asked = undefined;
    return { ...facts, lastWindow: entry.lastWindow };
  }

  /** Notes the window that a call asked for. */
  note(model: string, window: number | undefined): void {
    if (window !== undefined) this.#entry(model).lastWindow = window;
  }

  #entry(model: string): Entry {
    const now = Date.now();
    const known = this.#entries.get(model);
    const entry =
      known && now - known.usedAt < IDLE_MS ? known : { asked: undefined, lastWindow: undefined, usedAt: 0 };
    entry.usedAt = now;
    if (this.#entries.size >= MAX_MODELS) this.#entries.clear();
    this.#entries.set(model, entry);
    return entry;
  }
}

/**
 * Asks a provider about one of its models; empty for a wire that cannot be asked. Never throws: a server that does not
 * tell, or not in time, leaves everything unknown.
 */
export async function modelFacts(
  profile: Profile,
  endpoint: Endpoint,
  client: HttpClient,
  model: string,
  signal: AbortSignal,
): Promise<ModelFacts> {
  const question = PROTOCOLS[profile.wire].facts;
  if (!question) return {};
  const headers = { 'content-type': 'application/json', ...endpoint.headers };
  const body = JSON.stringify(question.body(model));
  const url = urlOf(endpoint, question.path);
  try {
    const upstream = await client.send({ method: 'POST', url, headers, body, provider: profile.name }, signal);
    return question.read(tryParseJson(await upstream.text(MAX_FACTS_BYTES)));
  } catch {
    return {};
  }
}
