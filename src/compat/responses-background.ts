import type { AgentContext } from '../agent/context.ts';
import { followRun, type News } from '../agent/follow-run.ts';
import { asString, type JsonObject } from '../core/json.ts';
import { InvalidRequestError } from '../errors.ts';
import type { StoredEvent } from '../storage/run-events.ts';
import type { RunRow } from '../storage/runs.ts';
import { firstModel, headOf, type KeptResponse, ofRun, runOf } from './responses-kept.ts';
import { type ResponseEvent, ResponseProjection } from './responses-projection.ts';

/**
 * The events of a response in the background that come after one of them, to its end. They are made of its run's, from
 * the first on, and so have the same numbers each time. An empty list: nothing for a while.
 * @param after the number of an event; -1: from the start. @throws NotFoundError, InvalidRequestError for another kind
 */
export async function backgroundEvents(
  context: AgentContext,
  row: KeptResponse,
  after: number,
  signal: AbortSignal,
): Promise<AsyncGenerator<ResponseEvent[]>> {
  if (row.kind !== 'run') {
    const message = 'is not in the background: only such a response can be watched; leave stream out to read it';
    throw new InvalidRequestError([{ path: 'stream', message }]);
  }
  const run = await runOf(context, row.id);
  const { news } = await followRun(context, run.id, 0, signal);
  return projected(news, () => new RunProjection(context, row, run), after);
}

async function* projected(
  news: AsyncIterable<News>,
  begin: () => RunProjection,
  after: number,
): AsyncGenerator<ResponseEvent[]> {
  let projection = begin();
  let last = after;
  for await (const item of news) {
    if (item.type === 'idle') {
      yield [];
      continue;
    }
    if (item.type === 'reset') projection = begin();
    const fresh: ResponseEvent[] = [];
    for (const event of item.events) {
      for (const made of await projection.add(event)) if (firstNumber(made, event) > last) fresh.push(made);
    }
    last = fresh.at(-1)?.sequence_number ?? last;
    if (fresh.length > 0) yield fresh;
  }
}

/** Of the first piece that an event stands for: whoever has had that has no use for the others with it once more. */
function firstNumber({ type, sequence_number: number }: ResponseEvent, { seq, firstSeq }: StoredEvent): number {
  return type.endsWith('.delta') ? number - (seq - firstSeq) : number;
}

/** Makes of a run's events those of the response that it is. */
class RunProjection {
  readonly #context: AgentContext;
  readonly #row: KeptResponse;
  readonly #response: ResponseProjection;

  constructor(context: AgentContext, row: KeptResponse, run: RunRow) {
    this.#context = context;
    this.#row = row;
    this.#response = new ResponseProjection(headOf(row), firstModel(run));
  }

  async add({ type, data, seq, firstSeq }: StoredEvent): Promise<ResponseEvent[]> {
    const pieces = seq - firstSeq + 1;
    switch (type) {
      case 'session:start':
        return [...this.#response.say('created', 'queued'), ...this.#response.say('queued', 'queued')];
      // There is one step, which begins once.
      case 'step:start':
        return this.#response.say('in_progress', 'in_progress');
      case 'content':
        return this.#response.add([{ type: 'text', text: textIn(data) }], pieces);
      case 'thinking:update':
        return this.#response.add([{ type: 'reasoning', text: textIn(data) }], pieces);
      case 'attempt:reset':
        return this.#response.void();
      case 'complete':
      case 'error':
        return this.#response.settle(await ofRun(this.#context, this.#row, await runOf(this.#context, this.#row.id)));
      default:
        return [];
    }
  }
}

function textIn(data: string): string {
  return asString((JSON.parse(data) as JsonObject).text);
}
