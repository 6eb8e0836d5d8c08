import { type Command, Option } from 'commander';
import { addExamples } from './examples.ts';
import { wholeNumber } from './number-argument.ts';
import type { Terminal } from './terminal.ts';

const INVITE_DAYS = 7;

/** What `profclaw users invite` is told. */
export interface InviteOptions {
  role: 'admin' | 'member';
  email?: string;
  expires: number;
  json?: boolean;
}

/** `profclaw users …` */
export function addUsers(program: Command, terminal: Terminal): void {
  const users = program.command('users').alias('user').description('look after accounts');
  addExamples(users, 'profclaw users invite --email ada@example.com', 'profclaw users password ada@example.com');
  const list = users
    .command('list')
    .description('list accounts, oldest first')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { listUsersCommand } = await import('./user-commands.ts');
      await listUsersCommand(terminal, options);
    });
  addExamples(list, 'profclaw users list');
  addInvites(users, terminal);
  const password = users
    .command('password <email>')
    .description('give an account a new password, because the old one is forgotten, and print it')
    .action(async (email: string) => {
      const { resetPasswordCommand } = await import('./reset-password.ts');
      await resetPasswordCommand(terminal, email);
    });
  addExamples(password, 'profclaw users password ada@example.com');
  addChanges(users, terminal);
}

function addInvites(users: Command, terminal: Terminal): void {
  const invite = users
    .command('invite')
    .description('make an invite, and print its code, this once: alone on standard output')
    .addOption(new Option('--role <role>', 'of the account').choices(['member', 'admin']).default('member'))
    .option('--email <email>', 'only this one may use it')
    .option('--expires <days>', 'how many days it is good for', wholeNumber(1, 365), INVITE_DAYS)
    .option('--json', 'the invite and its code as JSON')
    .action(async (options: InviteOptions) => {
      const { inviteCommand } = await import('./user-commands.ts');
      await inviteCommand(terminal, options);
    });
  addExamples(
    invite,
    'profclaw users invite --email ada@example.com',
    'profclaw users invite --role admin --expires 1',
  );
  const invites = users
    .command('invites')
    .description('list invites that nobody has used')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { listInvitesCommand } = await import('./user-commands.ts');
      await listInvitesCommand(terminal, options);
    });
  addExamples(invites, 'profclaw users invites');
  const uninvite = users
    .command('uninvite <id>')
    .description('withdraw an invite; its id is in the list')
    .action(async (id: string) => {
      const { uninviteCommand } = await import('./user-commands.ts');
      await uninviteCommand(terminal, id);
    });
  addExamples(uninvite, 'profclaw users uninvite invite_01k…');
}

function addChanges(users: Command, terminal: Terminal): void {
  const role = users.command('role <email> <role>').description('make an account a member or an admin');
  role.action(async (email: string, word: string) => {
    const known = (['member', 'admin'] as const).find((one) => one === word);
    if (known === undefined) role.error(`error: the role ${word} is none of member, admin`);
    else {
      const { changeUserCommand } = await import('./user-commands.ts');
      await changeUserCommand(terminal, email, { role: known });
    }
  });
  addExamples(role, 'profclaw users role ada@example.com admin');
  for (const [word, disabled, what] of [
    ['disable', true, 'let an account in no more, at once: its sessions end, its keys are refused'],
    ['enable', false, 'let a disabled account in again'],
  ] as const) {
    const command = users
      .command(`${word} <email>`)
      .description(what)
      .action(async (email: string) => {
        const { changeUserCommand } = await import('./user-commands.ts');
        await changeUserCommand(terminal, email, { disabled });
      });
    addExamples(command, `profclaw users ${word} ada@example.com`);
  }
  const remove = users
    .command('remove <email>')
    .description('delete an account with everything that it owns')
    .option('--yes', 'do not ask')
    .action(async (email: string, options: { yes?: boolean }) => {
      const { removeUserCommand } = await import('./user-commands.ts');
      await removeUserCommand(terminal, email, options);
    });
  addExamples(remove, 'profclaw users remove ada@example.com');
}
