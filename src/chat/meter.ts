import { toNanoDollars } from '../core/money.ts';
import type { Allowance, Hold } from '../limits/budget.ts';
import { callCost, mostCost, mostOutput } from '../providers/call-bounds.ts';
import { inputTokens } from '../providers/catalog/cost.ts';
import type { ChatRequest, FinishReason, ProviderEvent, Usage } from '../providers/chat-model.ts';
import type { ModelRef, ProviderRegistry } from '../providers/registry.ts';
import { likelyInput, mostInput } from './request-tokens.ts';

/** What a call is made with. */
export interface Call {
  providers: ProviderRegistry;
  /** What it counts against; undefined: nothing. */
  budget: Allowance | undefined;
  /** Of whichever model is asked. */
  request: Omit<ChatRequest, 'model'>;
  signal: AbortSignal;
}

/** Of an answer that its provider has not counted. */
const BYTES_PER_TOKEN = 3;

/**
 * Reserves what a call of this model may take at most, and waits for that if need be. Undefined if nothing is counted.
 * @throws AppError `budget_exceeded`, or why the signal was aborted.
 */
export async function startMeter(call: Call, ref: ModelRef): Promise<Meter | undefined> {
  const { providers, budget, request, signal } = call;
  if (!budget) return undefined;
  const input = mostInput(request);
  const output = request.maxTokens ?? (await mostOutput(providers, ref));
  const cost = await mostCost(providers, ref, input, output);
  const estimate = {
    model: `${ref.provider}/${ref.model}`,
    tokens: input + output,
    cost: cost === null ? null : toNanoDollars(cost),
  };
  const hold = await budget.reserve(estimate, signal);
  return hold && new Meter(call, ref, hold);
}

/** Counts what a call takes, and settles that once, whichever way the call ends. */
export class Meter {
  readonly #call: Call;
  readonly #ref: ModelRef;
  readonly #hold: Hold;
  readonly #onAbort = (): void => void this.#settle();
  #usage: Usage | undefined;
  #finish: FinishReason | undefined;
  /** Bytes of UTF-8. */
  #received = 0;
  #settling: Promise<void> | undefined;

  constructor(call: Call, ref: ModelRef, hold: Hold) {
    this.#call = call;
    this.#ref = ref;
    this.#hold = hold;
  }

  /**
   * The call has failed before anything came, which costs nothing; unless it was broken off: the provider has read by
   * then what it was sent.
   */
  async failed(): Promise<void> {
    await (this.#call.signal.aborted ? this.#settle() : this.#hold.release());
  }

  /** The events of an answer that has begun; what they took is settled at their end, or when nobody wants more. */
  metered(events: AsyncIterable<ProviderEvent[]>): AsyncIterable<ProviderEvent[]> {
    const { signal } = this.#call;
    // Whoever has left may not even have begun to read.
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
    return this.#read(events);
  }

  async *#read(events: AsyncIterable<ProviderEvent[]>): AsyncGenerator<ProviderEvent[]> {
    try {
      for await (const batch of events) {
        for (const event of batch) this.#note(event);
        yield batch;
      }
    } finally {
      await this.#settle();
    }
  }

  #note(event: ProviderEvent): void {
    if (event.type === 'usage') this.#usage = event.usage;
    else if (event.type === 'finish') this.#finish = event.reason;
    else if (event.type === 'tool-call') this.#received += Buffer.byteLength(JSON.stringify(event.call.arguments));
    else if (event.type === 'text' || event.type === 'reasoning') this.#received += Buffer.byteLength(event.text);
  }

  #settle(): Promise<void> {
    this.#call.signal.removeEventListener('abort', this.#onAbort);
    this.#settling ??= this.#count();
    return this.#settling;
  }

  async #count(): Promise<void> {
    if (this.#finish === 'error' && !this.#usage && this.#received === 0) return await this.#hold.release();
    const usage = this.#used();
    // An answer is worth more than its price.
    const cost = await callCost(this.#call.providers, this.#ref, usage).catch(() => null);
    // From a cache or not: Anthropic counts that beside its total.
    const read = inputTokens(this.#ref.provider, usage);
    const tokens = Math.max(usage.totalTokens, read + usage.completionTokens);
    await this.#hold.settle({ tokens, cost: cost === null ? 0 : toNanoDollars(cost) });
  }

  /** The provider's counts, else our own; both together where it had no time to count to the end. */
  #used(): Usage {
    const written = Math.ceil(this.#received / BYTES_PER_TOKEN);
    if (!this.#usage || this.#usage.totalTokens === 0) {
      const promptTokens = likelyInput(this.#call.request);
      return { promptTokens, completionTokens: written, totalTokens: promptTokens + written };
    }
    const isWhole = this.#finish !== undefined && this.#finish !== 'error';
    if (isWhole || written <= this.#usage.completionTokens) return this.#usage;
    const { promptTokens } = this.#usage;
    return { ...this.#usage, completionTokens: written, totalTokens: promptTokens + written };
  }
}
