import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { afterEach } from 'vitest';
import { inLogs } from '../../src/core/redactor.ts';
import { type McpClocks, usualClocks } from '../../src/tools/mcp/clocks.ts';
import { RemoteServer } from '../../src/tools/mcp/remote-server.ts';
import { type McpServerConfig, parseMcpServer } from '../../src/tools/mcp/server-config.ts';
import { serverFetch } from '../../src/tools/mcp/server-fetch.ts';
import type { Tool, ToolContext, ToolOutcome } from '../../src/tools/tool.ts';
import type { Json } from '../server.ts';
import { toolContext } from '../tools/rig.ts';

const after: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of after.splice(0).reverse()) await step();
});

/** Has something done when the test is over; the last first. */
export function afterwards(step: () => Promise<unknown>): void {
  after.push(step);
}

/** A folder that is gone after the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-mcp-'));
  afterwards(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Clocks for tests: what fails, fails soon. */
export const QUICK: McpClocks = {
  ...usualClocks,
  connect: 20_000,
  ping: 10_000,
  retryAfter: 50,
  retryAtMost: 200,
  listEvery: 50,
};

/** The settings as the configuration gives them. */
export function configOf(written: object): McpServerConfig {
  const read = parseMcpServer(written);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

/** The settings of the program in `stdio-process.ts`. @param heard the file that keeps what it hears. */
export function programOf(behaviour: string, more: object = {}, heard?: string): Record<string, unknown> {
  const script = join(import.meta.dirname, 'stdio-process.ts');
  return { command: process.execPath, args: [script, behaviour, ...(heard === undefined ? [] : [heard])], ...more };
}

/** A logger as the server's, and what it has written. */
export function testLog(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const log = pino(
    { level: 'trace', base: null, hooks: { streamWrite: (line) => inLogs.redactLine(line) } },
    { write: (line: string) => void lines.push(line) },
  );
  return { log, lines };
}

/** How a server is made. */
interface ServerOptions {
  clocks?: Partial<McpClocks>;
  log?: Logger;
  isTrusted?: boolean;
  /** Seconds; less than what people can set. */
  timeout?: number;
}

/** A server that is connected to, or not, as it can be; it is stopped after the test. */
export async function serverOf(
  written: object,
  { clocks = {}, log = testLog().log, isTrusted = true, timeout }: ServerOptions = {},
): Promise<RemoteServer> {
  const config = { ...configOf(written), ...(timeout === undefined ? {} : { timeout }) };
  const server = new RemoteServer({
    ...{ name: 'test', config, log, version: '0', fetch: serverFetch(config, isTrusted) },
    clocks: { ...QUICK, ...clocks },
    environment: { PATH: process.env.PATH ?? '' },
    changed: () => undefined,
  });
  afterwards(() => server.stop());
  await server.connect();
  return server;
}

/** The tool that the server itself calls so. */
function toolOf(server: { tools: readonly Tool[] }, name: string): Tool {
  const tool = server.tools.find((one) => one.name === `mcp__test__${name}`);
  if (!tool) throw new Error(`there is no ${name} among ${server.tools.map((one) => one.name).join(', ')}`);
  return tool;
}

/** Has a tool called as runs do. */
export function callOf(
  server: { tools: readonly Tool[] },
  name: string,
  given: Record<string, unknown> = { text: 'hello' },
  context: Partial<ToolContext> = {},
): Promise<ToolOutcome> {
  return toolOf(server, name).run(given, toolContext({ workspace: '/nowhere', ...context }));
}

/** The messages in a file of lines. */
export function heardIn(file: string): Json[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
