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

/** All the events of an answer that has begun. */
export function resume({ read, rest }: Beginning, listener: EndListener): AsyncIterable<ProviderEvent[]> {
  let held: ProviderEvent[] | undefined = read;
  let hasFailed = false;
  const next = async (): Promise<IteratorResult<ProviderEvent[], undefined>> => {
    const result = held ? { done: false as const, value: held } : await rest.next();
    held = undefined;
    if (result.done) {
      if (!hasFailed) listener.ended();
      return { done: true, value: undefined };
    }
    // Nothing follows an error, so it is the last of its batch.
    const last = result.value.at(-1);
    if (last?.type !== 'error') return result;
    hasFailed = true;
    return {
      done: false,
      value: [...result.value.slice(0, -1), { type: 'error', error: listener.failed(last.error) }],
    };
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next,
      return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
