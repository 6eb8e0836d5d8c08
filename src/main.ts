import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import pino from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { hideSecrets } from './cli/hide-secrets.ts';
import { resetPasswordCommand } from './cli/reset-password.ts';
import { forgetSecretsCommand, rotateSecretCommand } from './cli/rotate-secret.ts';
import { explainCommand, simulateCommand } from './cli/tool-policy.ts';
import { verifyAuditCommand } from './cli/verify-audit.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { inLogs } from './core/redactor.ts';
import { startServer } from './http/server.ts';
import { openServices } from './open-services.ts';
import { openDatabase } from './storage/database.ts';
import { openSecretKey } from './storage/rotation.ts';
import { startSweep } from './sweep.ts';

/** Wires everything, serves until a signal comes, and stops in order. */
async function serve(config: Config): Promise<void> {
  // Standard output says one thing only: where the server listens.
  // Lines are written together, at the latest after a quarter of a second.
  const log = pino(
    { level: config.logLevel, base: null, hooks: { streamWrite: (line) => inLogs.redactLine(line) } },
    pino.destination({ dest: 2, sync: false, minLength: 4096 }),
  );
  setInterval(() => log.flush(), 250).unref();
  // Node would write it down as it is.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the server ends: an error that nobody has caught');
    fail(error, 1);
  });
  for (const warning of config.warnings) log.warn(warning);
  makeHome(config.home);
  const database = await openDatabase({ databaseUrl: config.databaseUrl, file: join(config.home, 'profclaw.db') });
  const secretKey = await openSecretKey({ db: database.db, home: config.home, fromEnvironment: config.secretKey });
  const { services, close } = await openServices({ config, database, secretKey, log, version: packageJson.version });
  const sweep = startSweep(database.db, services.runs, log);
  const server = await startServer(services);
  process.stdout.write(`profclaw ${packageJson.version} listens on ${server.url}\n`);

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await server.stop();
    await sweep.stop();
    await close();
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

function readConfig(): Config {
  const config = loadConfig();
  hideSecrets(config);
  return config;
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(error: unknown, code: number): never {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`profclaw: ${inLogs.redact(text)}\n`);
  process.exit(code);
}

// The only file that ends the process.
const program = new Command('profclaw')
  .description('A self-hosted chat and agent server. It is configured by its environment; see docs/configuration.md.')
  .version(packageJson.version)
  .showHelpAfterError();
program
  .command('serve', { isDefault: true })
  .description('serve until SIGTERM or SIGINT (what it does without a command, too)')
  .action(() => serve(readConfig()));
const secret = program.command('secret').description('look after the key that stored secrets are sealed with');
secret
  .command('rotate')
  .description('seal them with a new key, also beside running servers')
  .action(() => rotateSecretCommand(readConfig(), writeLine));
secret
  .command('forget')
  .description('delete those that cannot be opened, because their key is lost')
  .action(() => forgetSecretsCommand(readConfig(), writeLine));
program
  .command('user')
  .description('look after accounts')
  .command('password <email>')
  .description('give an account a new password, because the old one is forgotten, and print it')
  .action((email: string) => resetPasswordCommand(readConfig(), writeLine, email));
program
  .command('audit')
  .description('look after the log of who did what')
  .command('verify')
  .description('say whether every row of the log is as it was written, also beside a running server')
  .option('--head <seq:hash>', 'what an earlier check printed: shows also whether the log was rewritten since')
  .action(async ({ head }: { head?: string }) => {
    const isWhole = await verifyAuditCommand(readConfig(), writeLine, head);
    if (!isWhole) process.exitCode = 1;
  });

const tools = program.command('tools').description('ask what the rules about tool calls mean');
tools
  .command('explain <tool> <arguments>')
  .description('say what would happen to a call, its arguments being JSON, and by which rule')
  .option('--mode <mode>', 'the security mode', 'ask')
  .option('--conversation <id>', 'whose rules count as well')
  .option('--user <email>', 'whose rules')
  .action((tool: string, given: string, options: { mode: string; conversation?: string; user?: string }) =>
    explainCommand(readConfig(), writeLine, tool, given, options),
  );
tools
  .command('simulate <file>')
  .description('hold other rules, a JSON list of {tool, match, action}, against the calls of the last runs')
  .option('--mode <mode>', 'in place of the mode of each run')
  .option('--conversation <id>', 'only its runs')
  .option('--user <email>', 'whose runs')
  .option('--runs <count>', 'how many', '20')
  .action((file: string, options: { mode?: string; conversation?: string; user?: string; runs: string }) =>
    simulateCommand(readConfig(), writeLine, file, options),
  );

try {
  await program.parseAsync();
} catch (error) {
  fail(error, error instanceof ConfigError ? 2 : 1);
}
