import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** `profclaw rules …` */
export function addRules(program: Command, terminal: Terminal): void {
  const write = (line: string): void => writeLine(terminal, line);
  const rules = program.command('rules').alias('tools').description('ask what the rules about tool calls mean');
  const explain = rules
    .command('explain <tool> <arguments>')
    .description('say what would happen to a call, its arguments being JSON, and by which rule')
    .option('--mode <mode>', 'the security mode', 'ask')
    .option('--conversation <id>', 'whose rules count as well')
    .option('--user <email>', 'whose rules')
    .option('--json', 'as JSON')
    .action(async (tool: string, given: string, options: ExplainOptions) => {
      const { explainCommand } = await import('./tool-policy.ts');
      await explainCommand(terminal.config(), write, tool, given, options);
    });
  addExamples(explain, `profclaw rules explain exec '{"command": "git push"}' --mode allowlist`);
  const simulate = rules
    .command('simulate <file>')
    .description('hold other rules, a JSON list of {tool, match, action}, against the calls of the last runs')
    .option('--mode <mode>', 'in place of the mode of each run')
    .option('--conversation <id>', 'only its runs')
    .option('--user <email>', 'whose runs')
    .option('--runs <count>', 'how many', '20')
    .option('--json', 'as JSON')
    .action(async (file: string, options: SimulateOptions) => {
      const { simulateCommand } = await import('./tool-policy.ts');
      await simulateCommand(terminal.config(), write, file, options);
    });
  addExamples(simulate, 'profclaw rules simulate stricter.json --runs 100');
  addExamples(rules, `profclaw rules explain exec '{"command": "ls"}'`);
}

interface ExplainOptions {
  mode: string;
  conversation?: string;
  user?: string;
  json?: boolean;
}

interface SimulateOptions {
  mode?: string;
  conversation?: string;
  user?: string;
  runs: string;
  json?: boolean;
}
