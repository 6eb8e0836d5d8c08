import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { addAudit } from './audit.ts';
import { addBackup } from './backup.ts';
import { addChat } from './chat.ts';
import { addCompletion } from './completion.ts';
import { addDefaultExamples } from './default-examples.ts';
import { addDoctor } from './doctor.ts';
import { addKeys } from './keys.ts';
import { addMigrate } from './migrate.ts';
import { addProviders } from './providers.ts';
import { addRestore } from './restore.ts';
import { addRules } from './rules.ts';
import { addRuns } from './runs.ts';
import { addSecret } from './secret.ts';
import { addServe } from './serve.ts';
import type { Terminal } from './terminal.ts';
import { addUsers } from './users.ts';

/** What every command is listed under; in this order. Others come last. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Server:': ['serve', 'doctor'],
  'Talk:': ['chat', 'runs'],
  'Set up:': ['providers', 'users', 'keys', 'rules'],
  'Look after:': ['backup', 'restore', 'migrate', 'audit', 'secret'],
  'More:': ['completion', 'help'],
};

const WRONG_USE = 2;

const FIRST_STEPS = `
First:
  $ profclaw                          # start the server, and open the address that it prints
  $ profclaw providers set anthropic  # in another terminal: give it a provider's key
  $ profclaw doctor                   # say what is set up, what answers, and what to mend
`;

const LAST = `
Every command says more with --help. Settings come from the environment: docs/configuration.md`;

/** Every command of the program; each is in the file of its name. Wrong use ends the program with 2. */
export function makeProgram(terminal: Terminal): Command {
  const program = new Command('profclaw')
    .description('A self-hosted chat and agent server.')
    .usage('[command]')
    .version(packageJson.version)
    .commandsGroup('More:')
    .helpCommand('help [command]', 'say more of a command')
    .addHelpText('before', FIRST_STEPS.trimStart())
    .addHelpText('after', LAST)
    .showHelpAfterError('(--help after the command says how it is used)')
    .configureOutput({
      writeOut: (text) => terminal.output.write(text),
      writeErr: (text) => terminal.error.write(text),
    })
    .exitOverride(({ exitCode }) => terminal.exit(exitCode === 0 ? 0 : WRONG_USE));
  endWhenNobodyReads(terminal);
  for (const add of [
    addServe,
    addDoctor,
    addChat,
    addRuns,
    addProviders,
    addUsers,
    addKeys,
    addRules,
    addAudit,
    addSecret,
    addBackup,
    addRestore,
    addMigrate,
    addCompletion,
  ])
    add(program, terminal);
  addDefaultExamples(program);
  putInGroups(program);
  return program;
}

/** As when a list goes into `head`. */
function endWhenNobodyReads(terminal: Terminal): void {
  for (const stream of [terminal.output, terminal.error]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') terminal.exit(0);
      else terminal.fail(error);
    });
  }
}

function putInGroups(program: Command): void {
  const order = Object.values(GROUPS).flat();
  const place = (command: Command): number => (order.includes(command.name()) ? order.indexOf(command.name()) : 1000);
  program.configureHelp({
    visibleCommands: (command) => {
      const visible = new Command().createHelp().visibleCommands(command);
      return command === program ? visible.toSorted((a, b) => place(a) - place(b)) : visible;
    },
  });
  for (const command of program.commands) {
    const group = Object.entries(GROUPS).find(([, names]) => names.includes(command.name()))?.[0];
    command.helpGroup(group ?? 'More:');
  }
}
