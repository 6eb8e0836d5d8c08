import type { Command } from 'commander';

/** What follows a command's help: how it is used. @param lines each a command, or a command and `# what it does` */
export function addExamples(command: Command, ...lines: string[]): Command {
  const title = lines.length === 1 ? 'Example:' : 'Examples:';
  return command.addHelpText('after', `\n${title}\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}
