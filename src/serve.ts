import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import type { Config } from './config.ts';
import { inLogs } from './core/redactor.ts';
import { type RunningServer, startServer } from './http/server.ts';
import { INTERFACE } from './interface.ts';
import { openServices } from './open-services.ts';
import { openDatabase } from './storage/database.ts';
import { openSecretKey } from './storage/rotation.ts';
import { startSweep } from './sweep.ts';

/** The built page: beside the bundle, or where the build leaves it beside the sources. */
const WEB_FOLDER = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../dist/web' : 'web');

/** Makes the log of a server: lines on standard error, together, at the latest after a quarter of a second. */
export function openLog(config: Config): Logger {
  const log = pino(
    { level: config.logLevel, base: null, hooks: { streamWrite: (line) => inLogs.redactLine(line) } },
    pino.destination({ dest: 2, sync: false, minLength: 4096 }),
  );
  setInterval(() => log.flush(), 250).unref();
  return log;
}

/**
 * Wires everything, and listens.
 * @returns the server; its `stop` lets go of everything, in order.
 * @throws ConfigError, or an Error for a person
 */
export async function serve(config: Config, log: Logger): Promise<RunningServer> {
  for (const warning of config.warnings) log.warn(warning);
  makeHome(config.home);
  const database = await openDatabase({ databaseUrl: config.databaseUrl, file: join(config.home, 'profclaw.db') });
  const secretKey = await openSecretKey({ db: database.db, home: config.home, fromEnvironment: config.secretKey });
  const foundation = { config, database, secretKey, log, version: packageJson.version, webFolder: WEB_FOLDER };
  const { services, close } = await openServices(foundation);
  const sweep = startSweep(database.db, services.runs, log);
  const server = await startServer(services, INTERFACE);
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      await sweep.stop();
      await close();
      await database.close();
    },
  };
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
