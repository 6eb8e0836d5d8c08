import { Pool } from 'undici';
import { ConversationClient } from './conversation-client.ts';

/** An event of a run, and when it was here (`performance.now()` of this process). */
export interface TimedEvent {
  id: number;
  type: string;
  data: Record<string, unknown>;
  at: number;
}

/** A run as the interface gives it, as far as the bench reads it. */
interface Run {
  id: string;
  status: string;
}

const STREAMS = 16;

/** Speaks with one server about runs: streams have connections of their own. */
export class RunClient extends ConversationClient {
  readonly #streams: Pool;

  constructor(url: string) {
    super(url);
    this.#streams = new Pool(url, { connections: STREAMS, pipelining: 1 });
  }

  /** Makes a conversation whose title stays. @returns its id. */
  async newConversation(): Promise<string> {
    const body = { title: 'Bench', model: 'demo' };
    const { conversation } = await this.json<{ conversation: { id: string } }>('POST', '/api/chat/conversations', body);
    return conversation.id;
  }

  /** Starts a run and watches it. @throws Error if it is refused. */
  async start(conversation: string, body: object): Promise<RunEvents> {
    const sent = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const path = `/api/chat/conversations/${conversation}/messages/agentic`;
    return eventsOf(await this.#streams.request({ method: 'POST', path, ...sent }), path);
  }

  /** Watches a run after one of its events. @throws Error if it is refused. */
  async watch(run: string, after: number): Promise<RunEvents> {
    const path = `/api/chat/runs/${run}/events?after=${after}`;
    return eventsOf(await this.#streams.request({ method: 'GET', path }), path);
  }

  /** Allows a call once, without waiting for what follows. */
  async allow(conversationId: string, approvalId: string): Promise<void> {
    const body = { conversationId, approvalId, decision: 'allow-once', wait: 0 };
    await this.json('POST', '/api/chat/tools/approve', body);
  }

  /** Cancels a run. */
  async cancel(run: string): Promise<Run> {
    return (await this.json<{ run: Run }>('POST', `/api/chat/runs/${run}/cancel`, {})).run;
  }

  /** The least that the server can be asked. */
  async health(): Promise<void> {
    await this.text('GET', '/health');
  }

  override async close(): Promise<void> {
    await this.#streams.destroy();
    await super.close();
  }
}

async function eventsOf(answer: Awaited<ReturnType<Pool['request']>>, path: string): Promise<RunEvents> {
  if (answer.statusCode === 200) return new RunEvents(answer.body);
  throw new Error(`${path} was answered with ${answer.statusCode}: ${(await answer.body.text()).slice(0, 500)}`);
}

/** The events of a run, for one reader. */
export class RunEvents {
  readonly #body: AsyncIterator<Buffer>;
  readonly #read: TimedEvent[] = [];
  #held = '';

  constructor(body: AsyncIterable<Buffer>) {
    this.#body = body[Symbol.asyncIterator]();
  }

  /** The next one; undefined at the end. */
  async next(): Promise<TimedEvent | undefined> {
    while (this.#read.length === 0) {
      const { done, value } = await this.#body.next();
      if (done) return undefined;
      this.#add(value, performance.now());
    }
    return this.#read.shift();
  }

  /** Reads on up to and with the first one of a type. @throws Error if the run ends before. */
  async until(type: string): Promise<TimedEvent> {
    for (let last = ''; ; ) {
      const event = await this.next();
      if (!event) throw new Error(`a run without ${type}; its last event was ${last}`);
      if (event.type === type) return event;
      last = `${event.type} ${JSON.stringify(event.data).slice(0, 300)}`;
    }
  }

  /** Reads to the end. @returns what came. */
  async rest(): Promise<TimedEvent[]> {
    const events: TimedEvent[] = [];
    for (let event = await this.next(); event; event = await this.next()) events.push(event);
    return events;
  }

  /** Leaves; the run goes on. */
  async close(): Promise<void> {
    await this.#body.return?.();
  }

  #add(chunk: Buffer, at: number): void {
    const blocks = (this.#held + chunk.toString('utf8')).split('\n\n');
    this.#held = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, id, json] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? [];
      if (json === undefined) continue;
      this.#read.push({ ...(JSON.parse(json) as Pick<TimedEvent, 'type' | 'data'>), id: Number(id), at });
    }
  }
}
