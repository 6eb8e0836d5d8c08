import { type Command, Option } from 'commander';
import { addExamples } from './examples.ts';
import type { Terminal } from './terminal.ts';

/** What `profclaw doctor` is told. */
export interface DoctorOptions {
  json?: boolean;
  sim?: boolean;
  httpProxy?: string;
  httpsProxy?: string;
  allProxy?: string;
}

/** `profclaw doctor` */
export function addDoctor(program: Command, terminal: Terminal): void {
  const doctor = program
    .command('doctor')
    .description('say what is set up, what answers, what is missing, and how to mend it')
    .option('--sim', 'instead: try every protocol of providers against built-in fakes; needs no key and no network')
    .option('--json', 'as JSON')
    // Only to see whether they are set: nothing here goes through them.
    .addOption(new Option('--http-proxy <url>').env('HTTP_PROXY').hideHelp())
    .addOption(new Option('--https-proxy <url>').env('HTTPS_PROXY').hideHelp())
    .addOption(new Option('--all-proxy <url>').env('ALL_PROXY').hideHelp())
    .action(async (options: DoctorOptions) => {
      if (options.sim) {
        const { simCommand } = await import('./sim/command.ts');
        await simCommand(terminal, options);
      } else {
        const { doctorCommand } = await import('./doctor/command.ts');
        await doctorCommand(terminal, options);
      }
    });
  doctor.addHelpText(
    'after',
    '\nIt ends with 1 if anything has failed. It changes nothing, also beside a running server.',
  );
  addExamples(doctor, 'profclaw doctor', 'profclaw doctor --sim', 'profclaw doctor --json | jq .failed');
}
