import type { JsonObject } from '../../core/json.ts';
import type { AppError } from '../../errors.ts';
import type { ChatAnswer, ChatModel, ChatRequest, ProviderEvent } from '../chat-model.ts';
import type { PackageProfile } from '../settings/profile-of.ts';
import type { ProviderSettings } from '../settings/settings.ts';
import { type Try, withRetries } from '../transport/retries.ts';
import type { Timeouts } from '../transport/upstream.ts';
import type { Source } from '../wire/refusal.ts';
import { project } from '../wire/transcript.ts';
import { SdkAnswer } from './answer.ts';
import { inBatches, SdkClock } from './call.ts';
import { sdkError } from './errors.ts';
import { loadFactory, modelOf, requireProvider, type SdkModel } from './package.ts';
import { callOptions } from './prompt.ts';

/** Makes the provider of a package. @throws AppError if the package, or what it is to be given, is not fit. */
export type SdkProvider = () => Promise<unknown>;

/** The provider that a package creates from some settings; made on first use, since it is loaded for that. */
export function sdkProvider(profile: PackageProfile, settings: ProviderSettings, source: Source): SdkProvider {
  let making: Promise<unknown> | undefined;
  const make = async (): Promise<unknown> => {
    const factory = await loadFactory(profile.package, profile.factory);
    let made: unknown;
    try {
      made = await factory(optionsOf(settings));
    } catch (error) {
      throw sdkError(error, source).error;
    }
    requireProvider(made, profile.package);
    return made;
  };
  return () => {
    making ??= make().catch((error: unknown) => {
      // What is missing may be installed meanwhile.
      making = undefined;
      throw error;
    });
    return making;
  };
}

/** A copy, since the settings are frozen and a package may do with its options what it likes. */
function optionsOf({ options, apiKey, headers }: ProviderSettings): JsonObject {
  return structuredClone({ ...options, ...(apiKey ? { apiKey } : {}), ...(headers ? { headers } : {}) });
}

/** A provider of an AI SDK package as a {@link ChatModel}. */
export function aiSdkModel(
  type: string,
  profile: PackageProfile,
  provider: SdkProvider,
  source: Source,
  timeouts: Timeouts,
): ChatModel {
  return {
    chat: async (asked, signal, patienceMs) => {
      const model = await makeModel(await provider(), profile.package, asked.model, source);
      const messages = project(asked.messages, { provider: type, model: asked.model }, undefined);
      const call = new SdkCall({ ...asked, messages }, model, source);
      return await withRetries(() => call.start(new SdkClock(profile.name, timeouts, signal)), signal, patienceMs);
    },
  };
}

function makeModel(provider: unknown, name: string, id: string, source: Source): SdkModel {
  try {
    return modelOf(provider, name, id);
  } catch (error) {
    throw sdkError(error, source).error;
  }
}

class SdkCall {
  readonly #request: ChatRequest;
  readonly #model: SdkModel;
  readonly #source: Source;

  constructor(request: ChatRequest, model: SdkModel, source: Source) {
    this.#request = request;
    this.#model = model;
    this.#source = source;
  }

  async start(clock: SdkClock): Promise<Try<ChatAnswer>> {
    const answer = new SdkAnswer([]);
    const asked = callOptions(this.#request, this.#model.specificationVersion, answer.warnings);
    const options = { ...asked, abortSignal: clock.signal };
    // The three versions take the same here: `callOptions` heeds what differs.
    const { doGenerate, doStream } = this.#model as Extract<SdkModel, { specificationVersion: 'v4' }>;
    try {
      const { warnings } = answer;
      if (this.#request.stream) {
        const { stream } = await clock.wait(doStream.call(this.#model, options));
        return { value: { warnings, events: this.#stream(stream, answer, clock) } };
      }
      const events = answer.whole(await clock.wait(doGenerate.call(this.#model, options)));
      clock.release();
      return { value: { warnings, events: only(events) } };
    } catch (error) {
      clock.release();
      return sdkError(error, this.#source);
    }
  }

  async *#stream(stream: ReadableStream<unknown>, answer: SdkAnswer, clock: SdkClock): ChatAnswer['events'] {
    let events: ProviderEvent[] = [];
    try {
      for await (const parts of inBatches(stream, clock)) {
        for (const part of parts) for (const event of answer.part(part)) events.push(event);
        if (events.length === 0) continue;
        clock.heard();
        yield events;
        events = [];
      }
      answer.end();
    } catch (error) {
      // What was read before the failure in the same batch is the caller's all the same.
      yield [...events, { type: 'error', error: this.#errorOf(error) }];
    } finally {
      clock.release();
    }
  }

  #errorOf(error: unknown): AppError {
    return sdkError(error, this.#source).error;
  }
}

async function* only(events: ProviderEvent[]): ChatAnswer['events'] {
  yield await Promise.resolve(events);
}
