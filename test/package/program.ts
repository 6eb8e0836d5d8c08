import { spawn } from 'node:child_process';

/** A program that serves. */
export interface ServingProgram {
  /** The address that it says; rejects if it ends first. */
  listening: Promise<string>;
  /** Ends it and all that it has started. */
  stop(): Promise<void>;
}

/** Starts a command that starts the server, in a process group of its own. */
export function startProgram(
  command: string,
  words: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): ServingProgram {
  const child = spawn(command, words, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const listening = new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      out += chunk;
      const url = /listens on (\S+)\n/.exec(out)?.[1];
      if (url) resolve(url);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void closed.then(() => reject(new Error(`it ended: ${out}`)));
  });
  return {
    listening,
    stop: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await closed;
    },
  };
}
