import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { hideInLogs } from '../core/redactor.ts';
import { wrongUse } from './exit-codes.ts';
import { count } from './progress.ts';
import { stampOf, totalOf, withTableProgress } from './table-progress.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** `profclaw migrate` */
export function addMigrate(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .description(
      'copy everything that is stored into another database, from SQLite to PostgreSQL or back; no server may run',
    )
    .requiredOption(
      '--to <place>',
      'postgres://user@host/database, or sqlite:<file>; - reads it from the standard input',
    )
    .option('--replace', 'put aside what is there already')
    .action(({ to, replace = false }: { to: string; replace?: boolean }) => migrateCommand(terminal, to, replace));
}

async function migrateCommand(terminal: Terminal, to: string, isReplacing: boolean): Promise<void> {
  const { databaseUrl, home } = terminal.config();
  const target = placeOf(to === '-' ? (await text(terminal.input)).trim() : to, home);
  const from = databaseUrl === undefined ? { file: join(home, 'profclaw.db') } : { databaseUrl };
  if (from.databaseUrl === target.databaseUrl && (from.file === undefined || from.file === target.file))
    throw new Error(`--to ${target.file ?? 'this URL'} is where everything is already`);
  const [{ moveDatabase }, { passwordsOf }] = await Promise.all([
    import('../storage/copy/move-database.ts'),
    import('../storage/postgres.ts'),
  ]);
  if (target.databaseUrl !== undefined)
    hideInLogs('target database', [target.databaseUrl, ...passwordsOf(target.databaseUrl)]);
  const stamp = isReplacing ? stampOf(new Date()) : undefined;
  const { sums, aside } = await withTableProgress(terminal, (progress) =>
    moveDatabase({ from, to: target, stamp, progress }),
  );
  const write = (line: string): void => writeLine(terminal, line);
  const width = Math.max(...[...sums.keys()].map(({ length }) => length));
  write(`${'table'.padEnd(width)}  ${'rows'.padStart(12)}  checksum, of both`);
  for (const [table, { rows, checksum }] of sums)
    write(`${table.padEnd(width)}  ${count(rows).padStart(12)}  ${checksum}`);
  write(`${totalOf(sums)} are the same on both sides; the source is as it was`);
  if (aside !== undefined) write(`what was in the target before is in ${target.file ? aside : `schema ${aside}`}`);
  write(nextStep(target, home));
}

function placeOf(to: string, home: string): { databaseUrl?: string; file?: string } {
  if (/^postgres(ql)?:/.test(to)) return { databaseUrl: to };
  const [, file] = /^sqlite:(?:\/\/(?=\/))?(.*)$/.exec(to) ?? [];
  if (file === undefined)
    throw wrongUse(
      '--to is neither postgres://user:password@host/database nor sqlite:<file>, like sqlite:/srv/profclaw.db',
    );
  return { file: file === '' ? join(home, 'profclaw.db') : resolve(file) };
}

function nextStep({ file }: { file?: string }, home: string): string {
  if (file === undefined) return 'set DATABASE_URL to the target, leave PROFCLAW_HOME as it is, and start the server';
  if (file === join(home, 'profclaw.db')) return 'take DATABASE_URL away, and start the server';
  return (
    `take DATABASE_URL away, put ${file} into the home folder as profclaw.db beside the secret.key of ${home}, and ` +
    'start the server'
  );
}
