import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { pause } from '../core/pause.ts';
import { passwordsOf } from './postgres.ts';
import { EVERYTHING, localWaker, type Waker } from './waker.ts';

const CHANNEL = 'profclaw_wake';
const NOTIFY = `select pg_notify('${CHANNEL}', t) from unnest($1::text[]) t`;

/** No more often topics are told: who has called NOTIFY makes the commits of the whole database wait for each other. */
const GATHER_MS = 10;
/** More of them at once are told as one: look at everything. */
const MOST_TOPICS = 1000;
/** Characters. PostgreSQL takes 8000 bytes. */
const LONGEST_TOPIC = 200;

const ANSWER_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** For a dead connection, which nothing says of itself. */
const KEEP_ALIVE_MS = 30_000;
const GOODBYE_MS = 1000;

/**
 * The waker of nodes that share a PostgreSQL: LISTEN and NOTIFY over one connection of its own.
 * @param databaseUrl must lead to PostgreSQL itself: LISTEN does not come through a pooler that hands connections round
 * (PgBouncer in transaction mode), for which there has to be a second URL.
 * @throws Error if it cannot connect within 10 s; no message holds the password. A connection that is lost later is made
 * anew, after longer and longer pauses of 10 s at most, and then {@link EVERYTHING} is woken.
 */
export async function openPostgresWaker(databaseUrl: string, log: Logger): Promise<Waker> {
  const waker = new PostgresWaker(databaseUrl, log);
  await waker.open();
  return waker;
}

class PostgresWaker implements Waker {
  readonly #databaseUrl: string;
  readonly #log: Logger;
  readonly #local: Waker;
  /** Begins its payloads: a node's own come back to it, too. */
  readonly #node = randomBytes(6).toString('base64url');
  readonly #closing = new AbortController();
  /** What other nodes have not been told yet. */
  readonly #pending = new Set<string>();
  #gathering: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  #reconnecting: Promise<void> | undefined;
  /** Undefined while there is no connection. */
  #client: Client | undefined;

  constructor(databaseUrl: string, log: Logger) {
    this.#databaseUrl = databaseUrl;
    this.#log = log;
    this.#local = localWaker(log);
  }

  async open(): Promise<void> {
    this.#client = await this.#connect();
  }

  wake(topic: string): void {
    this.#local.wake(topic);
    if (this.#closing.signal.aborted) return;
    const isPortable = topic.length <= LONGEST_TOPIC && !topic.includes('\0');
    this.#pending.add(isPortable ? topic : EVERYTHING);
    if (this.#pending.size > MOST_TOPICS) {
      this.#pending.clear();
      this.#pending.add(EVERYTHING);
    }
    this.#gather();
  }

  subscribe(listener: (topic: string) => void): () => void {
    return this.#local.subscribe(listener);
  }

  /** Tells the other nodes what is still to be told, if there is a connection. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#local.close();
    clearTimeout(this.#gathering);
    await this.#reconnecting;
    await this.#sending;
    await this.#send();
    const client = this.#client;
    this.#client = undefined;
    if (client) await goodbye(client);
  }

  /** The first after a while goes at once, with what else is woken in this turn of the event loop. */
  #gather(): void {
    const early = this.#sentAt + GATHER_MS - performance.now();
    this.#gathering ??= setTimeout(
      () => {
        this.#gathering = undefined;
        // One query at a time. What comes meanwhile is gathered once more.
        this.#sending ??= this.#send().then(() => {
          this.#sending = undefined;
          if (this.#pending.size > 0 && this.#client && !this.#closing.signal.aborted) this.#gather();
        });
      },
      Math.max(0, early),
    );
  }

  async #send(): Promise<void> {
    const client = this.#client;
    if (!client || this.#pending.size === 0) return;
    const topics = [...this.#pending];
    this.#pending.clear();
    this.#sentAt = performance.now();
    try {
      await client.query(NOTIFY, [topics.map((topic) => `${this.#node} ${topic}`)]);
    } catch (error) {
      for (const topic of topics) this.#pending.add(topic);
      // Also if it has only not answered.
      client.connection.stream.destroy();
      this.#lost(client, error);
    }
  }

  async #connect(): Promise<Client> {
    const { signal } = this.#closing;
    let client: Client | undefined;
    const giveUp = (): void => {
      client?.connection.stream.destroy();
    };
    signal.addEventListener('abort', giveUp);
    try {
      client = await this.#newClient();
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      return client;
    } catch (error) {
      giveUp();
      // No `cause`: a logger would print it as it is.
      throw new Error(`cannot listen for wakes at PostgreSQL: ${this.#reason(error)}`);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #newClient(): Promise<Client> {
    // Loaded here, because it costs memory that a server on SQLite does not need.
    const pg = await import('pg');
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      fallback_application_name: 'profclaw wake',
    });
    client.on('notification', ({ payload }) => this.#heard(payload ?? ''));
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, new Error('the connection was closed')));
    return client;
  }

  #heard(payload: string): void {
    const cut = payload.indexOf(' ');
    if (cut === -1 || payload.slice(0, cut) === this.#node) return;
    this.#local.wake(payload.slice(cut + 1));
  }

  /** A connection says of its end more than once. */
  #lost(client: Client, error: unknown): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    if (this.#closing.signal.aborted) return;
    const reason = this.#reason(error);
    this.#log.warn({ reason }, 'the connection for wakes was lost; until there is another one, nodes find news later');
    this.#reconnecting = this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      // Not all nodes at the same moment.
      if (!(await pause(wait * (0.5 + Math.random() / 2), signal))) return;
      try {
        this.#client = await this.#connect();
        break;
      } catch (error) {
        this.#log.debug({ reason: this.#reason(error) }, 'no connection for wakes yet');
      }
    }
    this.#log.info('there is a connection for wakes again');
    if (signal.aborted) return;
    this.#local.wake(EVERYTHING);
    if (this.#pending.size > 0) this.#gather();
  }

  #reason(error: unknown): string {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const message = error instanceof Error && error.message !== '' ? error.message : code;
    return passwordsOf(this.#databaseUrl).reduce((text, secret) => text.replaceAll(secret, '***'), message);
  }
}

/** Not for ever, if the other side does not answer. */
async function goodbye(client: Client): Promise<void> {
  await Promise.race([client.end(), sleep(GOODBYE_MS, undefined, { ref: false })]);
  client.connection.stream.destroy();
}
