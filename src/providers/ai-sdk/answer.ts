import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import type { FinishReason, ProviderEvent, Usage } from '../chat-model.ts';
import { settle } from '../protocols/finish.ts';
import { MAX_DATA_NESTING } from '../protocols/protocol.ts';
import { Sources, toSource } from '../protocols/sources.ts';
import { wholeCall } from '../protocols/tool-calls.ts';
import { usageOf } from '../protocols/usage.ts';

/** A language model broke the AI SDK's contract; becomes `provider_protocol`. */
export class SdkProtocolError extends Error {}

/** The model reported a failure inside its stream; `failure` is whatever it reported. */
export class SdkReportedError extends Error {
  readonly failure: unknown;

  constructor(failure: unknown) {
    super('The model reported an error');
    this.failure = failure;
  }
}

/** Reasons that are not only that the model was done; whether it called tools is seen by the calls. */
const FINISH: Readonly<Record<string, FinishReason>> = {
  length: 'length',
  'content-filter': 'content-filter',
  error: 'error',
};

/**
 * Reads one answer of a language model of the AI SDK, whole or part by part: no I/O. What versions 2, 3 and 4 of the
 * interface have in common is read the same way; pictures and other files are nothing that a chat answer could carry,
 * and are named in `warnings`.
 */
export class SdkAnswer {
  /** What the model said of settings that it did not take, and what of its answer is left out. */
  readonly warnings: string[];
  /** The metadata of blocks that are open; the last that came counts. A text and a reasoning may share an id. */
  readonly #open = {
    text: new Map<string, JsonObject | undefined>(),
    reasoning: new Map<string, JsonObject | undefined>(),
  };
  readonly #sources = new Sources();
  #calls = 0;
  #finished = false;

  constructor(warnings: string[]) {
    this.warnings = warnings;
  }

  /** What `doGenerate` gave. */
  whole(result: unknown): ProviderEvent[] {
    const { content, finishReason, usage, warnings } = asObject(result);
    if (!Array.isArray(content)) throw new SdkProtocolError('the answer has no content');
    this.#warn(warnings);
    const events = content.filter(isObject).flatMap((part) => this.#content(part));
    return [...events, ...this.#finish(usage, finishReason)];
  }

  /** One part of what `doStream` gives. Throws {@link SdkReportedError} for a failure. */
  part(part: unknown): ProviderEvent[] {
    if (!isObject(part)) return [];
    const [, kind = '', step = ''] = /^(text|reasoning)-(start|delta|end)$/.exec(asString(part.type)) ?? [];
    if (kind === 'text' || kind === 'reasoning') return this.#block(kind, step, part);
    switch (part.type) {
      case 'stream-start':
        this.#warn(part.warnings);
        return [];
      case 'finish':
        return [...this.#unclosed(), ...this.#finish(part.usage, part.finishReason)];
      case 'error':
        throw new SdkReportedError(part.error);
      default:
        return this.#content(part);
    }
  }

  /** The stream has ended. @throws SdkProtocolError if the answer has not. */
  end(): void {
    if (!this.#finished) throw new SdkProtocolError('the stream ended before the answer did');
  }

  #block(type: 'text' | 'reasoning', step: string, part: JsonObject): ProviderEvent[] {
    const id = asString(part.id);
    const data = dataOf(part) ?? this.#open[type].get(id);
    if (step === 'end') {
      this.#open[type].delete(id);
      return data ? [{ type, text: '', data }] : [];
    }
    this.#open[type].set(id, data);
    const text = asString(part.delta);
    return text === '' ? [] : [{ type, text }];
  }

  /** Some do not close what they opened. */
  #unclosed(): ProviderEvent[] {
    const types = ['reasoning', 'text'] as const;
    return types.flatMap((type) => [...this.#open[type].keys()].flatMap((id) => this.#block(type, 'end', { id })));
  }

  /** A part that is complete, as a whole answer has it; calls come like that in a stream too. */
  #content(part: JsonObject): ProviderEvent[] {
    const data = dataOf(part);
    const more = data ? { data } : {};
    const events: ProviderEvent[] = [];
    switch (part.type) {
      case 'text':
      case 'reasoning': {
        const text = asString(part.text);
        return text === '' && !data ? [] : [{ type: part.type, text, ...more }];
      }
      case 'tool-call': {
        // The provider has run it itself.
        if (part.providerExecuted === true) return [];
        this.#calls++;
        const call = wholeCall(asString(part.toolCallId), asString(part.toolName), part.input);
        return [{ type: 'tool-call', call: { ...call, ...more } }];
      }
      case 'source':
        // The other kind is a document without an address.
        if (part.sourceType === 'url') this.#sources.give(toSource(part), events);
        return events;
      case 'file':
        this.warnings.push(`answer: a file (${asString(part.mediaType)}) that the model made is left out`);
        return [];
      default:
        return [];
    }
  }

  #finish(usage: unknown, reason: unknown): ProviderEvent[] {
    this.#finished = true;
    const counts = readUsage(asObject(usage));
    return [
      ...(counts ? [{ type: 'usage' as const, usage: counts }] : []),
      { type: 'finish', reason: finishReason(reason, this.#calls > 0) },
    ];
  }

  #warn(warnings: unknown): void {
    for (const warning of asArray(warnings).filter(isObject)) this.warnings.push(sentence(warning));
  }
}

/** Up to version 2 the reason was a word, since then an object. */
function finishReason(reason: unknown, hasCalls: boolean): FinishReason {
  const word = isObject(reason) ? asString(reason.unified) : asString(reason);
  return settle(FINISH[word], hasCalls);
}

/** Flat in version 2, since then nested. Undefined if nothing was counted. */
function readUsage(usage: JsonObject): Usage | undefined {
  const input = asObject(usage.inputTokens);
  const output = asObject(usage.outputTokens);
  return usageOf({
    prompt: asNumber(usage.inputTokens) ?? asNumber(input.total),
    completion: asNumber(usage.outputTokens) ?? asNumber(output.total),
    total: asNumber(usage.totalTokens),
    cached: asNumber(usage.cachedInputTokens) ?? asNumber(input.cacheRead),
    written: asNumber(input.cacheWrite),
    reasoning: asNumber(usage.reasoningTokens) ?? asNumber(output.reasoning),
  });
}

/** What the provider wants back with a part; an empty object says nothing. */
function dataOf({ providerMetadata }: JsonObject): JsonObject | undefined {
  if (!isObject(providerMetadata) || !isNestedAtMost(providerMetadata, MAX_DATA_NESTING)) return undefined;
  return Object.values(providerMetadata).some((own) => isObject(own) && Object.keys(own).length > 0)
    ? providerMetadata
    : undefined;
}

/** A warning of any version: it names a setting (2, 4), a feature (3, 4), a tool (2), or is a message. */
function sentence({ type, setting, feature, tool, message, details }: JsonObject): string {
  const what = asString(setting) || asString(feature) || asString(asObject(tool).name);
  const why = asString(message) || asString(details) || asString(type).replaceAll('-', ' ');
  return what === '' ? why : `${what}: ${why}`;
}
