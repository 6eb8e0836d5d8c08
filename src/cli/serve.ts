import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { nearest } from '../core/nearest.ts';
import { addExamples } from './examples.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** `profclaw serve`, which is also what the program does without a command. */
export function addServe(program: Command, terminal: Terminal): void {
  const command = program
    .command('serve', { isDefault: true })
    .description('serve until SIGTERM or SIGINT (what it does without a command, too)')
    // What is no command comes here, and is told so below.
    .allowExcessArguments()
    .allowUnknownOption()
    .action(async () => {
      const [word] = command.args;
      if (word === undefined) await serveCommand(terminal);
      else program.error(notKnown(program, word));
    });
  addExamples(command, 'profclaw serve', 'PORT=8080 profclaw serve');
}

function notKnown(program: Command, word: string): string {
  if (word.startsWith('-')) return `error: unknown option '${word}'`;
  const names = program.commands.flatMap((command) => [command.name(), ...command.aliases()]);
  // Everything is near to a short word.
  const candidates = word.length < 4 ? names.filter((name) => name.startsWith(word.charAt(0))) : names;
  const [meant] = nearest(word, candidates, 1);
  return `error: unknown command '${word}'${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** Serves until a signal comes, and stops in order. Standard output says one thing only: where the server listens. */
async function serveCommand(terminal: Terminal): Promise<void> {
  const config = terminal.config();
  const { openLog, serve } = await import('../serve.ts');
  const log = openLog(config);
  // Node would write it down as it is.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the server ends: an error that nobody has caught');
    terminal.fail(error);
  });
  const server = await serve(config, log);
  writeLine(terminal, `profclaw ${packageJson.version} listens on ${server.url}`);

  if (terminal.error.isTTY) terminal.error.write('Open it in a browser. Ctrl+C stops the server.\n');

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await server.stop();
    log.flush(() => terminal.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void stop(signal).catch((error: unknown) => terminal.fail(error)));
  }
}
