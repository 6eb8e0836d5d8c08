import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import pino from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { type Config, ConfigError, loadConfig } from './config.ts';
import { startSweep } from './conversations/sweep.ts';
import { Turns } from './conversations/turns.ts';
import { startServer } from './http/server.ts';
import { ProviderRegistry } from './providers/registry.ts';
import { HttpClient } from './providers/transport/client.ts';
import { openDatabase } from './storage/database.ts';
import { loadSecretKey } from './storage/secret-key.ts';

/** Wires everything, serves until a signal comes, and stops in order. */
async function serve(config: Config): Promise<void> {
  // Standard output says one thing only: where the server listens.
  // Lines are written together, at the latest after a quarter of a second.
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: false, minLength: 4096 }));
  setInterval(() => log.flush(), 250).unref();
  for (const warning of config.warnings) log.warn(warning);
  makeHome(config.home);
  const secretKey = loadSecretKey(config.home, config.secretKey);
  const database = await openDatabase({ databaseUrl: config.databaseUrl, file: join(config.home, 'profclaw.db') });
  const client = new HttpClient(config.timeouts);
  const providers = await ProviderRegistry.load({
    db: database.db,
    secretKey,
    environment: config.providers,
    client,
    aliases: config.aliases,
  });
  const turns = new Turns(database.db, log, { waitMs: config.turnWait });
  const sweep = startSweep(database.db, turns, log);
  const server = await startServer({ config, database, providers, turns, log, version: packageJson.version });
  process.stdout.write(`profclaw ${packageJson.version} listens on ${server.url}\n`);

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await server.stop();
    await sweep.stop();
    await client.close();
    await database.close();
    log.flush(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void stop(signal).catch((error: unknown) => fail(error, 1)));
  }
}

function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    accessSync(home, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot keep anything in the home folder ${home}; set PROFCLAW_HOME to another one (${why})`, {
      cause,
    });
  }
}

function fail(error: unknown, code: number): never {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`profclaw: ${text}\n`);
  process.exit(code);
}

// The only file that ends the process.
const program = new Command('profclaw')
  .description('A self-hosted chat and agent server. It is configured by its environment; see docs/configuration.md.')
  .version(packageJson.version);
program
  .command('serve', { isDefault: true })
  .description('serve until SIGTERM or SIGINT (what it does without a command, too)')
  .action(() => serve(loadConfig()));

try {
  await program.parseAsync();
} catch (error) {
  fail(error, error instanceof ConfigError ? 2 : 1);
}
