import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is started. */
export interface Program {
  command: string;
  args: readonly string[];
  /** All that it finds in its environment. */
  env: Readonly<Record<string, string>>;
  cwd: string;
}

/** How long a program may take to end by itself after its input has ended, and after it was told to. Milliseconds. */
const GRACE_MS = 500;

/** A program in a process group of its own, so that what it starts ends with it. */
export class ServerProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #hasEnded = false;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('close', resolve);
      child.once('exit', () => {
        this.#hasEnded = true;
        // What it has started may go on, and keep its output open.
        this.#kill('SIGKILL');
        setTimeout(resolve, GRACE_MS).unref();
      });
    });
    child.on('error', () => undefined);
  }

  /** @throws Error if there is no such program. */
  static async start({ command, args, env, cwd }: Program): Promise<ServerProcess> {
    const child = spawn(command, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    // Without somebody who listens, a write to a program that has gone ends the server.
    child.stdin.on('error', () => undefined);
    await once(child, 'spawn');
    return new ServerProcess(child);
  }

  get stdout(): ChildProcessWithoutNullStreams['stdout'] {
    return this.#child.stdout;
  }

  get stderr(): ChildProcessWithoutNullStreams['stderr'] {
    return this.#child.stderr;
  }

  get stdin(): ChildProcessWithoutNullStreams['stdin'] {
    return this.#child.stdin;
  }

  /** Resolves when it has ended and its output was read. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** How it ended, in words. */
  get end(): string {
    const { exitCode, signalCode } = this.#child;
    return signalCode === null ? `it has ended with exit code ${exitCode}` : `it was ended by ${signalCode}`;
  }

  /** Ends it: by the end of its input, else by SIGTERM, else by SIGKILL; within about a second. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await Promise.race([this.#ended, sleep(GRACE_MS, undefined, { ref: false })]);
      if (this.#hasEnded) break;
      this.#kill(signal);
    }
    await this.#ended;
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
  }

  /** The whole group. */
  #kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // There is nobody left.
    }
  }
}
