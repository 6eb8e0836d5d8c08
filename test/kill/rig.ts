import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { type Program, start, tempFolder } from '../process/program.ts';
import type { Json } from '../server.ts';
import { findFaults } from './faults.ts';
import { expireLeases, isSettled, type Place, readState, type State, withDatabase } from './state.ts';
import { MODEL, type Upstream } from './upstream.ts';

const PRELOAD = new URL('./kill-at-commit.ts', import.meta.url).href;

/** What a client was told, as far as it came. `isWhole`: its answer came to its end. */
export interface Told {
  status: number | undefined;
  text: string;
  isWhole: boolean;
}

/** Which commit of what follows the program is to die at, exactly before or after it. */
export interface KillPoint {
  when: 'before' | 'after';
  point: number;
}

export interface Asking {
  method?: string;
  key?: string;
}

/** The real program on one state, killed and started again. */
export class Rig {
  readonly place: Place;
  readonly upstream: Upstream;
  readonly #environment: Record<string, string>;
  readonly #order: string;
  #program: Program | undefined;
  #url = '';
  #orders = 0;

  /** @param environment beside the upstream's and the database's. */
  constructor(upstream: Upstream, environment: Record<string, string>, databaseUrl?: string) {
    const folder = tempFolder();
    this.place = { home: join(folder, 'home'), databaseUrl };
    this.upstream = upstream;
    this.#order = join(folder, 'order');
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    this.#environment = {
      ...upstream.environment,
      ...environment,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      PROFCLAW_HOME: this.place.home,
      PROFCLAW_WORKSPACE: workspace,
      PROFCLAW_LOG_LEVEL: 'error',
      NODE_OPTIONS: `--import ${PRELOAD}`,
      KILL_ORDER: this.#order,
    };
  }

  async start(): Promise<void> {
    this.#program = start(this.#environment);
    this.#url = await this.#program.listening;
  }

  /** From now on, counts commits to the one that the program dies at. */
  arm(at: KillPoint): void {
    writeFileSync(`${this.#order}.new`, JSON.stringify({ ...at, order: ++this.#orders }));
    renameSync(`${this.#order}.new`, this.#order);
  }

  disarm(): void {
    if (existsSync(this.#order)) rmSync(this.#order);
  }

  kill(): void {
    this.#program?.child.kill('SIGKILL');
  }

  /** After its death, starts it again on what it left, and waits until that is cleared up. */
  async revive(): Promise<void> {
    await this.died();
    this.disarm();
    await expireLeases(this.place);
    await this.start();
    await this.settled();
  }

  async died(): Promise<void> {
    const { signal } = (await this.#program?.ended) ?? {};
    expect(signal, this.#program?.stderr()).toBe('SIGKILL');
  }

  /** Waits until everything is cleared up; what never is, is found among the faults. */
  async settled(): Promise<void> {
    await vi.waitUntil(() => isSettled(this.place), { interval: 40, timeout: 60_000 }).catch(() => {});
  }

  /** Ends it in good order, so that the next start finds what was compiled. */
  async stop(): Promise<void> {
    this.#program?.child.kill('SIGTERM');
    expect(await this.#program?.ended, this.#program?.stderr()).toMatchObject({ code: 0 });
  }

  async state(): Promise<State> {
    return await withDatabase(this.place, readState);
  }

  async faults(): Promise<string[]> {
    return findFaults(await this.state());
  }

  /** Sends a request and reads what comes until it ends or breaks off. */
  async ask(
    path: string,
    body?: unknown,
    { method = body === undefined ? 'GET' : 'POST', key }: Asking = {},
  ): Promise<Told> {
    const told: Told = { status: undefined, text: '', isWhole: false };
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    try {
      const response = await fetch(`${this.#url}/api/chat${path}`, { method, headers, ...sent });
      told.status = response.status;
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) told.text += decoder.decode(chunk, { stream: true });
      told.isWhole = true;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    return told;
  }

  /** The same for what must succeed; gives the body. */
  async get(path: string, body?: unknown, asking?: Asking): Promise<Json> {
    const told = await this.ask(path, body, asking);
    expect(told, path).toMatchObject({ status: expect.toSatisfy((status) => status < 300), isWhole: true });
    return JSON.parse(told.text);
  }

  /** Begins a conversation. @returns its path. */
  async conversation(title?: string): Promise<string> {
    const { conversation } = await this.get('/conversations', { model: MODEL, ...(title ? { title } : {}) });
    return `/conversations/${conversation.id}`;
  }
}

/** Lets the program fill its cache of compiled code, which one that is killed does not: later starts take half as long. */
export async function warmUp(environment: Record<string, string>): Promise<void> {
  const program = start(environment);
  await program.listening;
  program.child.kill('SIGTERM');
  await program.ended;
}

/** The events of a stream that came whole. */
export function eventsOf(text: string): Json[] {
  const whole = text.split('\n\n').slice(0, -1);
  return whole.map((block) => JSON.parse(block.replace(/^data: /, '')));
}
