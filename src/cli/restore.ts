import type { Command } from 'commander';
import { stampOf, totalOf, withTableProgress } from './table-progress.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** `profclaw restore` */
export function addRestore(program: Command, terminal: Terminal): void {
  program
    .command('restore <folder>')
    .description('put a backup into the home folder, or into DATABASE_URL; no server may run')
    .option('--replace', 'put aside what is there already')
    .action((folder: string, { replace = false }: { replace?: boolean }) => restoreCommand(terminal, folder, replace));
}

async function restoreCommand(terminal: Terminal, folder: string, isReplacing: boolean): Promise<void> {
  const { databaseUrl, home, secretKey } = terminal.config();
  const { restoreBackup } = await import('../storage/copy/restore-backup.ts');
  const { manifest, aside, locked } = await withTableProgress(terminal, (progress) =>
    restoreBackup({
      ...{ folder, home, databaseUrl, progress },
      keyFromEnvironment: secretKey,
      stamp: isReplacing ? stampOf(new Date()) : undefined,
    }),
  );
  const write = (text: string): void => writeLine(terminal, text);
  const place = databaseUrl === undefined ? home : 'the database';
  write(`${totalOf(new Map(Object.entries(manifest.tables)))} of ${manifest.createdAt} are in ${place}`);
  for (const name of aside) write(`what was there before is in ${name}`);
  if (locked > 0) {
    write(
      `${locked} stored secrets cannot be opened yet: put the secret key of that time into ${home}/secret.key, or into ` +
        'PROFCLAW_SECRET_KEY, before the server starts',
    );
  }
  write('start the server again: runs that were under way, or wait for an approval, go on from there');
}
