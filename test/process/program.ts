import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPILE_CACHE } from '../compile-cache.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The real program, run as a person would, with nothing of the tests' environment but what the test gives. */
export interface Program {
  child: ChildProcess;
  home: string;
  stdout(): string;
  stderr(): string;
  /** The address it says it listens on; rejects if it ends first. */
  listening: Promise<string>;
  /** How it ended, and when by `performance.now()`. Only for lower bounds: a slow machine must not break a test. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; at: number }>;
}

/** Without Ollama, on any port. */
const SURROUNDINGS = { NODE_COMPILE_CACHE: COMPILE_CACHE, PORT: '0', OLLAMA_BASE_URL: 'http://127.0.0.1:9' };

const running = new Set<ChildProcess>();
const folders: string[] = [];

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-process-'));
  folders.push(folder);
  return folder;
}

/** @param user a numeric user to run as. @param words the command, instead of `serve`. */
export function start(environment: Record<string, string> = {}, user?: number, words: readonly string[] = []): Program {
  const home = environment.PROFCLAW_HOME ?? join(tempFolder(), 'home');
  const child = spawn(join(ROOT, 'node_modules/.bin/node'), ['src/main.ts', ...words], {
    cwd: ROOT,
    env: { ...SURROUNDINGS, PROFCLAW_HOME: home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  running.add(child);
  let out = '';
  let err = '';
  const ended: Program['ended'] = new Promise((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, at: performance.now() });
    });
  });
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      const url = /^profclaw \S+ listens on (\S+)\n/.exec(out)?.[1];
      if (url) resolve(url);
    });
    void ended.then(() => reject(new Error(`it ended: ${out}${err}`)));
  });
  listening.catch(() => {});
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return { child, home, stdout: () => out, stderr: () => err, listening, ended };
}

/** Ends what is still running and removes the folders. */
export async function cleanUp(): Promise<void> {
  const closing = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(closing);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A raw connection that gathers what comes. */
export interface Line {
  socket: Socket;
  text(): string;
  closed: Promise<void>;
}

export async function dial(url: string): Promise<Line> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  return { socket, text: () => text, closed };
}

/** The bytes of a chat request. */
export function chatRequest(url: string, prompt: string, model = 'demo'): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: prompt }], stream: true });
  return (
    `POST /api/chat/completions HTTP/1.1\r\nhost: ${new URL(url).host}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

export function chat(url: string, model: string, prompt = 'hello', stream = false): Promise<Response> {
  return fetch(`${url}/api/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: prompt }], stream }),
  });
}

/** Waits until something holds; fails after `ms`, which is shorter than a test may take and so says what is missing. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
