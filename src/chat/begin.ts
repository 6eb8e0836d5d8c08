import type { AppError } from '../errors.ts';
import type { ProviderEvent } from '../providers/chat-model.ts';

/** The beginning of an answer: what was read of it up to the first event that counts, and the rest. */
export interface Beginning {
  read: ProviderEvent[];
  rest: AsyncIterator<ProviderEvent[]>;
  /** The provider says that it failed, and the model has said nothing. */
  isFailure: boolean;
}

/**
 * Reads until something of the answer is here: text, reasoning, a call, or its end, for an answer may be empty. Counts
 * and sources alone are not the beginning of one.
 * @throws AppError the provider's failure, if that is the first.
 */
export async function begin(events: AsyncIterable<ProviderEvent[]>): Promise<Beginning> {
  const rest = events[Symbol.asyncIterator]();
  const read: ProviderEvent[] = [];
  for (;;) {
    const { done, value } = await rest.next();
    // A call with so many arguments would run out of stack: a whole answer is a single batch.
    if (!done) for (const event of value) read.push(event);
    const first = read.find(isBeginning);
    if (first?.type === 'error') throw first.error;
    if (first || done) return { read, rest, isFailure: first?.type === 'finish' && first.reason === 'error' };
  }
}

function isBeginning(event: ProviderEvent): boolean {
  switch (event.type) {
    case 'text':
    case 'reasoning':
      return event.text !== '' || event.data !== undefined;
    case 'tool-call':
    case 'finish':
    case 'error':
      return true;
    default:
      return false;
  }
}

/** Is told how an answer ends: well, or with an error, which may then become another. */
export interface EndListener {
  ended(): void;
  failed(error: AppError): AppError;
}

/** All the events of an answer that has begun, to be read once. */
export function resume(beginning: Beginning, listener: EndListener): AsyncIterable<ProviderEvent[]> {
  return new Resumed(beginning, listener);
}

/** A class, since an object that is written with a computed key costs as much as the rest of it together. */
class Resumed implements AsyncIterableIterator<ProviderEvent[], undefined> {
  readonly #rest: Beginning['rest'];
  readonly #listener: EndListener;
  #held: ProviderEvent[] | undefined;
  #hasFailed = false;

  constructor({ read, rest }: Beginning, listener: EndListener) {
    this.#held = read;
    this.#rest = rest;
    this.#listener = listener;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ProviderEvent[], undefined>> {
    const result = this.#held ? { done: false as const, value: this.#held } : await this.#rest.next();
    this.#held = undefined;
    if (result.done) {
      if (!this.#hasFailed) this.#listener.ended();
      return { done: true, value: undefined };
    }
    // Nothing follows an error, so it is the last of its batch.
    const last = result.value.at(-1);
    if (last?.type !== 'error') return result;
    this.#hasFailed = true;
    return {
      done: false,
      value: [...result.value.slice(0, -1), { type: 'error', error: this.#listener.failed(last.error) }],
    };
  }

  async return(): Promise<IteratorResult<ProviderEvent[], undefined>> {
    await this.#rest.return?.();
    return { done: true, value: undefined };
  }
}
