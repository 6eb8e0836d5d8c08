import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IPty, spawn as spawnAtTerminal } from '@lydell/node-pty';
import { COMPILE_CACHE } from '../compile-cache.ts';
import { TestScreen } from './screen.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const MAIN = join(ROOT, 'src/main.ts');
/** A busy machine must not break a test. */
const PATIENCE_MS = 60_000;

/** Of the keyboard. */
export const KEYS = {
  enter: '\r',
  interrupt: '\u0003',
  end: '\u0004',
  up: '\u001b[A',
  left: '\u001b[D',
  tab: '\t',
  paste: (text: string): string => `\u001b[200~${text}\u001b[201~`,
};

/** The program at a pseudo-terminal. */
export interface AtTerminal {
  screen: TestScreen;
  /** Every byte that it has written. */
  raw(): string;
  type(keys: string): void;
  /** Waits until the screen shows this, from `after` characters on. @returns where it ends. */
  sees(what: string | RegExp, after?: number): Promise<number>;
  /** The exit code. */
  ended: Promise<number>;
  pid: number;
}

/** The program without a terminal. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const open = new Set<IPty>();
const folders: string[] = [];

/** A home folder of its own, and a workspace in it. */
export function newHome(): string {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-terminal-'));
  mkdirSync(join(folder, 'workspace'));
  folders.push(folder);
  return folder;
}

/** What the program is given: nothing of the environment of the tests. */
export function environmentOf(home: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    TERM: 'xterm-256color',
    HOME: home,
    PROFCLAW_HOME: join(home, 'profclaw'),
    PROFCLAW_WORKSPACE: join(home, 'workspace'),
    // Nothing listens there, so that no server of somebody else is found.
    PORT: '9',
    OLLAMA_BASE_URL: 'http://127.0.0.1:9',
    ...more,
  };
}

/** Starts the program at a terminal. */
export function atTerminal(
  words: readonly string[],
  environment: Record<string, string>,
  { columns = 80, rows = 24, file = NODE }: { columns?: number; rows?: number; file?: string } = {},
): AtTerminal {
  const given = file === NODE ? [MAIN, ...words] : [...words];
  const pty = spawnAtTerminal(file, given, {
    name: 'xterm-256color',
    cols: columns,
    rows,
    cwd: ROOT,
    env: environment,
  });
  open.add(pty);
  const screen = new TestScreen(columns);
  let raw = '';
  let isOver = false;
  const watchers = new Set<() => void>();
  const tell = (): void => {
    for (const watcher of watchers) watcher();
  };
  pty.onData((data) => {
    raw += data;
    screen.write(data);
    tell();
  });
  const ended = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode }) => {
      isOver = true;
      open.delete(pty);
      tell();
      resolve(exitCode);
    });
  });
  const sees = (what: string | RegExp, after = 0): Promise<number> =>
    new Promise((resolve, reject) => {
      const found = (): number | undefined => {
        const text = screen.text();
        if (typeof what === 'string') {
          const at = text.indexOf(what, after);
          return at < 0 ? undefined : at + what.length;
        }
        const match = what.exec(text.slice(after));
        return match ? after + match.index + match[0].length : undefined;
      };
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        watchers.delete(look);
        settle();
      };
      const missing = (why: string): Error => new Error(`${why} without ${what} on the screen:\n${screen.text()}`);
      const look = (): void => {
        const at = found();
        if (at !== undefined) end(() => resolve(at));
        else if (isOver) end(() => reject(missing('it ended')));
      };
      const timer = setTimeout(() => end(() => reject(missing(`${PATIENCE_MS} ms went by`))), PATIENCE_MS);
      watchers.add(look);
      look();
    });
  return { screen, raw: () => raw, type: (keys) => pty.write(keys), sees, ended, pid: pty.pid };
}

/** Runs the program to its end without a terminal. @param input of it; undefined: nothing. */
export function run(words: readonly string[], environment: Record<string, string>, input = ''): Promise<Ended> {
  const child = spawn(NODE, [MAIN, ...words], { cwd: ROOT, env: environment });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** Ends what is still running and removes the folders. */
export function cleanUp(): void {
  for (const pty of open) pty.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
