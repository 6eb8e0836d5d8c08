import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestServer } from '../server.ts';
import type { StartServer } from './rig.ts';

const PROGRAM = join(import.meta.dirname, 'server-process.ts');
const NODE = join(import.meta.dirname, '../../node_modules/.bin/node');

/** A server in a process of its own. To stop it is to kill it (`SIGKILL`). */
export interface ChildServer extends TestServer {
  /** Freezes it, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** Starts servers in processes of their own, with the tools of crash-tools.ts. */
export const inOwnProcess: StartServer = (environment, home) => startChild(environment, home);

/** Starts one. */
export async function startChild(environment: Record<string, string>, home: string): Promise<ChildServer> {
  const child = spawn(NODE, [PROGRAM, JSON.stringify({ environment, home })], { stdio: 'pipe' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const listening = /^listens on (\S+)$/m.exec(said)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    void ended.then(() => reject(new Error(`it ended: ${said}`)));
  });
  return {
    url,
    home,
    call: (path, body, options = {}) => call(url + path, body, options),
    stream: () => Promise.reject(new Error('watch a run instead')),
    signal: (signal) => child.kill(signal),
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function call(url: string, body: unknown, options: RequestInit): ReturnType<TestServer['call']> {
  const headers = { 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(url, { ...sent, ...options });
  return { status: response.status, body: await response.json(), headers: response.headers };
}
