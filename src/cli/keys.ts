import { type Command, Option } from 'commander';
import { SCOPES, type Scope } from '../auth/scopes.ts';
import { addExamples } from './examples.ts';
import { amount, wholeNumber } from './number-argument.ts';
import type { Terminal } from './terminal.ts';

/** What `profclaw keys create` is told besides the name. */
export interface NewKeyOptions {
  scope: Scope[];
  expires?: number;
  rateLimit?: number;
  budgetUsd?: number;
  budgetTokens?: number;
  budgetPeriod: 'day' | 'week' | 'month' | 'total';
  user?: string;
  json?: boolean;
}

const OF_WHOM = 'whose keys: the email of an account (default: the owner’s)';

/** `profclaw keys …` */
export function addKeys(program: Command, terminal: Terminal): void {
  const keys = program.command('keys').alias('key').description('make and revoke API keys');
  addExamples(keys, 'profclaw keys create ci --scope chat tools --expires 30', 'profclaw keys list');
  const list = keys
    .command('list')
    .description('list API keys, newest first; secrets are not kept, so none is shown')
    .option('--user <email>', OF_WHOM)
    .option('--json', 'as JSON')
    .action(async (options: { user?: string; json?: boolean }) => {
      const { listKeysCommand } = await import('./key-commands.ts');
      await listKeysCommand(terminal, options);
    });
  addExamples(list, 'profclaw keys list --user ada@example.com');
  const create = keys
    .command('create <name>')
    .description('make a key, and print its secret, this once: alone on standard output')
    .addOption(new Option('--scope <scopes...>', 'what it is good for').choices(SCOPES).default(['chat']))
    .option('--expires <days>', 'how many days it is good for (default: for ever)', wholeNumber(1, 3650))
    .option('--rate-limit <requests>', 'requests a minute', wholeNumber(1, 1_000_000))
    .option('--budget-usd <dollars>', 'what its calls may cost in a period', amount(1_000_000))
    .option('--budget-tokens <tokens>', 'how many tokens its calls may take in a period', wholeNumber(1, 1e12))
    .addOption(
      new Option('--budget-period <period>', 'by the calendar, in UTC')
        .choices(['day', 'week', 'month', 'total'])
        .default('month'),
    )
    .option('--user <email>', OF_WHOM)
    .option('--json', 'the key and its secret as JSON')
    .action(async (name: string, options: NewKeyOptions) => {
      const { createKeyCommand } = await import('./key-commands.ts');
      await createKeyCommand(terminal, name, options);
    });
  addExamples(
    create,
    'profclaw keys create laptop --scope chat tools conversations:read > key.txt',
    'profclaw keys create ci --expires 30 --budget-usd 5',
  );
  const revoke = keys
    .command('revoke <id>')
    .description('revoke a key, from now on; its id is in the list')
    .option('--user <email>', OF_WHOM)
    .action(async (id: string, options: { user?: string }) => {
      const { revokeKeyCommand } = await import('./key-commands.ts');
      await revokeKeyCommand(terminal, id, options);
    });
  addExamples(revoke, 'profclaw keys revoke key_01k…');
}
