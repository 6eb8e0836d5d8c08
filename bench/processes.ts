import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A process of the bench that listens. */
export interface Running {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

const children = new Set<ChildProcess>();
const folders = new Set<string>();
const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 5000;

// Whatever happens, nothing stays behind: only what was started here is ended.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Starts a program of this folder that prints its address. */
export async function startHelper(file: string, ...args: string[]): Promise<Running> {
  return await start([join(import.meta.dirname, file), ...args], {});
}

/** A folder that is gone when this process is. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-bench-'));
  folders.add(folder);
  return folder;
}

/** How a server differs from the usual one. */
export interface ServerOptions {
  /** Stays when the server stops; absent: an empty one of its own. The log is in it. */
  home?: string;
  environment?: Record<string, string>;
  /** A file of this folder that is loaded before the server. */
  preload?: string;
}

/** Starts the built server with an empty home, as an operator would: default settings, its log in a file. */
export async function startServer(upstream: string, options: ServerOptions = {}): Promise<Running> {
  const home = options.home ?? newFolder();
  const environment = {
    PORT: '0',
    PROFCLAW_HOME: home,
    OPENAI_API_KEY: 'x',
    OPENAI_BASE_URL: `${upstream}/v1`,
    ANTHROPIC_API_KEY: 'x',
    ANTHROPIC_BASE_URL: `${upstream}/v1`,
    GEMINI_API_KEY: 'x',
    GOOGLE_BASE_URL: `${upstream}/v1beta`,
    COHERE_API_KEY: 'x',
    COHERE_BASE_URL: `${upstream}/v2`,
    OLLAMA_BASE_URL: upstream,
    ...options.environment,
  };
  const main = join(import.meta.dirname, '../dist/main.js');
  const log = openSync(join(home, 'log'), 'a');
  const preload = options.preload === undefined ? [] : ['--import', join(import.meta.dirname, options.preload)];
  const running = await start([...preload, main], environment, log).finally(() => closeSync(log));
  return {
    ...running,
    stop: async () => {
      await running.stop();
      if (options.home === undefined) removeFolder(home);
    },
  };
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Starts some other program of Node that prints its address. */
export async function startProgram(args: string[], environment: Record<string, string>): Promise<Running> {
  return await start(args, environment);
}

async function start(args: string[], environment: Record<string, string>, log?: number): Promise<Running> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['pipe', 'pipe', log ?? 'inherit'],
  });
  children.add(child);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void exited.then(() => children.delete(child));
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${args.join(' ')} does not listen`)), START_LIMIT_MS);
    child.stdout?.on('data', (data: Buffer) => {
      const address = /http:\S+/.exec(data.toString('utf8'))?.[0];
      if (address === undefined) return;
      clearTimeout(late);
      resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await exited;
      clearTimeout(late);
    },
  };
}

/** What a process holds: resident memory in MB, open files and sockets. */
export interface Footprint {
  rssMb: number;
  files: number;
  sockets: number;
}

/** Reads it from /proc. */
export function footprint(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const folder = `/proc/${pid}/fd`;
  const files = readdirSync(folder);
  const sockets = files.filter((name) => readlinkSync(join(folder, name)).startsWith('socket:'));
  return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, files: files.length, sockets: sockets.length };
}

/**
 * What a process's first thread, which is a server's event loop with SQLite in it, has had of a processor and how long it
 * has waited for one although it was ready. Milliseconds, exact: schedstat, see proc(5) of Linux.
 */
export function threadTimes(pid: number): { cpu: number; waited: number } {
  const [cpu, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return { cpu: Number(cpu) / 1e6, waited: Number(waited) / 1e6 };
}

/** The processor time (milliseconds) that a process has had since its start, all threads, user and system. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // In ticks, of which there are 100 a second on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
