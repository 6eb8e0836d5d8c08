import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** `profclaw audit …` */
export function addAudit(program: Command, terminal: Terminal): void {
  const audit = program.command('audit').description('look after the log of who did what');
  const verify = audit
    .command('verify')
    .description('say whether every row of the log is as it was written, also beside a running server')
    .option('--head <seq:hash>', 'what an earlier check printed: shows also whether the log was rewritten since')
    .action(async ({ head }: { head?: string }) => {
      const { verifyAuditCommand } = await import('./verify-audit.ts');
      const isWhole = await verifyAuditCommand(terminal.config(), (line) => writeLine(terminal, line), head);
      if (!isWhole) terminal.exitCode(1);
    });
  addExamples(audit, 'profclaw audit verify');
  addExamples(verify, 'profclaw audit verify', 'profclaw audit verify --head 1204:ab12…');
}
