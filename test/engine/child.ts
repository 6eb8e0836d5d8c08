import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Place } from './rig.ts';

const PROGRAM = join(import.meta.dirname, 'node-process.ts');
const NODE = join(import.meta.dirname, '../../node_modules/.bin/node');

/** A node in a process of its own. */
export interface NodeProcess {
  /** Waits for a line that begins so. */
  said(beginning: string): Promise<void>;
  /** Lets work end (`go`), or the engine stop (`stop`). */
  tell(what: 'go' | 'stop'): void;
  signal(signal: NodeJS.Signals): void;
  /** All that it has printed. */
  stdout(): string;
  stderr(): string;
  /** How it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends it, if it is still there. */
  kill(): Promise<void>;
}

/** Starts one, on the place of a test. @param options.ends says that work ends by itself. */
export function startNode(place: Place, options: { leaseMs?: number; ends?: boolean }): NodeProcess {
  const child = spawn(NODE, [PROGRAM, JSON.stringify({ ...place, ...options })], { stdio: 'pipe' });
  let out = '';
  let err = '';
  let look = (): void => {};
  child.stdout.on('data', (chunk) => {
    out += chunk;
    look();
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    said: async (beginning) => {
      const found = new Promise<void>((resolve) => {
        look = () => {
          if (out.split('\n').some((line) => line.startsWith(beginning))) resolve();
        };
        look();
      });
      const failed = ended.then((end) => {
        throw new Error(`it ended (${JSON.stringify(end)}) before it said ${beginning}: ${out}${err}`);
      });
      await Promise.race([found, failed]);
    },
    tell: (what) => child.stdin.write(`${what}\n`),
    signal: (signal) => child.kill(signal),
    stdout: () => out,
    stderr: () => err,
    ended,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
