import { join } from 'node:path';
import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { stampOf, totalOf, withTableProgress } from './table-progress.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** `profclaw backup` */
export function addBackup(program: Command, terminal: Terminal): void {
  program
    .command('backup [folder]')
    .description('copy everything that is stored into a folder, also beside a running server')
    .option('--without-secret-key', 'leave out the key that opens the stored provider keys')
    .action((folder: string | undefined, { withoutSecretKey = false }: { withoutSecretKey?: boolean }) =>
      backupCommand(terminal, folder ?? `profclaw-backup-${stampOf(new Date())}`, withoutSecretKey),
    );
}

async function backupCommand(terminal: Terminal, folder: string, isWithoutKey: boolean): Promise<void> {
  const { databaseUrl, home, secretKey } = terminal.config();
  const { makeBackup } = await import('../storage/copy/make-backup.ts');
  const made = await withTableProgress(terminal, (progress, line) =>
    makeBackup({
      ...{ databaseUrl, folder, progress },
      file: join(home, 'profclaw.db'),
      // What the environment gives is kept somewhere else already.
      keyHome: isWithoutKey || secretKey !== undefined ? undefined : home,
      version: packageJson.version,
      pages: (done, total) => line.show('copy', 'profclaw.db', { done, total, unit: 'pages' }),
    }),
  );
  const write = (text: string): void => writeLine(terminal, text);
  write(`${totalOf(made.sums)}, ${sizeText(made.bytes)}, in ${made.folder}`);
  if (made.hasKey) {
    write('secret.key in it opens the provider keys and other secrets in profclaw.db: who has the folder has them all');
  } else if (isWithoutKey) {
    write(`without the secret key: keep ${join(home, 'secret.key')} elsewhere, or stored provider keys are lost`);
  } else {
    write('without PROFCLAW_SECRET_KEY: keep it elsewhere, or stored provider keys are lost');
  }
  write(`\`profclaw restore ${made.folder}\` puts it back`);
}

function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1000)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
