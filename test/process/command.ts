import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { hideSecrets } from '../../src/cli/hide-secrets.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { loadConfig } from '../../src/config.ts';
import { inLogs } from '../../src/core/redactor.ts';
import { COMPILE_CACHE } from '../compile-cache.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What a command said, and how it ended. */
export interface Said {
  code: number | null;
  out: string;
  err: string;
}

/** Without Ollama, on any port. */
const SURROUNDINGS = { PORT: '0', OLLAMA_BASE_URL: 'http://127.0.0.1:9' };

/** Runs the real program to its end, with nothing of the tests' environment but what the test gives. @param input what it reads */
export async function run(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Promise<Said> {
  const child = spawn(join(ROOT, 'node_modules/.bin/node'), ['src/main.ts', ...words], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...SURROUNDINGS, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said: Said = { code: null, out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.err += chunk;
  });
  // It may end without reading.
  child.stdin.on('error', () => undefined).end(input);
  said.code = await new Promise((resolve) => child.once('close', resolve));
  return said;
}

class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Runs a command in this process, which saves the start of the program: as `main.ts` does it, but for the streams. */
export async function call(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Promise<Said> {
  const said: Said = { code: 0, out: '', err: '' };
  const into = (field: 'out' | 'err'): Writable =>
    new Writable({
      write: (chunk, _encoding, done) => {
        said[field] += chunk;
        done();
      },
    });
  const program = makeProgram({
    config: () => {
      const config = loadConfig({ ...SURROUNDINGS, ...environment });
      hideSecrets(config);
      return config;
    },
    input: Readable.from([input]),
    output: into('out'),
    error: into('err'),
    exitCode: (code) => {
      said.code = code;
    },
    exit: (code) => {
      throw new Exit(code);
    },
    fail: (error) => {
      throw error;
    },
  });
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Exit) said.code = error.code;
    else {
      said.err += `profclaw: ${inLogs.redact(message)}\n`;
      said.code = exitCodeOf(error);
    }
  }
  return said;
}

/** A vendor with openai's list of models, which takes one key only and names a wrong one when it refuses it. */
export interface FakeVendor {
  url: string;
  /** Seconds by which its clock is ahead. */
  ahead: number;
  close(): void;
}

/** Starts one. @param key the key that it takes. @param models the ids in its list */
export async function startFakeVendor(key: string, models: readonly string[]): Promise<FakeVendor> {
  const server = createServer((request, response) => {
    response.setHeader('date', new Date(Date.now() + vendor.ahead * 1000).toUTCString());
    response.setHeader('content-type', 'application/json');
    const given = (request.headers.authorization ?? '').replace('Bearer ', '');
    if (given === key) response.end(JSON.stringify({ data: models.map((id) => ({ id })) }));
    else response.writeHead(401).end(JSON.stringify({ error: { message: `Incorrect API key provided: ${given}` } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const vendor: FakeVendor = {
    url: `http://127.0.0.1:${port}/v1`,
    ahead: 0,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return vendor;
}
