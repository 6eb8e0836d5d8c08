import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** `profclaw secret …` */
export function addSecret(program: Command, terminal: Terminal): void {
  const write = (line: string): void => writeLine(terminal, line);
  const secret = program.command('secret').description('look after the key that stored secrets are sealed with');
  const rotate = secret
    .command('rotate')
    .description('seal them with a new key, also beside running servers')
    .action(async () => {
      const { rotateSecretCommand } = await import('./rotate-secret.ts');
      await rotateSecretCommand(terminal.config(), write);
    });
  const forget = secret
    .command('forget')
    .description('delete those that cannot be opened, because their key is lost')
    .action(async () => {
      const { forgetSecretsCommand } = await import('./rotate-secret.ts');
      await forgetSecretsCommand(terminal.config(), write);
    });
  addExamples(secret, 'profclaw secret rotate');
  addExamples(
    rotate,
    'profclaw secret rotate',
    'PROFCLAW_NEW_SECRET_KEY=$(openssl rand -hex 32) profclaw secret rotate',
  );
  addExamples(forget, 'profclaw secret forget');
}
