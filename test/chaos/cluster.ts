import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.ts';
import type { Order } from './orders.ts';
import type { Upstream } from './upstream.ts';

/** The vendor's name, as it stands before the names of models. */
export const PROVIDER = 'custom:chaos';

/** Milliseconds between a death and the next start. */
const DOWN_MS = 200;
const START_MS = 60_000;

/** Where the nodes are, and what they share. */
export interface ClusterOptions {
  /** The program, in place of the one beside this file. */
  program?: string | undefined;
  nodes: number;
  databaseUrl: string | undefined;
  /** For the nodes' state, logs, compiled code, and the effects of tools. */
  folder: string;
  effects: string;
  upstream: Upstream;
  /** Provider settings of more than one run: beside the usual environment. */
  environment?: Record<string, string>;
}

/** A node: its process, and the next one when that has died. */
export class ClusterNode {
  readonly name: string;
  readonly url: string;
  child: ChildProcess | undefined;
  isUp = false;
  isFrozen = false;
  /** It was told to end, and does so by itself. */
  isEnding = false;

  constructor(name: string, port: number) {
    this.name = name;
    this.url = `http://127.0.0.1:${port}`;
  }
}

/** The nodes of one suite, each of which is started again whenever it has died. */
export class Cluster {
  readonly nodes: ClusterNode[] = [];
  /** Deaths that nobody has asked for, with what the process has said last. */
  readonly crashes: string[] = [];
  readonly folder: string;
  readonly home: string;
  readonly databaseUrl: string | undefined;
  deaths = 0;
  freezes = 0;
  readonly #options: ClusterOptions;
  readonly #lives: Promise<void>[] = [];
  #isStopping = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.home = join(options.folder, 'home');
    this.databaseUrl = options.databaseUrl;
  }

  /** Starts all nodes, and waits until they listen. */
  async start(): Promise<void> {
    for (let index = 1; index <= this.#options.nodes; index++) {
      const node = new ClusterNode(`node-${index}`, await freePort());
      this.nodes.push(node);
      this.#lives.push(this.#live(node));
      // One that is alone makes the secrets and the tables; the next ones find them.
      await this.up(node);
    }
  }

  /** Waits until a node listens. */
  async up(node: ClusterNode): Promise<void> {
    for (const end = performance.now() + START_MS; !node.isUp; await sleep(10)) {
      if (performance.now() > end) throw new Error(`${node.name} does not start: ${this.crashes.join('\n')}`);
    }
  }

  /** Waits until a node has died. @returns false if it has not within `ms`. */
  async died(node: ClusterNode, ms: number): Promise<boolean> {
    const { child } = node;
    for (const end = performance.now() + ms; node.child === child && node.isUp; await sleep(10)) {
      if (performance.now() > end) return false;
    }
    return true;
  }

  kill(node: ClusterNode): void {
    node.child?.kill('SIGKILL');
  }

  /** Has a node end in good order. */
  end(node: ClusterNode): void {
    node.isEnding = true;
    node.child?.kill('SIGTERM');
  }

  /** Stops a node in the middle of whatever it does. */
  freeze(node: ClusterNode): void {
    node.isFrozen = true;
    this.freezes++;
    node.child?.kill('SIGSTOP');
  }

  /** Lets it go on as if nothing had been. */
  thaw(node: ClusterNode): void {
    node.isFrozen = false;
    node.child?.kill('SIGCONT');
  }

  order(node: ClusterNode, order: Order | undefined): void {
    if (node.child?.connected) node.child.send(order ?? { at: 'nothing' }, () => {});
  }

  /** Ends all nodes, at once. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const node of this.nodes) this.kill(node);
    await Promise.all(this.#lives);
  }

  async #live(node: ClusterNode): Promise<void> {
    while (!this.#isStopping) {
      const { code, signal, said } = await this.#run(node);
      if (this.#isStopping) return;
      this.deaths++;
      const isWanted = signal === 'SIGKILL' || (node.isEnding && code === 0);
      node.isEnding = false;
      if (!isWanted) this.crashes.push(`${node.name} ended by itself (${code ?? signal}): ${said}`);
      await sleep(DOWN_MS);
    }
  }

  #run(node: ClusterNode): Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }> {
    const { program = fileURLToPath(new URL('./node.ts', import.meta.url)) } = this.#options;
    const child = spawn(process.execPath, [program], {
      env: this.#environmentOf(node),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    node.child = child;
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-4000);
      appendFileSync(join(this.folder, `${node.name}.log`), chunk);
    });
    child.on('message', () => {
      node.isUp = true;
    });
    return new Promise((resolve) => {
      child.on('close', (code, signal) => {
        node.isUp = false;
        node.isFrozen = false;
        resolve({ code, signal, said });
      });
    });
  }

  #environmentOf(node: ClusterNode): NodeJS.ProcessEnv {
    const { databaseUrl, folder, effects, upstream, environment } = this.#options;
    return {
      PORT: new URL(node.url).port,
      PROFCLAW_HOME: this.home,
      PROFCLAW_WORKSPACE: folder,
      PROFCLAW_LOG_LEVEL: 'warn',
      PROFCLAW_STOP_TIMEOUT: '1',
      PROFCLAW_PROVIDERS: JSON.stringify({ [PROVIDER]: upstream.settingsFor(node.name) }),
      OLLAMA_BASE_URL: 'http://127.0.0.1:9',
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      CHAOS_EFFECTS: effects,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...environment,
    };
  }
}
